"""Two metrics, or two models, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Breach, Series, Severity
from modeltop.core.stats.distributions import norm_sf
from modeltop.core.text import format_exact, format_value
from modeltop.rules.baselines.base import BaselineStats
from modeltop.rules.detectors.base import Scan, configured_pairs, describe_levels, detector
from modeltop.rules.detectors.drop import score_test
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.pointwise import PointwiseDetector


@detector("difference")
@dataclass(frozen=True, slots=True)
class Difference(PointwiseDetector):
    """Breached if the value less its baseline lies beyond a limit.

    Such as `avg_confidence` less `accuracy` above 0.05, or a challenger's accuracy less the champion's below -0.01.
    With a baseline of several periods, less their mean.

    Raises:
        ValueError: No limit is given, or `p` is not between 0 and 1.
    """

    warn: Limit | None = None
    critical: Limit | None = None
    p: float | None = None
    """The p-value that such a difference must be below, if both are shares of known support (the score test of two
    proportions, two-sided); None: chance does not matter."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a difference needs `warn`, `critical` or both: such as warn = { above = 0.05 }")
        if self.p is not None and not 0 < self.p < 1:
            raise ValueError(f"p = {format_exact(self.p)}: give a chance between 0 and 1, such as 0.01")

    def grade(self, series: Series, stats: BaselineStats) -> Scan:
        """Grade by the difference; NaN is beyond no limit."""
        difference = series.values - stats.pooled_mean
        levels = np.zeros(len(series), dtype=np.int8)
        for severity, limit in reversed(configured_pairs(self.warn, self.critical)):
            levels[limit.exceeded(difference)] = severity
        if self.p is not None:
            z_scores = np.abs(score_test(difference, series, stats)).tolist()
            p_values = np.array([2 * norm_sf(z) if math.isfinite(z) else 1.0 for z in z_scores])
            levels[p_values >= self.p] = Severity.OK
        return Scan(levels=levels, excess=np.abs(difference), baseline=stats.pooled_mean)

    def breach(self, past: Series, scan: Scan, level: Severity) -> Breach:
        """Return both values and their difference; the limit is in the unit of the value."""
        value, other = past.latest, float(scan.baseline[-1])
        difference = value - other
        sign, side = dict(configured_pairs(self.warn, self.critical))[level].crossed_side(difference) or ("", 0.0)
        left, right = f"{past.format(value)} less {past.format(other)}", f"{sign} {format_value(side)}"
        return Breach(level, value, other + side, f"{left} is {past.format(difference)} {right}")

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "within limits of its reference"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:
        """Return the condition, such as `avg_confidence less accuracy above 0.05 warns`."""
        return f"{name} less {against} {describe_levels(self.warn, self.critical, lambda limit: limit.describe(show))}"
