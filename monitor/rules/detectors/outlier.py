"""A single period far from the normal values for that time of the week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from modeltop.core.series import Breach, Flags, Floats, Series, Severity
from modeltop.core.stats.cusum import MIN_RELATIVE_STD
from modeltop.core.stats.robust import past_median, rolling_mad
from modeltop.core.stats.rolling import rolling_moments
from modeltop.core.text import format_exact
from modeltop.rules.detectors.base import Scan, configured_pairs, describe_levels, detector
from modeltop.rules.detectors.pointwise import SelfBaselined, edge_breach, spread_over, validate_levels, weekday_medians

MAX_WEEKS, MIN_WEEKS = 8, 4
"""Earlier periods of the same weekday that determine its level, at most and at least."""
WEEKLY_DISTANCE_RATIO = 0.8
"""There is a weekly season if values lay nearer to their weekday's level than to that of all, by this ratio of the
mean distances. Without a season the ratio is about 1.08, as eight values determine a level less well than sixty."""
DAY = np.timedelta64(1, "D")
MIN_SCALE = 1e-150
"""Deviation of a series that is 0 and never varied: large enough that no value divided by it overflows."""
MAD_EFFICIENCY = 0.37
"""Efficiency of a median absolute deviation relative to the standard deviation of a normal sample (Rousseeuw and Croux
1993)."""


@detector("spike")
@dataclass(frozen=True, slots=True)
class Outlier(SelfBaselined):
    """Breached by a period that lies further on the bad side of its season than so many robust deviations.

    The level is the median of the periods before, and a deviation is the median absolute deviation × 1.4826 of the
    distances of earlier ones from their levels (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers): a bad
    period of the past widens nothing, and a steady trend has no outliers. If days have been nearer to the level of
    their weekday, that is their level: the best predictor so far is used (Dawid 1984, Prequential approach, JRSS A
    147). With fewer than four of its weekday a day is measured from the furthest of all days before. A deviation that
    was estimated from few periods counts for less; one on fewer cases than usual is wider, and one of a share never
    narrower than chance makes it.

    With the defaults, independent normal periods raise about 0.01 alerts in 365. Each period is graded alone: what
    stays bad breaches until it is half of the baseline.

    Raises:
        ValueError: A parameter has no sense.
    """

    warn: float | None = 4.5
    """Deviations beyond which it warns."""
    critical: float | None = None
    periods: int = 60
    """Maximum number of earlier periods that determine the normal range."""
    least: int = 10
    """Minimum number of periods that determine a level, and of those with a known distance from theirs."""
    outside: bool = False
    """Whether a value on the good side breaches too."""

    def __post_init__(self) -> None:
        message = "give `warn`, `critical` or both: numbers of deviations above 0.1, such as warn = 4.5"
        validate_levels(self.warn, self.critical, message, minimum=0.1)
        if self.least < 4 or self.periods < self.least:
            raise ValueError("periods and least are numbers of periods: least from 4 up to periods")

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one."""
        return 2 * self.least

    def deviations(self, pool: Series) -> tuple[Floats, dict[str, Any]]:
        """Return the robust z-score of each point; its level, and one deviation in the metric's unit."""
        overall = self._residual_scale(pool.values, past_median(pool.values, self.periods, self.least))
        expected, scale, daily = overall.expected, overall.scale, _is_daily(pool, self.periods)
        if daily.any():
            weekly = self._residual_scale(pool.values, weekday_medians(pool, MAX_WEEKS, MIN_WEEKS))
            with np.errstate(invalid="ignore"):
                seasonal = daily & (weekly.distance < WEEKLY_DISTANCE_RATIO * overall.distance)
            expected = np.where(seasonal, weekly.expected, expected)
            scale = np.where(seasonal, weekly.scale, scale)
            early = daily & ~np.isfinite(weekly.scale)
            expected[early] = _nearest_in_past_range(pool.values)[early]
        scale = self._widened(pool, expected, scale)
        size = np.minimum(np.maximum(np.arange(len(pool)) - self.least, 2), self.periods)
        # A scale from few periods is uncertain by one standard error of a median absolute deviation.
        certainty = 1 - 1 / np.sqrt(2 * MAD_EFFICIENCY * (size - 1))
        z_scores = np.where(np.isfinite(overall.scale), certainty * (pool.values - expected) / scale, np.nan)
        return z_scores, {"baseline": expected, "scale": scale / certainty}

    def _residual_scale(self, values: Floats, levels: Floats) -> _ResidualScale:
        """Compute how far points usually lie from the level that was predicted, and the level freed of that bias."""
        valid = np.isfinite(levels)
        residuals = (values - levels)[valid]
        offset, scale = rolling_mad(residuals, self.periods, self.least)
        high = np.arange(len(residuals))
        low = np.maximum(high - self.periods, 0)
        std = rolling_moments(residuals, low, high)[1]
        scale = np.where(~(scale <= 0), scale, std)  # more than half of them may be one value
        distance = rolling_moments(np.abs(residuals - np.nan_to_num(offset)), low, high)[0]
        distance = np.where(np.isfinite(scale), distance, np.nan)
        return _ResidualScale(*(spread_over(valid, column) for column in (levels[valid] + offset, scale, distance)))

    def _widened(self, pool: Series, expected: Floats, scale: Floats) -> Floats:
        """Widen the scale of each point by its support; for values that never varied, use a fraction of the level.

        If the support is unknown, the rows replace it, because it is nearly proportional to them.
        """
        support = pool.rows if pool.support is None else pool.support
        if support is not None:
            support = np.where(support > 0, support, np.nan)
            valid = np.isfinite(support)
            usual = spread_over(valid, past_median(support[valid], self.periods, self.least))
            scale = scale * np.sqrt(np.nan_to_num(np.maximum(usual / support, 1.0), nan=1.0))
            if pool.proportion and pool.support is not None:
                # Half a case of each kind is added: a share of 0 or 1 so far need not stay one.
                proportion = (np.clip(expected, 0, 1) * support + 0.5) / (support + 1)
                scale = np.fmax(scale, np.sqrt(proportion * (1 - proportion) / support))
        return np.maximum(scale, np.maximum(MIN_RELATIVE_STD * np.abs(expected), MIN_SCALE))

    def breach(self, past: Series, scan: Scan, level: Severity) -> Breach:
        """Return the breach; its limit is the edge of the normal range."""
        return edge_breach(past, scan, level, dict(configured_pairs(self.warn, self.critical))[level])

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "as expected for the season"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall worse than expected in one period, adjusted for season, by ...`."""
        side = "different from" if self.outside else "worse than"
        levels = describe_levels(self.warn, self.critical, lambda size: f"by more than {format_exact(size)} deviations")
        return f"{name} {side} expected in one period, adjusted for season, {levels}"


class _ResidualScale(NamedTuple):
    """The level that each point is compared with; NaN with too little history."""

    expected: Floats
    scale: Floats
    distance: Floats
    """Mean distance of the points before from their levels."""


def _is_daily(pool: Series, periods: int) -> Flags:
    """Return, per point, whether those before it are mostly a day apart."""
    gaps = np.diff(pool.times) / DAY
    if (gaps < 0.8).all() or (gaps > 1.2).all():  # so is their median, which takes long to compute of many
        return np.zeros(len(pool), dtype=np.bool_)
    return np.concatenate([[False], np.abs(past_median(gaps, periods, 1) - 1) < 0.1])


def _nearest_in_past_range(values: Floats) -> Floats:
    """Return each point, clipped to the range of all values before it; the first unchanged."""
    low, high = np.minimum.accumulate(values), np.maximum.accumulate(values)
    before = np.clip(values[1:], low[:-1], high[:-1])
    return np.concatenate([values[:1], before])
