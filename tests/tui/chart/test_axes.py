from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modeltop_tui.chart.axes import context, date_ticks, value_ticks

numbers = st.floats(-1e12, 1e12, allow_nan=False)


@given(low=numbers, span=st.floats(1e-9, 1e12), most=st.integers(1, 20))
def test_value_ticks_are_round_few_and_within_the_axis(low, span, most):
    high = low + span
    assume(span > 1e-6 * abs(low))
    ticks = value_ticks(low, high, most)
    assert len(ticks) <= most
    places = [place for place, _ in ticks]
    assert all(low - 1e-6 * span <= place <= high + 1e-6 * span for place in places)
    if len(places) > 1:
        step = places[1] - places[0]
        assert f"{step:.0e}"[0] in "125"
        assert len({label for _, label in ticks}) == len(ticks)


@given(low=st.floats(-1000, 1000), span=st.floats(0.01, 1000), most=st.integers(2, 12))
def test_a_value_label_reads_back_as_the_place_it_marks(low, span, most):
    for place, label in value_ticks(low, low + span, most):
        assert float(label) == pytest.approx(place, abs=span * 1e-6)


@pytest.mark.parametrize(
    ("start", "end", "cells", "expected", "corner"),
    [
        ("2025-01-01T22:00", "2025-01-02T01:15", 41, "22:00 23:00 Jan_2 01:00", "Jan 1"),
        ("2025-01-01", "2025-01-02T23:00", 55, "Jan_1 06:00 12:00 18:00 Jan_2 06:00 12:00 18:00", "Jan 1"),
        ("2025-01-01", "2025-01-10", 41, "Jan_1 Jan_3 Jan_5 Jan_7 Jan_9", "2025"),
        ("2024-12-20", "2025-01-20", 60, "Dec_21 Dec_26 Jan_1 Jan_6 Jan_11 Jan_16", "2024"),
        ("2025-01-01", "2025-06-29", 42, "2025 Feb Mar Apr May Jun", "2025"),
        ("2024-10-01", "2025-09-30", 42, "Nov 2025 Mar May Jul Sep", "2024"),
        ("2015-01-01", "2022-01-01", 42, "2016 2018 2020 2022", ""),
        ("1925-01-01", "2025-01-01", 30, "1940 1960 1980 2000 2020", ""),
    ],
)
def test_the_dates_of_an_axis(start, end, cells, expected, corner):
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (start, end))
    labels = " ".join(label.replace(" ", "_") for _, label in date_ticks(first, last, cells))
    assert (labels, context(first, last)) == (expected, corner)


@given(start=st.floats(-2e9, 4e9), span=st.floats(1, 4e9), cells=st.integers(10, 200))
def test_dates_fit_and_lie_within_the_axis(start, span, cells):
    ticks = date_ticks(start, start + span, cells)
    assert sum(len(label) + 2 for _, label in ticks) <= cells + 2
    assert all(start - 1 <= place <= start + span + 1 for place, _ in ticks)
    assert [place for place, _ in ticks] == sorted({place for place, _ in ticks})
