"""A metric that keeps getting worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from modeltop.core.series import Breach, Direction, Flags, Floats, Series, Severity
from modeltop.core.stats.distributions import norm_isf
from modeltop.core.stats.rolling import row_chunks
from modeltop.core.stats.trend_tests import cochran_armitage, mann_kendall_p_values, mann_kendall_z, theil_sen_lines
from modeltop.core.text import format_exact, pluralize
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import Scan, describe_levels, detector
from modeltop.rules.detectors.pointwise import (
    SelfBaselined,
    adverse_difference,
    grade_levels,
    validate_levels,
)

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrendScan(Scan):
    """The grade of each point, beside the trend line at the first of the periods that end with it."""

    change: Floats
    """Rise of the line from there to the last of the periods, below 0: fall; NaN if it may be chance."""


@detector("trend")
@dataclass(frozen=True, slots=True)
class Trend(SelfBaselined):
    """Breached while the newest periods go on getting worse, more significantly and by more than is configured.

    How far they went is how far the line of Theil 1950 and Sen 1968 went from the first of them to the last, on the
    true times; one outlier does not move it. Whether they went at all is the test of Mann 1945 and Kendall 1975, its
    variance enlarged for autocorrelation (Yue and Wang 2004, see `core.stats.trend_tests`). Shares of known support
    must also go further than the chance of so few cases makes them: the test of Cochran 1954 and Armitage 1955. A
    step among the periods is a trend too; a weekly season makes it less significant, never more.

    With the defaults, independent healthy periods raise about 0.02 alerts in 365, those of an AR(1) of 0.6 about 0.2.

    Raises:
        ValueError: A parameter has no sense.
    """

    warn: float | None = 0.0
    """How far it may go over the periods, in the metric's unit, before it warns."""
    critical: float | None = None
    periods: int = 30
    """The newest periods, the evaluated one among them, through which the line is fitted."""
    p: float = 0.0001
    """The largest p-value, in the bad direction, at which a trend breaches."""
    stay: float = 0.01
    """The largest p-value at which it stays active, if more than `p`: a slow decline is significant now and then."""
    outside: bool = False
    """Whether a trend for the better breaches too."""
    scan_type: ClassVar[type[Scan]] = TrendScan

    def __post_init__(self) -> None:
        message = "give `warn`, `critical` or both: distances in the metric's unit, such as warn = 0.02"
        validate_levels(self.warn, self.critical, message)
        for name, p in (("p", self.p), ("stay", self.stay)):
            if not 0 < p < 0.5:
                raise ValueError(f"{name} = {format_exact(p)}: give a chance between 0 and 0.5, such as 0.001")
        if self.periods < 8:
            raise ValueError(f"periods = {self.periods} are too few to tell a trend from chance: give 8 or more")

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one."""
        return self.periods - 1

    def deviations(self, pool: Series) -> tuple[Floats, dict[str, Any]]:
        """Return the change of each point's line if it is significant, else NaN; an active level stays so by `stay`."""
        change, start, p_values = np.full((3, len(pool)), np.nan)
        if len(pool) >= self.periods and (self.outside or pool.better is not Direction.NEITHER):
            z_scores, largest = mann_kendall_z(pool.values, self.periods), max(self.p, self.stay)
            self._fill_p_values(pool, z_scores, self._candidates(pool, z_scores, self.p), p_values)
            first = np.flatnonzero(p_values <= self._two_sided(self.p))[:1]
            p_values[: first[0] if len(first) else None] = np.nan  # before the first breach no level can stay active
            if len(first):
                more = self._candidates(pool, z_scores, largest)
                self._fill_p_values(pool, z_scores, more[(more > first[0]) & np.isnan(p_values[more])], p_values)
            active = np.flatnonzero(p_values <= self._two_sided(largest))
            for chunk in row_chunks(len(active), self.periods**2):
                own = active[chunk]
                start[own], end = theil_sen_lines(*self._windows(pool, own))
                change[own] = end - start[own]
        adverse = adverse_difference(change, pool.better, outside=self.outside)
        columns = {"excess": adverse, "continued": grade_levels(adverse, self.warn, self.critical)}
        significant = np.where(p_values <= self._two_sided(self.p), change, np.nan)
        return significant, columns | {"baseline": start, "change": change}

    def _windows(self, pool: Series, ends: Places) -> tuple[Floats, Floats]:
        """Return days and values of the windows that end at some indices, shape (windows, periods)."""
        rows = ends[:, None] + np.arange(1 - self.periods, 1)
        return (pool.times[rows] - pool.times[0]) / DAY, pool.values[rows]

    def _fill_p_values(self, pool: Series, z_scores: Floats, ends: Places, p_values: Floats) -> None:
        for chunk in row_chunks(len(ends), self.periods):
            own = ends[chunk]
            p_values[own] = mann_kendall_p_values(z_scores[own + 1 - self.periods], *self._windows(pool, own))

    def _two_sided(self, p: float) -> float:
        """Return the two-sided p-value that `p`, in the directions that are bad, amounts to."""
        return p if self.outside else 2 * p

    def _candidates(self, pool: Series, z_scores: Floats, p: float) -> Places:
        """Return the indices of points that would breach if there were no autocorrelation: few of many."""
        significant = self._is_significant(z_scores, pool, p)
        if pool.proportion and pool.support is not None:
            windows = [sliding_window_view(column, self.periods) for column in (pool.values, pool.support)]
            for rows in row_chunks(len(significant), self.periods):
                z_scores = cochran_armitage(*(window[rows] for window in windows))
                significant[rows] &= self._is_significant(z_scores, pool, p)
        return np.flatnonzero(significant) + self.periods - 1

    def _is_significant(self, z: Floats, pool: Series, p: float) -> Flags:
        """Return whether each window gets significantly worse; NaN, for an unknown support, passes."""
        threshold = norm_isf(self._two_sided(p) / 2)
        return np.isnan(z) | (adverse_difference(z, pool.better, outside=self.outside) > threshold)

    def breach(self, past: Series, scan: TrendScan, level: Severity) -> Breach:
        """Return the breach, with the change of the line; its limit is the start of the line."""
        value, change = past.latest, float(scan.change[-1])
        distance = f"{'down' if change < 0 else 'up'} by {past.format(abs(change))}"
        message = f"{past.format(value)} {distance} in {pluralize(self.periods, 'period')}"
        return Breach(level, value, float(scan.baseline[-1]), message)

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "no trend" if self.outside else "no decline"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall declining in 30 periods by more than ...`."""
        what = "rising or falling" if self.outside else "declining"
        levels = describe_levels(
            self.warn, self.critical, lambda size: f"by more than {show(size)}" if size else "however far"
        )
        return (
            f"{name} {what} in {pluralize(self.periods, 'period')} {levels} (significance level {format_exact(self.p)})"
        )
