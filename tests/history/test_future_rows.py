"""Which rows take no part yet, and when the clock must be wrong."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.series import Direction, FileSummary, History, Series, SeriesKey
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
    [(DAY, 26 * HOUR), (20 * HOUR, 26 * HOUR), (28 * HOUR, 28 * HOUR), (HOUR, HOUR), (5 * MINUTE, 10 * MINUTE)],
)
def test_the_margin_is_a_usual_gap_but_26_hours_for_daily_rows_and_ten_minutes_at_least(step, margin):
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
        "1 period is in the future, from 20 Feb 2062 12:00 on: not evaluated; correct the date or its time zone"
    )


@pytest.mark.parametrize(("running_on", "doubted"), [(1, False), (2, False), (3, True)])
def test_where_the_rows_of_more_than_half_of_the_models_run_on_it_is_the_clock(running_on, doubted):
    models = {f"m{at}": times_of(last=NOW + (9 * DAY if at < running_on else 0 * DAY)) for at in range(4)}
    history = history_of(**models)
    bounded = FutureRowFilter().apply(history, NOW)
    assert (bounded.clock_doubt is not None) == doubted
    assert (bounded.history is history) == doubted


@pytest.mark.parametrize("step", [DAY, 7 * DAY, 91 * DAY])
def test_a_wrong_year_is_no_wrong_clock_even_of_a_single_quarterly_model(step):
    bounded = FutureRowFilter().apply(history_of(m=times_of(366 * DAY, step=step)), NOW)
    assert (bounded.clock_doubt, len(bounded.history.periods["m"])) == (None, 10)


def test_rows_that_are_ahead_by_hours_may_be_of_another_zone():
    hours, days = (history_of(m=times_of(step=HOUR, last=NOW + lead)) for lead in (5 * HOUR, 5 * DAY))
    assert "`timezone`" in FutureRowFilter().apply(hours, NOW).clock_doubt
    assert "zone" not in FutureRowFilter().apply(days, NOW).clock_doubt


def test_a_model_with_future_rows_alone_is_left_out_and_cannot_be_read():
    bounded = FutureRowFilter().apply(history_of(m=times_of(900 * DAY, past=0), other=times_of()), NOW)
    assert list(bounded.history.periods) == ["other"]
    (problem,) = bounded.history.problems
    assert (problem.source, problem.fatal) == ("m", True)
    assert "its only row is in the future" in problem.message


def test_the_file_is_named_if_there_is_one():
    whole = replace(history_of(m=times_of(900 * DAY)), files=(FileSummary("a.csv", ("m",), 11, 0, newest_lost=False),))
    assert "1 period of a.csv is in the future" in FutureRowFilter().apply(whole, NOW).history.problems[0].message


def test_the_same_rows_are_the_same_objects():
    rows, whole = FutureRowFilter(), history_of(m=times_of(900 * DAY), other=times_of())
    first, second = rows.apply(whole, NOW).history, rows.apply(whole, NOW + MINUTE).history
    assert second is first
    again = rows.apply(replace(whole), NOW).history
    assert again is not first
    assert all(again.series[key] is each for key, each in first.series.items())
    assert rows.apply(whole, NOW + 900 * DAY).history is whole


def test_cells_that_could_not_be_read_are_left_out_with_their_rows():
    key, times = SeriesKey("m", "f1"), times_of(900 * DAY)
    bounded = FutureRowFilter().apply(replace(history_of(m=times), refused={key: times[-2:]}), NOW)
    assert bounded.history.refused[key].tolist() == times[-2:-1].tolist()


def test_a_given_moment_bounds_exactly_and_does_not_doubt_the_clock():
    bounded = FutureRowFilter().apply(history_of(m=times_of(last=NOW + 3 * HOUR)), NOW, NOW)
    assert len(bounded.history.periods["m"]) == 9
    assert (bounded.history.problems, bounded.clock_doubt, bounded.next_due) == ((), None, None)


def test_rows_in_the_future_are_reported_whatever_moment_is_given():
    whole = history_of(m=times_of(DAY, 900 * DAY))
    for moment, left in ((NOW - 5 * DAY, 5), (NOW, 10), (NOW + 2 * DAY, 11)):
        bounded = FutureRowFilter().apply(whole, NOW, moment)
        assert len(bounded.history.periods["m"]) == left
        assert "1 period is in the future" in bounded.history.problems[0].message
