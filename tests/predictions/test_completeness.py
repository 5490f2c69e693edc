"""Which periods are complete: tables of label coverages, oldest first, and a flag for each period."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.predictions.completeness import FAR_FUTURE, chunk_ends, labels_complete, span_ends

DAY = np.timedelta64(1, "D")
NOW = np.datetime64("2025-03-01", "us")


def flags(coverage, *, age=0, delay=None, rows=10_000.0):
    """Return `c` for complete, `.` for not; the newest day has ended `age` days before now."""
    count = len(coverage)
    period_ends = NOW - (np.arange(count)[::-1] + age) * DAY
    rows = np.full(count, rows)
    complete = labels_complete(
        period_ends, rows, np.array(coverage) * rows, now=NOW, delay=None if delay is None else delay * DAY
    )
    return "".join("c" if flag else "." for flag in complete)


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        pytest.param([1, 1, 1, 1], "cccc", id="labels that are all there"),
        pytest.param([0.97, 0.98, 0.97, 0.6, 0.2, 0], "ccc...", id="the newest are still coming"),
        pytest.param([0.2, 0.2, 0.19, 0.2, 0.21], "ccccc", id="a fifth is usual where a fifth is labelled"),
        pytest.param([0.2, 0.2, 0.19, 0.1, 0], "ccc..", id="and half of that is not"),
        pytest.param([0.98, 0.5, 0.98, 0.98], "cccc", id="a gap before a complete one had its time"),
        pytest.param([0.3, 0.1, 0.0], "...", id="a young model of which nothing is known"),
        pytest.param([0.95, 0.4], "c.", id="one period is enough to know what is usual"),
        pytest.param([0.4], ".", id="one period may be anything"),
        pytest.param([0.0, 0.0], "..", id="no labels at all"),
        pytest.param([0.0, 0.9, 0.9, 0.0], "ccc.", id="labels that began later than the log"),
    ],
)
def test_without_a_delay_the_baseline_is_taken_from_the_log(coverage, expected):
    assert flags(coverage) == expected


@pytest.mark.parametrize(
    ("coverage", "delay", "expected"),
    [
        pytest.param([0.98, 0.5, 0.3, 0.0], 2, "cc..", id="what is older than the delay is complete as it is"),
        pytest.param([0.98, 0.97, 0.98, 0.0], 7, "ccc.", id="what has all its labels need not wait"),
        pytest.param([0.98, 0.5, 0.98, 0.0], 7, "c.c.", id="a gap within the delay waits"),
        pytest.param([0.0, 0.0, 0.0], 1, "cc.", id="no labels at all, but nothing to wait for"),
    ],
)
def test_a_delay_is_waited_for_and_no_longer(coverage, delay, expected):
    assert flags(coverage, delay=delay) == expected


def test_a_period_that_has_not_ended_is_not_complete():
    assert flags([1, 1, 1], age=-1) == "cc."


def test_a_few_rows_below_the_baseline_may_be_chance():
    assert flags([0.5, 0.5, 0.5, 0.4], rows=20.0) == "cccc"
    assert flags([0.5, 0.5, 0.5, 0.4], rows=20_000.0) == "ccc."


@pytest.mark.parametrize(
    ("coverage", "age", "expected"), [([0.4], 91, "c"), ([0.98, 0.98, 0.3], 91, "cc."), ([0.98, 0.98, 0.3], 366, "ccc")]
)
def test_labels_are_not_waited_for_forever(coverage, age, expected):
    assert flags(coverage, age=age) == expected


def test_a_period_without_an_end_has_ended():
    period_ends = np.array(["2025-02-01", "NaT"], dtype="datetime64[us]")
    assert labels_complete(period_ends, np.full(2, 10.0), np.full(2, 10.0), now=NOW).tolist() == [True, True]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 30))
def test_waiting_longer_never_makes_a_period_incomplete(coverage, days):
    now, later = (flags(coverage, age=age, delay=10) for age in (days, days + 5))
    assert all(after == "c" for before, after in zip(now, later, strict=True) if before == "c")


def days(*numbers):
    return np.datetime64("2025-01-01", "us") + np.array(numbers) * DAY


def test_the_last_of_periods_named_by_a_column_is_as_long_as_most():
    assert span_ends(days(0, 7, 14, 15)).tolist() == days(7, 14, 15, 22).tolist()


def test_the_last_run_of_rows_ends_once_it_is_full():
    assert chunk_ends(days(0, 1), np.array([500.0, 500.0]), 500).tolist() == days(1, 2).tolist()
    assert chunk_ends(days(0, 1), np.array([500.0, 499.0]), 500).tolist() == [days(1)[0].item(), FAR_FUTURE.item()]
