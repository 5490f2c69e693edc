"""A model that grows more or less sure of itself: a sustained shift, or a trend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modeltop.core.series import Flags, Floats, Series, Severity
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.core.stats.rolling import prefix_sums
from modeltop.core.stats.trend_tests import significant_trends, theil_sen_lines
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import QueryContext, Scan
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.pointwise import by_length

PERIODS, MIN_PERIODS = 28, 8
"""The newest periods in which a trend is looked for, at most and at least."""
P_FIRES, P_RESOLVES = 0.0005, 0.05
"""The p-value of a trend up to which it fires, and above which it is over."""
MIN_CHANGE = 0.02
"""Change of a share along a trend that is worth a word."""
DAY = np.timedelta64(1, "D")


class TrendWindow(NamedTuple):
    """A significant trend over the newest evaluated periods before and at a point."""

    end: int
    """Index of its last evaluated point."""
    start: int
    """Index of the first point of the change."""
    before: float
    """Value before the change."""


@dataclass(frozen=True, slots=True)
class ConfidenceShift(LastingShift):
    """Breached by a sustained shift to either side, and by a trend over the last 28 periods.

    The shift is that of `LastingShift`. The trend is the test of Mann and Kendall at `p`, from 28 periods on
    with allowance for autocorrelation, and a change of at least `least_change`; it is over at p > 0.05.
    """

    outside: bool = True
    least_change: float = MIN_CHANGE
    """The smallest change along a trend that fires, in the metric's unit."""
    p: float = P_FIRES
    """The largest p-value of a trend that fires."""

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one: those of the shortest trend."""
        return MIN_PERIODS - 1

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if it never breaches."""
        shifts = LastingShift.prepare(self, series_batch, context)
        masks = [
            series.evaluable(context.min_count) & (np.abs(series.values) < MAX_MAGNITUDE) for series in series_batch
        ]
        pools = [series if own.all() else series[own] for series, own in zip(series_batch, masks, strict=True)]
        moving: set[int] = set()
        for indices, values in by_length(pools):
            moving |= {indices[row] for row in np.flatnonzero(_may_trend(values, self.least_change)).tolist()}
        return [
            self._merged(series_batch[index], pool, np.flatnonzero(masks[index]), shift)
            if shift is not None or index in moving
            else None
            for index, (pool, shift) in enumerate(zip(pools, shifts, strict=True))
        ]

    def _merged(self, series: Series, pool: Series, points: Places, shift: Scan | None) -> Scan | None:
        """Return the scan of shifts and trends; an active trend goes on until it is no longer significant."""
        trends = list(recent_trends(pool, np.arange(MIN_PERIODS - 1, len(pool)), self.p, min_change=self.least_change))
        if shift is None and not trends:
            return None
        levels, continued = np.zeros((2, len(series)), dtype=np.int8)
        start, baseline = np.arange(len(series)), np.zeros(len(series))
        levels[points[[trend.end for trend in trends]]] = Severity.WARNING
        for trend in self._followed(pool, trends):
            row = points[trend.end]
            continued[row], start[row], baseline[row] = Severity.WARNING, points[trend.start], trend.before
        if shift is not None:
            levels, in_run = np.maximum(levels, shift.levels), shift.excess > 0
            start[in_run], baseline[in_run] = shift.start[in_run], shift.baseline[in_run]
        excess = np.abs(series.values - baseline)
        return Scan(levels=levels, excess=excess, continued=continued, baseline=baseline, start=start)

    def _followed(self, pool: Series, trends: Sequence[TrendWindow]) -> Iterator[TrendWindow]:
        """Yield the trends that fire and those that keep them active: as long as one goes on, with its start."""
        if not trends:
            return
        firing = {trend.end: trend for trend in trends}
        later = np.arange(trends[0].end + 1, len(pool))
        # Without allowance for autocorrelation, of which a steady decline seems full.
        goes_on = {trend.end for trend in recent_trends(pool, later, P_RESOLVES, corrected=False)}
        current: TrendWindow | None = None
        for end in range(trends[0].end, len(pool)):
            if end not in firing and end not in goes_on:
                current = None
            elif current is None:
                current = firing.get(end)
            if current is not None:
                yield current._replace(end=end)

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "no sustained shift and no trend"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition in words."""
        return (
            f"{name}: a sustained shift from its {self.periods}-period baseline, or a trend by at least "
            f"{show(self.least_change)} in {PERIODS} periods, warns"
        )


def recent_trends(
    pool: Series, ends: Places, p: float, *, min_change: float = 0.0, corrected: bool = True
) -> Iterator[TrendWindow]:
    """Yield the significant trends among the windows that end at some points, in order of time.

    Args:
        pool: The series at its evaluated points.
        ends: Indices of the last points, in order; those with too few before them are left out.
        p: The largest p-value.
        min_change: The smallest change along the trend line.
        corrected: Whether windows of full length allow for autocorrelation.
    """
    shortest = MIN_PERIODS if np.ptp(pool.values[: PERIODS - 1] if len(pool) else [0.0]) >= min_change else PERIODS
    for length in range(shortest, PERIODS + 1):
        own = ends[ends == length - 1] if length < PERIODS else ends[ends >= PERIODS - 1]
        own = own[_may_change(pool.values, own, length, min_change)]
        windows = own[:, None] + np.arange(1 - length, 1)
        if not len(own):
            continue
        times = (pool.times[windows] - pool.times[0]) / DAY
        rows = significant_trends(times, pool.values[windows], p, corrected=corrected and length == PERIODS)
        before, after = theil_sen_lines(times[rows], pool.values[windows[rows]])
        for row, first, last in zip(rows.tolist(), before.tolist(), after.tolist(), strict=True):
            if abs(last - first) >= min_change:
                window = pool.values[windows[row]]
                turn = fit_turn(window)
                # The mean of what was observed: the fitted constant is a value that no row has. One value is no mean.
                level = float(window[: turn.start].mean()) if turn.start > 1 else turn.before
                yield TrendWindow(int(own[row]), int(windows[row][turn.start]), level)


def _may_trend(values: Floats, min_change: float) -> Flags:
    """Return which series of equal length, one a row, may have a trend: see `_may_change`."""
    third = PERIODS // 3
    sums = prefix_sums(values)
    thirds = sums[:, third:] - sums[:, :-third]
    changes = np.abs(thirds[:, PERIODS - third :] - thirds[:, : third - PERIODS])
    is_wide = np.ptp(values[:, : PERIODS - 1], axis=1) >= min_change if values.shape[1] else np.False_
    return np.asarray((changes >= third * min_change / 2).any(axis=1) | is_wide)


def _may_change(values: Floats, ends: Places, length: int, min_change: float) -> Flags:
    """Return which windows may change by so much: the means of their first and last third do by half of it."""
    third = length // 3
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = sums[ends + 1] - sums[ends + 1 - third]
    first = sums[ends + 1 - length + third] - sums[ends + 1 - length]
    return np.asarray(np.abs(last - first) >= third * min_change / 2)


class Turn(NamedTuple):
    """A constant that turns into a line."""

    start: int
    """Index of the first value on the line."""
    before: float
    """The constant."""
    after: float
    """The line at the last value."""


def fit_turn(values: Floats) -> Turn:
    """Fit a constant that turns into a line by least squares, over all places of the turn (Hudson 1966, JASA 61)."""
    places = np.arange(len(values))
    ramps = np.maximum(places[None, :] - places[: len(values) - 2, None], 0.0)
    centered = ramps - ramps.mean(axis=1, keepdims=True)
    covariance, variance = centered @ values, (centered**2).sum(axis=1)
    turn = int(np.argmax(covariance**2 / variance))
    slope = float(covariance[turn] / variance[turn])
    before = float(values.mean() - slope * ramps[turn].mean())
    return Turn(turn + 1, before, before + slope * float(ramps[turn, -1]))
