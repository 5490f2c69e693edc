from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modeltop_tui.chart.axes import axis_context, date_ticks, value_ticks

numbers = st.floats(-1e12, 1e12, allow_nan=False)


@given(low=numbers, span=st.floats(1e-9, 1e12), max_ticks=st.integers(1, 20))
def test_value_ticks_are_round_few_and_within_the_axis(low, span, max_ticks):
    high = low + span
    assume(span > 1e-6 * abs(low))
    ticks = value_ticks(low, high, max_ticks)
    assert len(ticks) <= max_ticks
    positions = [position for position, _ in ticks]
    assert all(low - 1e-6 * span <= position <= high + 1e-6 * span for position in positions)
    if len(positions) > 1:
        step = positions[1] - positions[0]
        assert f"{step:.0e}"[0] in "125"
        assert len({label for _, label in ticks}) == len(ticks)


@given(low=st.floats(-1000, 1000), span=st.floats(0.01, 1000), max_ticks=st.integers(2, 12))
def test_a_value_label_reads_back_as_the_position_it_marks(low, span, max_ticks):
    for position, label in value_ticks(low, low + span, max_ticks):
        assert float(label) == pytest.approx(position, abs=span * 1e-6)


@pytest.mark.parametrize(
    ("start", "end", "width", "expected", "corner"),
    [
        ("2025-01-01T22:00", "2025-01-02T01:15", 41, "22:00 23:00 2_Jan 01:00", "1 Jan"),
        ("2025-01-01", "2025-01-02T23:00", 55, "1_Jan 06:00 12:00 18:00 2_Jan 06:00 12:00 18:00", "1 Jan"),
        ("2025-01-01", "2025-01-10", 41, "1_Jan 3_Jan 5_Jan 7_Jan 9_Jan", "2025"),
        ("2024-12-20", "2025-01-20", 60, "21_Dec 26_Dec 1_Jan 6_Jan 11_Jan 16_Jan", "2024"),
        ("2025-01-01", "2025-06-29", 42, "2025 Feb Mar Apr May Jun", "2025"),
        ("2024-10-01", "2025-09-30", 42, "Nov 2025 Mar May Jul Sep", "2024"),
        ("2015-01-01", "2022-01-01", 42, "2016 2018 2020 2022", ""),
        ("1925-01-01", "2025-01-01", 30, "1940 1960 1980 2000 2020", ""),
    ],
)
def test_the_dates_of_an_axis(start, end, width, expected, corner):
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (start, end))
    labels = " ".join(label.replace(" ", "_") for _, label in date_ticks(first, last, width))
    assert (labels, axis_context(first, last)) == (expected, corner)


@given(start=st.floats(-2e9, 4e9), span=st.floats(1, 4e9), width=st.integers(10, 200))
def test_dates_fit_and_lie_within_the_axis(start, span, width):
    ticks = date_ticks(start, start + span, width)
    assert sum(len(label) + 2 for _, label in ticks) <= width + 2
    assert all(start - 1 <= position <= start + span + 1 for position, _ in ticks)
    assert [position for position, _ in ticks] == sorted({position for position, _ in ticks})
