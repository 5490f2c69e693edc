"""A value that is worse than its baseline, by a given amount or by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Flags, Floats, Series
from modeltop.core.stats.distributions import norm_isf
from modeltop.core.text import format_exact, format_value
from modeltop.rules.baselines.base import BaselineStats
from modeltop.rules.detectors.base import Scan, configured_pairs, describe_levels, detector
from modeltop.rules.detectors.pointwise import PointwiseDetector, adverse_difference

ROUNDING_TOLERANCE = 1e-12
"""Error of a difference of two decimals: 0.90 - 0.88 is no more than 0.02."""


@dataclass(frozen=True, slots=True)
class DropThreshold:
    """How large a drop is too large; if several conditions are given, all must be met.

    Raises:
        ValueError: None is given, or one has no sense.
    """

    absolute: float | None = None
    """In the metric's unit."""
    relative: float | None = None
    """As a fraction of the baseline's mean: 0.1 is a tenth of it."""
    p: float | None = None
    """The p-value it must be below: the one-sided score test of two proportions with a pooled variance (Agresti 2013,
    Categorical Data Analysis, 3.2). Never met if the support is unknown or the metric is not a proportion."""

    def __post_init__(self) -> None:
        given = [value for value in (self.absolute, self.relative, self.p) if value is not None]
        if not given:
            raise ValueError("a drop needs `absolute`, `relative` or `p`: such as { absolute = 0.02, p = 0.01 }")
        if not all(math.isfinite(value) and value >= 0 for value in given):
            raise ValueError("absolute, relative and p are finite numbers of 0 or more")
        if self.p is not None and not 0 < self.p < 0.5:
            raise ValueError(f"p = {format_exact(self.p)}: give a chance between 0 and 0.5, such as 0.01")

    def is_met(self, drops: Floats, series: Series, stats: BaselineStats) -> Flags:
        """Return, per point, whether it dropped by as much.

        Args:
            drops: Distance from the baseline in the bad direction, in the metric's unit.
            series: The series.
            stats: The baseline of each of its points.
        """
        met: Flags = np.isfinite(drops) & (drops > 0)
        if self.absolute is not None:
            met &= drops > self.absolute + ROUNDING_TOLERANCE
        if self.relative is not None:
            met &= drops > self.relative * np.abs(stats.pooled_mean) + ROUNDING_TOLERANCE
        if self.p is not None:
            met &= score_test(drops, series, stats) > norm_isf(self.p)
        return met

    def describe(self) -> str:
        """Return the conditions in words, such as `by more than 0.02 (significance level 0.01)`."""
        sizes = [] if self.absolute is None else [format_value(self.absolute)]
        sizes += [] if self.relative is None else [f"{format_exact(100 * self.relative)} %"]
        p_value = "" if self.p is None else f"significance level {format_exact(self.p)}"
        if not sizes:
            return f"by a significant amount ({p_value})"
        return f"by more than {' and '.join(sizes)}" + (f" ({p_value})" if p_value else "")


def score_test(differences: Floats, series: Series, stats: BaselineStats) -> Floats:
    """Return the z-score of the score test of two proportions; NaN if it is not applicable.

    Args:
        differences: The value less the baseline's, or the reverse, in the metric's unit.
        series: The series; its support is the size of one sample.
        stats: The baseline of each of its points; its support is the size of the other sample.
    """
    if series.support is None or not series.proportion:
        return np.full(len(series), np.nan)
    after, before = series.support, stats.support
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (series.values * after + stats.pooled_mean * before) / (after + before)
        std = np.sqrt(pooled * (1 - pooled) * (1 / after + 1 / before))
        return np.where(std > 0, differences / std, np.nan)


@detector("drop")
@dataclass(frozen=True, slots=True)
class Drop(PointwiseDetector):
    """Breached by a value that is worse than the mean of its baseline by as much as is configured.

    Raises:
        ValueError: No level is given.
    """

    warn: DropThreshold | None = None
    critical: DropThreshold | None = None
    outside: bool = False
    """Whether a change for the better breaches too."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a drop needs `warn`, `critical` or both: such as warn = { absolute = 0.02 }")

    def grade(self, series: Series, stats: BaselineStats) -> Scan:
        """Grade by the difference to the mean weighted by support, if it is known, else over periods."""
        drops = adverse_difference(series.values - stats.pooled_mean, series.better, outside=self.outside)
        levels = np.zeros(len(series), dtype=np.int8)
        for severity, threshold in reversed(configured_pairs(self.warn, self.critical)):
            levels[threshold.is_met(drops, series, stats)] = severity
        return Scan(levels=levels, excess=drops, baseline=stats.pooled_mean)

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall that is worse than its 60 earlier periods by ...`."""
        verb = "differs from" if self.outside else "is worse than"
        return f"{name} that {verb} {against} {describe_levels(self.warn, self.critical, DropThreshold.describe)}"
