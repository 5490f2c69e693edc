"""Slow falls: values that get worse for weeks, too slowly for those just before to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.clipped_moments import Indices
from modeltop.core.stats.cusum import Sequences
from modeltop.core.stats.robust import median
from modeltop.core.stats.trend_tests import significant_trends, theil_sen_lines

WEEK = 7
WINDOWS = (28, 42, 63, 98, 147, 224)
"""Numbers of values in which a slide is looked for: whole weeks, each half as long again as the one before."""
P_SLIDE = 1e-4
"""The largest two-sided p-value of a slide."""
SCREENED = 0.7
"""Fraction of the smallest fall that the quick search asks for: a line falls by three quarters of its length from the
mean of its first quarter to that of its last."""


class Slide(NamedTuple):
    """A significant and large fall along the line through the values up to one."""

    end: int
    length: int
    """Number of values on the line."""
    level: float
    """The line at its first value."""
    smallest: float
    """The smallest fall that matters from there."""


def slides(sequences: Sequences, explained: Flags, smallest: Callable[[Floats], Floats]) -> Iterator[tuple[int, Slide]]:
    """Yield the slides that end at each value, with the number of the sequence, window by window.

    Whether values fall is the seasonal test of Mann and Kendall (Hirsch, Slack and Smith 1982), whatever the season
    of a week, its variance enlarged for autocorrelation (Yue and Wang 2004); how far is the line of Theil and Sen. The
    last week must lie low as well.

    Args:
        sequences: Values of which falls are bad; noise and trust are ignored.
        explained: By value, whether no slide is looked for that ends there.
        smallest: Returns the smallest falls that matter, from levels; no smaller from those further from 0.
    """
    numbers = _moving(sequences, smallest)
    if not len(numbers):
        return
    lengths = sequences.lengths[numbers]
    is_moving = np.repeat(np.isin(np.arange(len(sequences.lengths)), numbers), sequences.lengths)
    values, is_open = sequences.values[is_moving], ~explained[is_moving]
    index = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    number = np.repeat(numbers, lengths)
    for length, screened in _screened(values, smallest):
        ends = screened[is_open[screened] & (index[screened] >= length - 1)]
        windows = values[ends[:, None] + np.arange(1 - length, 1)]
        times = np.broadcast_to(np.arange(float(length)), windows.shape)
        rows = significant_trends(times, windows, P_SLIDE, season=WEEK)
        if not len(rows):
            continue
        start, end = theil_sen_lines(times[rows], windows[rows], WEEK)
        least = smallest(start)
        is_low = start - median(windows[rows, -WEEK:]) >= SCREENED * least
        for row in np.flatnonzero((start - end >= least) & is_low).tolist():
            place = ends[rows[row]]
            yield int(number[place]), Slide(int(index[place]), length, float(start[row]), float(least[row]))


def _moving(sequences: Sequences, smallest: Callable[[Floats], Floats]) -> Indices:
    long = np.flatnonzero(sequences.lengths >= WINDOWS[0])
    firsts = (np.cumsum(sequences.lengths) - sequences.lengths)[long]
    bounds = np.stack([firsts, firsts + sequences.lengths[long] - WEEK + 1], axis=1).ravel()
    if not len(long):
        return long
    sums = np.append(_week_sums(sequences.values), 0.0)
    lowest, highest = np.minimum.reduceat(sums, bounds)[::2], np.maximum.reduceat(sums, bounds)[::2]
    nearest = np.where(lowest * highest > 0, np.minimum(np.abs(lowest), np.abs(highest)), 0.0)
    return np.asarray(long[highest - lowest >= SCREENED * WEEK * smallest(nearest / WEEK)])


def _week_sums(values: Floats) -> Floats:
    pairs = values[1:] + values[:-1]
    return np.asarray(pairs[:-5] + pairs[2:-3] + pairs[4:-1] + values[6:])


def _screened(values: Floats, smallest: Callable[[Floats], Floats]) -> Iterator[tuple[int, Indices]]:
    """Yield each length with the ends of the windows whose last quarter lies far below the first, in whole weeks."""
    size = WEEK
    quarter = sums = _week_sums(values)
    for length in WINDOWS:
        while size < length // 4 // WEEK * WEEK:
            quarter = quarter[: len(sums) - size] + sums[size:]
            size += WEEK
        if len(values) < length:
            return
        first = quarter[: len(values) - length + 1]
        fall = first - quarter[length - size :]
        is_far = fall >= SCREENED * size * smallest(first / size)
        ends = np.flatnonzero(is_far) + length - 1
        if len(ends):
            yield length, ends
