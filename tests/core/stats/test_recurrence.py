"""The same effect on the same days before: found by weekday, day of the month and year, and not by chance."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from modeltop.core.stats.recurrence import same_effect_before

LAST = date(2026, 4, 30)
EFFECT = -0.1


def series_with_drops(*days, history=90, last=LAST):
    """Return daily values to `last` that drop on some days."""
    dates = [last - timedelta(days=number) for number in range(history)][::-1]
    noise = np.random.default_rng(1).normal(0, 0.01, history)
    values = np.array([0.9 + EFFECT * (day in days) for day in dates]) + noise
    times = np.array(dates, dtype="datetime64[D]").astype(DATETIME_DTYPE)
    return Series(SeriesKey("m", "accuracy"), Direction.HIGHER, times, values)


def earlier(*days, history=90, newest=1, last=LAST):
    series = series_with_drops(*days, history=history, last=last)
    return same_effect_before(series, series.times[-newest:], EFFECT)


def weeks_before(*numbers):
    return [LAST - timedelta(weeks=number) for number in numbers]


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(weeks_before(3, 2, 1), id="each of three weeks"),
        pytest.param(weeks_before(6, 3), id="every third week"),
        pytest.param([date(2026, 2, 28), date(2026, 3, 31)], id="the last of the month"),
    ],
)
def test_what_came_on_the_same_days_before_is_found(days):
    assert earlier(LAST, *days) == tuple(days)


def test_the_same_day_of_the_month_is_found_whatever_weekday_it_is():
    fifth = [date(2026, month, 5) for month in (2, 3, 4)]
    assert earlier(*fifth, last=fifth[-1]) == tuple(fifth[:2])


def test_the_same_day_of_the_year_before_is_enough_where_a_year_had_no_other():
    before = date(2025, 4, 30)
    assert earlier(LAST, before, history=400) == (before,)
    others = [date(2025, 7, 7), date(2025, 10, 3), date(2026, 1, 14)]
    assert earlier(LAST, before, *others, history=400) == ()


@pytest.mark.parametrize(
    ("days", "newest"),
    [
        pytest.param([], 1, id="nothing before"),
        pytest.param(weeks_before(3), 1, id="once, three weeks before"),
        pytest.param(weeks_before(5, 2), 1, id="at two distances"),
        pytest.param(weeks_before(6, 3), 2, id="it lasts beyond the days of before"),
        pytest.param([LAST - timedelta(days=day) for day in range(1, 90, 2)], 1, id="every other day"),
    ],
)
def test_what_did_not_come_or_comes_on_any_day_is_no_repetition(days, newest):
    current = [LAST - timedelta(days=day) for day in range(newest)]
    assert earlier(*current, *days, newest=newest) == ()


@given(st.integers(0, 2**32 - 1), st.integers(15, 400), st.integers(1, 5))
def test_the_days_that_are_found_are_in_the_history_before_and_off_by_most_of_the_effect(seed, history, newest):
    series = series_with_drops(history=history)
    values = np.random.default_rng(seed).choice([0.8, 0.9], history, p=[0.1, 0.9])
    found = same_effect_before(replace(series, values=values), series.times[-newest:], EFFECT)
    by_day = dict(zip(series.times.astype("datetime64[D]").tolist(), values.tolist(), strict=True))
    assert list(found) == sorted(found)
    assert all(by_day[day] == 0.8 for day in found)
    assert all(day < LAST - timedelta(days=newest - 1) for day in found)


def test_noise_looks_like_a_repetition_once_in_a_hundred_times_at_most():
    series, rng = series_with_drops(history=120), np.random.default_rng(2)
    noise = rng.normal(0.9, abs(EFFECT) / 4, (1000, 120))
    found = [same_effect_before(replace(series, values=row), series.times[-1:], EFFECT) for row in noise]
    assert sum(map(bool, found)) <= 10


def test_two_repetitions_within_a_month_may_be_chance_where_another_day_had_the_effect():
    days = weeks_before(4, 2)
    assert earlier(LAST, *days, history=32) == tuple(days)
    assert earlier(LAST, *days, LAST - timedelta(days=20), history=32) == ()
