"""Bases of the detectors that grade each point by itself, whatever level is active."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from modeltop.core.series import Breach, Direction, Flags, Floats, Levels, Series, Severity
from modeltop.core.stats.robust import MAX_MAGNITUDE, past_median
from modeltop.core.stats.rolling import row_chunks, rows_of
from modeltop.rules.baselines.base import BaselineStats
from modeltop.rules.detectors.base import QueryContext, Scan, SingleSeriesDetector, configured_pairs

ROUNDING = 1e-9
"""Relative tolerance of a limit: a size that exceeds it by no more is on it, so that 0.90 - 0.85 is no more than 0.05;
thirty periods around 100 000 times the limit still lie within it."""


def adverse_difference(differences: Floats, better: Direction, *, outside: bool = False) -> Floats:
    """Return how far differences (value less baseline) lie on the bad side; NaN if the metric has no bad side.

    Args:
        differences: Any numbers; NaN stays.
        better: The direction of the metric.
        outside: Whether both sides are bad.
    """
    if outside:
        return np.abs(differences)
    if better is Direction.NEITHER:
        return np.full(len(differences), np.nan)
    return -differences if better is Direction.HIGHER else differences + 0.0


def grade_levels(sizes: Floats, warn: float | None, critical: float | None) -> Levels:
    """Return the severity of each size; exactly on a limit is fine (see `ROUNDING`), and NaN exceeds nothing.

    Args:
        sizes: How far each point lies on the bad side, in any unit.
        warn: Size beyond which it is a warning; None: never.
        critical: Size beyond which it is critical.
    """
    levels = np.zeros(len(sizes), dtype=np.int8)
    for severity, limit in reversed(configured_pairs(warn, critical)):
        levels[sizes > limit * (1 + ROUNDING)] = severity
    return levels


def validate_levels(warn: float | None, critical: float | None, message: str, *, minimum: float = 0.0) -> None:
    """Raise ValueError unless a level is configured, all are finite and large enough, and warn is not above critical.

    Args:
        warn: Setting of the warning.
        critical: Setting of the critical level.
        message: The problem and the remedy, used if none is given or one has no sense.
        minimum: The smallest setting that makes sense.
    """
    settings = [setting for _, setting in configured_pairs(warn, critical)]
    if not settings or not all(math.isfinite(setting) and setting >= minimum for setting in settings):
        raise ValueError(message)
    if len(settings) == 2 and settings[0] < settings[1]:
        raise ValueError("warn lies above critical, so it would never fire: warn at the lower number")


def edge_breach(past: Series, scan: Scan, level: Severity, deviations: float) -> Breach:
    """Return the breach of the last point of a series, whose limit is the edge of the normal range.

    Args:
        past: The series up to the point.
        scan: Its scan, in deviations.
        level: Severity of the point.
        deviations: Where the edge lies.
    """
    value, size = past.latest, float(scan.excess[-1])
    baseline, scale = float(scan.baseline[-1]), float(scan.scale[-1])
    side = "below" if value < baseline else "above"
    message = f"{past.format(value)} {size:.1f} deviations {side} baseline {past.format(baseline)}"
    return Breach(level, value, baseline + math.copysign(deviations * scale, value - baseline), message)


def by_length(all_series: Sequence[Series]) -> Iterator[tuple[list[int], Floats]]:
    """Yield the indices of some series of equal length, with the values of each as a row: a chunk at a time."""
    groups: dict[int, list[int]] = {}
    for index, series in enumerate(all_series):
        groups.setdefault(len(series), []).append(index)
    for length, indices in groups.items():
        for rows in row_chunks(len(indices), length):
            yield indices[rows], rows_of([all_series[index].values for index in indices[rows]])


def weekday_medians(pool: Series, most: int, least: int) -> Floats:
    """Return, per point, the median of those before it on the same weekday, in UTC; NaN if there are too few."""
    weekdays = pool.times.astype("datetime64[D]").astype(np.int64) % 7
    medians = np.full(len(pool), np.nan)
    for weekday in range(7):
        mask = weekdays == weekday
        medians[mask] = past_median(pool.values[mask], most, least)
    return medians


class PointwiseDetector(SingleSeriesDetector):
    """Base of the detectors that compare each point with the baseline of the rule."""

    __slots__ = ()
    uses_baseline: ClassVar[bool] = True

    def _scan_one(self, series: Series, context: QueryContext) -> Scan | None:
        stats = context.baseline.stats(series, min_count=context.min_count, other_series=context.other_series)
        with np.errstate(invalid="ignore", divide="ignore"):
            scan = self.grade(series, stats)
        return scan if scan.levels.any() else None

    @abstractmethod
    def grade(self, series: Series, stats: BaselineStats) -> Scan:
        """Return the scan of a series against the baseline of each point."""

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "no worse than its reference"


class SelfBaselined(SingleSeriesDetector):
    """Base of the detectors that have a baseline of their own: the evaluable points before each."""

    __slots__ = ()
    is_sequential: ClassVar[bool] = True
    scan_type: ClassVar[type[Scan]] = Scan
    warn: float | None
    critical: float | None
    outside: bool

    def _scan_one(self, series: Series, context: QueryContext) -> Scan | None:
        evaluable = series.evaluable(context.min_count) & (np.abs(series.values) < MAX_MAGNITUDE)
        signed, own = self.deviations(series[evaluable])
        size = adverse_difference(signed, series.better, outside=self.outside)
        levels = grade_levels(size, self.warn, self.critical)
        if not levels.any():
            return None
        columns = {"levels": levels, "excess": size} | own
        return self.scan_type(**{name: spread_over(evaluable, column) for name, column in columns.items()})

    @abstractmethod
    def deviations(self, pool: Series) -> tuple[Floats, dict[str, Any]]:
        """Return how far each point of an evaluable series is up (below 0: down), and columns of `scan_type`."""


def spread_over(mask: Flags, column: Any) -> Any:
    """Return an array as long as `mask` with `column` at its true elements; elsewhere NaN, or 0 for levels."""
    spread = np.zeros(len(mask), column.dtype) if column.dtype.kind == "i" else np.full(len(mask), np.nan)
    spread[mask] = column
    return spread
