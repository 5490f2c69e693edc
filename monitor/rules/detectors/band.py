"""A value outside of what its reference usually is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Breach, Series, Severity
from modeltop.core.text import format_exact, format_value
from modeltop.rules.detectors.base import detector
from modeltop.rules.detectors.pointwise import (
    PointComparison,
    PointwiseDetector,
    adverse_difference,
    configured_levels,
    configured_pairs,
    describe_levels,
    grade_levels,
)

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels
    from modeltop.rules.baselines.base import Baseline, BaselineStats

MIN_PERIODS = 4
"""Periods without which a reference has no spread worth the name."""


@detector("band")
@dataclass(frozen=True, slots=True)
class Band(PointwiseDetector):
    """Objects to a value that lies further on the bad side of its reference than so many robust deviations.

    Centre and deviation are the median of the reference and its median absolute deviation × 1.4826 (Iglewicz and
    Hoaglin 1993, How to Detect and Handle Outliers, who flag beyond 3.5): one bad period of the past widens nothing.
    Never less than what chance alone makes of a share of so few cases. With a weekly season take
    `reference = { weekday = 8 }`.

    Raises ValueError if no level is given, or if one has no sense.
    """

    warn: float | None = None
    """Deviations beyond which it warns."""
    critical: float | None = None
    outside: bool = False
    """Whether it objects to a value on the good side too."""

    def __post_init__(self) -> None:
        given = [value for _, value in configured_pairs(self.warn, self.critical)]
        if not given:
            raise ValueError("a band needs `warn`, `critical` or both: numbers of deviations, such as warn = 3.5")
        if not all(math.isfinite(value) and value > 0 for value in given):
            raise ValueError("warn and critical are numbers of deviations: give finite ones above 0")
        if len(given) == 2 and given[0] < given[1]:
            raise ValueError("warn lies above critical, so it would never be said: warn at the lower number")

    def grade(self, series: Series, stats: BaselineStats) -> tuple[Levels, Floats]:
        """By robust deviations."""
        middle, scale = center_and_scale(series, stats)
        size = adverse_difference(series.values - middle, series.better, outside=self.outside) / scale
        size[(stats.periods < MIN_PERIODS) | ~np.isfinite(size)] = -np.inf
        return grade_levels(size, self.warn, self.critical), size

    def __call__(self, past: Series, basis: PointComparison, current_level: Severity) -> Breach | None:  # noqa: ARG002
        """Say how far out it is."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, size = past.latest, float(basis.excess[-1])
        middle, scale = center_and_scale(past[-1:], basis.stats[-1:])
        asks = self.critical if level == Severity.CRITICAL else self.warn
        assert asks is not None, "a level that was given has a number"
        edge = float(middle[0] + math.copysign(asks * float(scale[0]), value - float(middle[0])))
        side = "below" if value < float(middle[0]) else "above"
        said = f"{format_value(value)} {size:.1f} deviations {side} its usual {format_value(float(middle[0]))}"
        return Breach(Severity(level), value, edge, said)

    def possible_levels(self) -> list[Severity]:
        """The levels that are given, worst first."""
        return configured_levels(self.warn, self.critical)

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks."""
        side = "off" if self.outside else "worse than"
        parts = describe_levels(
            self.warn, self.critical, lambda one: f"by more than {format_exact(float(str(one)))} deviations"
        )
        return f"{name} {side} the median of {against} {parts}"

    def validate(self, kind: Baseline) -> None:
        """Raise ValueError for one period of another series, which has no spread."""
        if not kind.has_spread:
            raise ValueError("a band needs a reference of several periods: use rolling, first, from and to, or weekday")


def center_and_scale(series: Series, ground: BaselineStats) -> tuple[Floats, Floats]:
    """Centre and deviation of what each point is compared with."""
    middle, scale = ground.robust()
    # Where more than half of the reference are one value, the plain deviation says more than none.
    scale = np.where(scale > 0, scale, ground.std)
    if series.support is not None:
        rarity = 1 / np.where(series.support > 0, series.support, np.nan)
        fewer = np.nan_to_num(np.maximum(rarity / ground.mean_inverse_support, 1.0), nan=1.0, posinf=1.0)
        scale = scale * np.sqrt(fewer)
        if series.proportion:
            chance = np.nan_to_num(np.sqrt(np.clip(middle * (1 - middle), 0, None) * rarity))
            scale = np.maximum(scale, chance)
    return middle, np.where(scale > 0, scale, np.nan)
