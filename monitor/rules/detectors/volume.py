"""Fewer rows than normal for that day of the week, for several periods in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from modeltop.core.series import Flags, Floats, Series, Severity
from modeltop.core.stats.robust import past_median, sorted_medians
from modeltop.core.stats.rolling import rows_of
from modeltop.core.text import format_exact
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import Detector, QueryContext, Scan
from modeltop.rules.detectors.pointwise import by_length, weekday_medians

HALF, HALF_PERIODS = 0.5, 5
"""Fewer than this fraction of the normal rows are a breach, for so many periods in a row."""
TENTH, TENTH_PERIODS = 0.1, 2
WEEKS, MIN_WEEKS = 8, 3
"""Earlier periods of the same weekday whose median is normal, at most and at least."""
PERIODS, MIN_PERIODS = 60, 10
"""The same where periods are not days."""
MIN_SEGMENT_ROWS = 30
"""Normal rows of a segment from which fewer are no chance."""
MAX_SHARE = 0.6
"""Ratio to its usual share of all rows up to which a segment fell by itself, not with the model."""
MIN_Z = 4.0
"""Standard errors of its rows by which it lies below its usual share: all segments share the noise of few rows."""
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class VolumeDrop(Detector):
    """Breached by at most half of the rows that are normal on that weekday for 5 periods, or a tenth for 2."""

    critical: None = None

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one."""
        return MIN_PERIODS

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if no point breaches."""
        scans: list[Scan | None] = [None] * len(series_batch)
        pools = [
            series if (own := series.evaluable(context.min_count)).all() else series[own] for series in series_batch
        ]
        for indices, values in by_length(pools):
            low = _low_runs(values, np.maximum.accumulate(values, axis=1))
            normal = _normal_rows([pools[index] for index in indices], values, low)
            for row in np.flatnonzero(_low_runs(values, normal).any(axis=1)).tolist():
                series = series_batch[indices[row]]
                scan = self._scan(series, values[row], normal[row], context.min_count)
                scans[indices[row]] = scan if series.key.segment == "all" else _by_itself(series, scan, context)
        return scans

    def _scan(self, series: Series, values: Floats, normal: Floats, min_count: float) -> Scan:
        halved, lost = _run_lengths(values <= HALF * normal), _run_lengths(values <= TENTH * normal)
        points, places = np.flatnonzero(series.evaluable(min_count)), np.arange(len(values))
        # No rows are no fewer than none.
        is_confirmed = ((halved >= HALF_PERIODS) | (lost >= TENTH_PERIODS)) & (normal > 0)
        latest = np.maximum.accumulate(np.where(is_confirmed, places, -1))
        is_breach = latest > places - halved  # until half of the rows are there again, however it began
        levels, baseline = np.zeros(len(series), dtype=np.int8), np.full(len(series), np.nan)
        start = np.arange(len(series))
        levels[points], baseline[points] = np.int8(Severity.WARNING) * is_breach, normal
        start[points] = points[places - np.maximum(halved, 1) + 1]
        excess = 1 - series.values / np.where(baseline == 0, 1, baseline)
        return Scan(levels=levels, excess=excess, baseline=baseline, start=start)

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "as many rows as usual"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition in words."""
        half, tenth = (f"{format_exact(100 * fraction)} %" for fraction in (HALF, TENTH))
        return (
            f"{name} at most {half} of the weekday's median for {HALF_PERIODS} periods in a row, or at most {tenth} "
            f"for {TENTH_PERIODS}, warns"
        )


def _by_itself(series: Series, scan: Scan, context: QueryContext) -> Scan | None:
    """Return the scan of a segment without the points at which it lost no more than all rows, the rule's baseline."""
    stats = context.baseline.stats(series, other_series=context.other_series)
    share = series.values / np.maximum(stats.mean, 1.0)
    expected = stats.mean * past_median(share, PERIODS, MIN_PERIODS)
    fell = series.values <= np.minimum(MAX_SHARE * expected, expected - MIN_Z * np.sqrt(expected))
    levels = np.where(fell & (scan.baseline >= MIN_SEGMENT_ROWS), scan.levels, np.int8(Severity.OK))
    return replace(scan, levels=levels) if levels.any() else None


def _low_runs(values: Floats, reference: Floats) -> Flags:
    """Return which values of series, one a row, lie low in a run of enough, or after one in the same run of halves."""
    flags, places = np.zeros(values.shape, dtype=np.bool_), np.arange(values.shape[1])
    for fraction, periods in ((HALF, HALF_PERIODS), (TENTH, TENTH_PERIODS)):
        is_low = (values <= fraction * reference) & (reference > 0)
        count = max(values.shape[1] - periods + 1, 0)
        starts = np.logical_and.reduce([is_low[:, lag : lag + count] for lag in range(periods)])
        for lag in range(periods):
            flags[:, lag : lag + count] |= starts
    latest, latest_full = (
        np.maximum.accumulate(np.where(which, places, -1), axis=1) for which in (flags, ~(values <= HALF * reference))
    )
    return np.asarray(latest > latest_full)


def _run_lengths(flags: Flags) -> Places:
    """Return, per point, the number of true points in a row up to it."""
    places = np.arange(1, len(flags) + 1)
    return np.asarray(places - np.maximum.accumulate(np.where(flags, 0, places)))


def _normal_rows(pools: Sequence[Series], values: Floats, needed: Flags) -> Floats:
    """Return, per series and needed point, the median of those before it on the same weekday, else NaN.

    Args:
        pools: Series of equal length at their evaluated points.
        values: Theirs, a row each.
        needed: The points, in the same shape; where the periods of a series are not days, all of its points are.
    """
    are_daily = (np.diff(rows_of([pool.times for pool in pools]), axis=1) == DAY).all(axis=1)
    rows, places = np.nonzero(needed & are_daily[:, None])
    padded = np.concatenate([np.full((len(values), 7 * WEEKS), np.nan), values], axis=1)
    windows = np.sort(padded[rows[:, None], places[:, None] + 7 * np.arange(WEEKS)], axis=1)
    normal = np.full(values.shape, np.nan)
    normal[rows, places] = sorted_medians(windows, np.minimum(places // 7, WEEKS), MIN_WEEKS)
    for row in np.flatnonzero(needed.any(axis=1) & ~are_daily).tolist():
        normal[row] = _irregular_normal(pools[row])
    return normal


def _irregular_normal(pool: Series) -> Floats:
    """Return the median of the points before each: on the same weekday where periods are days, else of all."""
    is_daily = np.concatenate([[False], past_median(np.diff(pool.times) / DAY, PERIODS, 1) == 1.0])
    by_weekday = weekday_medians(pool, WEEKS, MIN_WEEKS)
    return np.where(is_daily, by_weekday, past_median(pool.values, PERIODS, MIN_PERIODS))
