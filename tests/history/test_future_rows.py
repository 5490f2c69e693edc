"""Which rows take no part yet, and when it is the clock."""

import numpy as np
import pytest

from modeltop.core.series import Direction, History, Series, SeriesKey
from modeltop.history.future_rows import FutureRowFilter, margin_of

NOW = np.datetime64("2025-03-01T12:00", "us")
DAY, HOUR, MINUTE = (np.timedelta64(1, unit) for unit in "Dhm")


def times_of(*ahead, step=DAY, past=10, last=NOW):
    """Rows up to `last`, then each of `ahead` after it."""
    return np.array([last - step * number for number in range(past - 1, -1, -1)] + [last + one for one in ahead])


def history_of(**models):
    series = {
        (key := SeriesKey(model, "accuracy")): Series(key, Direction.HIGHER, times, np.zeros(len(times)))
        for model, times in models.items()
    }
    return History(series, models)


@pytest.mark.parametrize(
    ("step", "margin"),
    [(DAY, 26 * HOUR), (20 * HOUR, 26 * HOUR), (28 * HOUR, 28 * HOUR), (HOUR, HOUR), (5 * MINUTE, 5 * MINUTE)],
)
def test_the_margin_is_a_usual_gap_and_26_hours_for_daily_rows(step, margin):
    assert margin_of(times_of(step=step), NOW) == margin
    assert margin_of(times_of(900 * DAY, 1800 * DAY, step=step), NOW) == margin, "rows of the future do not stretch it"


def test_a_single_row_counts_as_daily():
    assert margin_of(times_of(past=1), NOW) == 26 * HOUR
    assert margin_of(times_of(past=0), NOW) == 26 * HOUR


def test_a_row_up_to_the_margin_takes_part_and_a_moment_later_none():
    inside, outside = times_of(26 * HOUR), times_of(26 * HOUR + np.timedelta64(1, "us"))
    history = history_of(m=inside)
    assert FutureRowFilter().apply(history, NOW).history is history
    bounded = FutureRowFilter().apply(history_of(m=outside, other=times_of()), NOW)
    assert len(bounded.history.periods["m"]) == 10
    assert bounded.next_due == NOW + np.timedelta64(1, "us")


def test_a_typo_in_the_year_of_all_models_is_no_wrong_clock():
    models = {name: times_of(37 * 365 * DAY) for name in "abc"}
    bounded = FutureRowFilter().apply(history_of(**models), NOW)
    assert bounded.clock_doubt is None
    assert {len(times) for times in bounded.history.periods.values()} == {10}
    assert {len(series) for series in bounded.history.series.values()} == {10}
    message = bounded.history.problems[0].message
    assert message == (
        "1 period from 2062-02-20 12:00 on is in the future: not evaluated yet; check the date and its time zone"
    )


@pytest.mark.parametrize(("running_on", "doubted"), [(1, False), (2, False), (3, True)])
def test_where_the_rows_of_more_than_half_of_the_models_run_on_it_is_the_clock(running_on, doubted):
    models = {f"m{at}": times_of(last=NOW + (9 * DAY if at < running_on else 0 * DAY)) for at in range(4)}
    history = history_of(**models)
    bounded = FutureRowFilter().apply(history, NOW)
    assert (bounded.clock_doubt is not None) == doubted
    assert (bounded.history is history) == doubted


def test_rows_that_are_ahead_by_hours_may_be_of_another_zone():
    assert (
        "time zone" in FutureRowFilter().apply(history_of(m=times_of(step=HOUR, last=NOW + 5 * HOUR)), NOW).clock_doubt
    )
    assert "zone" not in FutureRowFilter().apply(history_of(m=times_of(step=HOUR, last=NOW + 5 * DAY)), NOW).clock_doubt


def test_a_model_without_any_row_of_now_is_gone_and_cannot_be_read():
    bounded = FutureRowFilter().apply(history_of(m=times_of(900 * DAY, past=0), other=times_of()), NOW)
    assert list(bounded.history.periods) == ["other"]
    (problem,) = bounded.history.problems
    assert (problem.source, problem.fatal) == ("m", True)
    assert "its only row is in the future" in problem.message


def test_what_is_cut_at_the_same_row_is_the_same_object():
    rows, history = FutureRowFilter(), history_of(m=times_of(900 * DAY), other=times_of())
    first, second = rows.apply(history, NOW).history, rows.apply(history, NOW + MINUTE).history
    assert all(second.series[key] is one for key, one in first.series.items())
    assert second.periods["m"] is first.periods["m"]
    later = rows.apply(history, NOW + 900 * DAY).history
    assert later is history


def test_an_exact_bound_lets_nothing_through_and_says_nothing():
    bounded = FutureRowFilter().apply(history_of(m=times_of(last=NOW + 3 * HOUR)), NOW, is_exact=True)
    assert len(bounded.history.periods["m"]) == 9
    assert (bounded.history.problems, bounded.clock_doubt) == ((), None)
