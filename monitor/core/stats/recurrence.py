"""Effects of the calendar that no one configured: a value is off, as it was on the same days before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from modeltop.core.series import Series, Times
from modeltop.core.stats.robust import running_median

EPOCH, DAY, WEEK = date(1970, 1, 1), timedelta(days=1), timedelta(days=7)
MAX_DAYS = 7
"""Days for which an effect may last: the level around it is the median of as many days on either side."""
MIN_REPEATED = 0.6
"""Ratio to an effect from which another one is the same."""
MAX_CHANCE = 0.003
"""Chance that any days would have had the same effect, up to which it is none: a dozen distances are looked at."""


def same_effect_before(series: Series, times: Times, effect: float) -> tuple[date, ...]:
    """Return the first days of earlier times of the same effect, oldest first; none if they may be chance.

    They are the same weekday, day of the month from its start or its end, or day of the year before.

    Args:
        series: Daily values, each evaluable.
        times: The days that have the effect, consecutive or nearly so.
        effect: By how much these are off, with its sign.
    """
    all_days, days = (each.astype("datetime64[D]").astype(np.int64) for each in (series.times, times))
    span, first = int(days[-1] - days[0]) + 1, EPOCH + int(days[0]) * DAY
    if span > MAX_DAYS or len(series) <= 2 * MAX_DAYS:
        return ()
    is_before = all_days < days[0]
    changes = np.sign(effect) * (series.values - running_median(series.values, MAX_DAYS))
    alike = set(all_days[is_before & (changes >= MIN_REPEATED * abs(effect))].tolist())
    for starts in _same_days_before(first):
        shifts = [(first - start).days for start in starts]
        same = {day - shift for shift in shifts for day in days.tolist()}
        others = int(is_before.sum()) - len(same)
        if min(shifts) < span or not same <= alike or others <= 0:
            continue
        elsewhere = sum(not {day - 1, day + 1} & same for day in alike - same)
        if ((elsewhere + 1) / (others + 1)) ** len(shifts) <= MAX_CHANCE:
            return starts[::-1]
    return ()


def _same_days_before(day: date) -> Iterator[tuple[date, ...]]:
    """Yield the sets of days on which the same must have come, the latest first."""
    yield tuple(day - number * WEEK for number in (1, 2, 3))
    for weeks in (2, 3, 4):
        yield day - weeks * WEEK, day - 2 * weeks * WEEK
    last = [day.replace(day=1) - DAY]  # of the month before
    last.append(last[0].replace(day=1) - DAY)
    if day.day <= min(end.day for end in last):
        yield tuple(end.replace(day=day.day) for end in last)
    to_end = (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY - day
    yield tuple(end - to_end for end in last)
    yield (day - 52 * WEEK,)
    if (day.month, day.day) != (2, 29):
        yield (day.replace(year=day.year - 1),)
