"""Two metrics, or two models, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Breach, Series, Severity
from modeltop.core.text import format_exact, format_value
from modeltop.rules.detectors.base import detector
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.pointwise import (
    LEVEL_PHRASES,
    PointComparison,
    PointwiseDetector,
    configured_levels,
    configured_pairs,
)

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels
    from modeltop.rules.baselines.base import Baseline, BaselineStats


@detector("difference")
@dataclass(frozen=True, slots=True)
class Difference(PointwiseDetector):
    """Objects where the value less its reference lies beyond a limit.

    Such as `avg_confidence` less `accuracy` above 0.05, or a challenger's accuracy less the champion's below -0.01.
    With a reference of several periods, less their mean.

    Raises ValueError if no limit is given.
    """

    warn: Limit | None = None
    critical: Limit | None = None
    p: float | None = None
    """Most chance of such a difference, where both are shares of a known number of cases (the score test of two
    proportions, two-sided); None: chance is not asked for."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a difference needs `warn`, `critical` or both: such as warn = { above = 0.05 }")
        if self.p is not None and not 0 < self.p < 1:
            raise ValueError(f"p = {format_exact(self.p)}: give a chance between 0 and 1, such as 0.01")

    def grade(self, series: Series, stats: BaselineStats) -> tuple[Levels, Floats]:
        """By the difference; a NaN is beyond no limit."""
        difference = series.values - stats.pooled_mean
        levels = np.zeros(len(series), dtype=np.int8)
        for severity, limit in reversed(configured_pairs(self.warn, self.critical)):
            levels[limit.exceeded(difference)] = severity
        if self.p is not None:
            levels[~(self._p_value(difference, series, stats) < self.p)] = Severity.OK
        return levels, np.nan_to_num(np.abs(difference), nan=-np.inf)

    def _p_value(self, difference: Floats, series: Series, ground: BaselineStats) -> Floats:
        from modeltop.rules.detectors.drop import score_test  # the test that both share

        deviate = np.abs(score_test(difference, series, ground))
        return np.array([math.erfc(one / math.sqrt(2)) if math.isfinite(one) else 1.0 for one in deviate.tolist()])

    def __call__(self, past: Series, basis: PointComparison, current_level: Severity) -> Breach | None:  # noqa: ARG002
        """Say both values."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, other = past.latest, float(basis.stats.pooled_mean[-1])
        limit = dict(configured_pairs(self.warn, self.critical))[Severity(level)]
        crossed = limit.crossed_side(value - other)
        sign, side = crossed or ("", 0.0)
        said = f"{format_value(value)} less {format_value(other)} is {format_value(value - other)} {sign} {format_value(side)}"
        return Breach(Severity(level), value, other + side, said)

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to."""
        return "within limits of its reference"

    def possible_levels(self) -> list[Severity]:
        """The levels that are given, worst first."""
        return configured_levels(self.warn, self.critical)

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:
        """What it asks."""
        given = reversed(configured_pairs(self.warn, self.critical))
        parts = [f"{limit.describe(show)} {LEVEL_PHRASES[severity]}" for severity, limit in given]
        return f"{name} less {against} {', '.join(parts)}"

    def validate(self, kind: Baseline) -> None:
        """Any kind of reference will do."""
