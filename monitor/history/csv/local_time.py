"""Local times that come twice, when clocks are set back: the order of a file's rows tells the two apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Times, to_datetime

_STEP = timedelta(minutes=15)
"""Clocks have been set at whole quarters of an hour of UTC since 1972."""


def may_come_twice(times: Times, zone: tzinfo) -> Flags:
    """Return which moments lie in an hour of `zone` after which clocks are set back, and show the same times again."""
    if zone is UTC or isinstance(zone, timezone) or not len(times):
        return np.zeros(len(times), np.bool_)
    first, last = (to_datetime(moment).year for moment in (times.min(), times.max()))
    bounds = [bound for year in range(first, last + 1) for bound in _spans_before_set_back(zone, year)]
    return np.asarray(np.searchsorted(np.array(bounds, dtype=times.dtype), times, "right") % 2 == 1)


@lru_cache(maxsize=1_000)
def _spans_before_set_back(zone: tzinfo, year: int) -> tuple[datetime, ...]:
    """Return start and end, in naive UTC, of each span of a year that is followed by one with the same local times."""
    spans: list[datetime] = []
    day, offset = datetime(year, 1, 1, tzinfo=UTC), _offset(datetime(year, 1, 1, tzinfo=UTC), zone)
    while day.year == year:
        following = day + timedelta(days=1)
        if (changed := _offset(following, zone)) < offset:
            end = next(moment for number in range(1, 97) if _offset(moment := day + number * _STEP, zone) == changed)
            spans += [bound.replace(tzinfo=None) for bound in (end - (offset - changed), end)]
        day, offset = following, changed
    return tuple(spans)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def second_occurrences(times: Times, twice: Flags) -> NDArray[np.intp]:
    """Return the rows of a series whose local time is the second of two equal ones.

    The first occurrence of an hour ends where its rows go back in time, or forward if the newest rows come first.
    Where they do so more than once, or where rows repeat dates elsewhere too, nothing is certain, and none is returned.

    Args:
        times: In the order of the file, each as the first occurrence of its local time.
        twice: Which local times come twice.
    """
    others = times[~twice]
    if 10 * np.count_nonzero(others[1:] == others[:-1]) > len(others):
        return np.array([], np.intp)
    rows = np.flatnonzero(twice)
    is_newest_first = times[0] > times[-1]
    seconds = []
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        steps = np.diff(times[run]).astype(np.int64) * (-1 if is_newest_first else 1)
        turns = np.flatnonzero(steps <= 0) + 1
        if len(turns) == 1:
            turn = int(turns[0])
            seconds.append(run[:turn] if is_newest_first else run[turn:])
    return np.concatenate(seconds) if seconds else np.array([], np.intp)
