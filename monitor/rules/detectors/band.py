"""A value outside the normal range of its baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Breach, Floats, Series, Severity
from modeltop.core.text import format_exact
from modeltop.rules.baselines.base import Baseline, BaselineStats
from modeltop.rules.detectors.base import Scan, configured_pairs, describe_levels, detector
from modeltop.rules.detectors.pointwise import (
    PointwiseDetector,
    adverse_difference,
    edge_breach,
    grade_levels,
    validate_levels,
)

MIN_PERIODS = 4
"""Minimum number of periods in a baseline for its spread to be meaningful."""


@detector("band")
@dataclass(frozen=True, slots=True)
class Band(PointwiseDetector):
    """Breached by a value that lies further on the bad side of its baseline than so many robust deviations.

    Center and deviation are the median of the baseline and its median absolute deviation × 1.4826 (Iglewicz and
    Hoaglin 1993, How to Detect and Handle Outliers, who flag beyond 3.5): one bad period of the past widens nothing.
    Never less than the sampling error of a proportion of so few cases. For a weekly season use
    `reference = { weekday = 8 }`.

    Raises:
        ValueError: No level is given, or one has no sense.
    """

    warn: float | None = None
    """Deviations beyond which it warns."""
    critical: float | None = None
    outside: bool = False
    """Whether a value on the good side breaches too."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a band needs `warn`, `critical` or both: numbers of deviations, such as warn = 3.5")
        message = "warn and critical are numbers of deviations: give finite ones above 0"
        validate_levels(self.warn, self.critical, message, minimum=math.nextafter(0, 1))

    def grade(self, series: Series, stats: BaselineStats) -> Scan:
        """Grade each point by its distance from the baseline in robust deviations."""
        center, scale = center_and_scale(series, stats)
        size = adverse_difference(series.values - center, series.better, outside=self.outside) / scale
        size[(stats.periods < MIN_PERIODS) | ~np.isfinite(size)] = -np.inf
        return Scan(levels=grade_levels(size, self.warn, self.critical), excess=size, baseline=center, scale=scale)

    def breach(self, past: Series, scan: Scan, level: Severity) -> Breach:
        """Return how far outside the value lies; the limit is the edge of the band."""
        return edge_breach(past, scan, level, dict(configured_pairs(self.warn, self.critical))[level])

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall worse than the median of its 60 earlier periods by ...`."""
        side = "off" if self.outside else "worse than"
        levels = describe_levels(self.warn, self.critical, lambda size: f"by more than {format_exact(size)} deviations")
        return f"{name} {side} the median of {against} {levels}"

    def validate(self, baseline: Baseline) -> None:
        """Raise ValueError for one period of another series, which has no spread."""
        if not baseline.has_spread:
            raise ValueError("a band needs a reference of several periods: use rolling, first, from and to, or weekday")


def center_and_scale(series: Series, stats: BaselineStats) -> tuple[Floats, Floats]:
    """Return the baseline's center and one deviation for each point; NaN if there is no scale."""
    center, scale = stats.robust()
    # If more than half of the baseline is a single value, the plain deviation is more informative than 0.
    scale = np.where(scale > 0, scale, stats.std)
    if series.support is not None:
        inverse = 1 / np.where(series.support > 0, series.support, np.nan)
        widening = np.nan_to_num(np.maximum(inverse / stats.mean_inverse_support, 1.0), nan=1.0, posinf=1.0)
        scale = scale * np.sqrt(widening)
        if series.proportion:
            binomial = np.nan_to_num(np.sqrt(np.clip(center * (1 - center), 0, None) * inverse))
            scale = np.maximum(scale, binomial)
    return center, np.where(scale > 0, scale, np.nan)
