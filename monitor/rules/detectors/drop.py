"""A value that is worse than its reference, by a given amount or by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
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
)

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import BaselineStats


ROUNDING_TOLERANCE = 1e-12
"""What a difference of two decimals may lie off: 0.90 - 0.88 is no more than 0.02."""


@dataclass(frozen=True, slots=True)
class DropThreshold:
    """How much is too much; where several are given, all must be met.

    Raises ValueError if none is given, or if one has no sense.
    """

    absolute: float | None = None
    """In the metric's unit."""
    relative: float | None = None
    """As a share of the reference's mean: 0.1 is a tenth of it."""
    p: float | None = None
    """Chance of as large a fall: the one-sided score test of two proportions with a pooled variance (Agresti 2013,
    Categorical Data Analysis, 3.2). Never met where the support is not known or the metric is no share."""

    def __post_init__(self) -> None:
        given = [value for value in (self.absolute, self.relative, self.p) if value is not None]
        if not given:
            raise ValueError("a drop needs `absolute`, `relative` or `p`: such as { absolute = 0.02, p = 0.01 }")
        if not all(math.isfinite(value) and value >= 0 for value in given):
            raise ValueError("absolute, relative and p are finite numbers of 0 or more")
        if self.p is not None and not 0 < self.p < 0.5:
            raise ValueError(f"p = {format_exact(self.p)}: give a chance between 0 and 0.5, such as 0.01")

    def is_met(self, fall: Floats, series: Series, ground: BaselineStats) -> Flags:
        """Per point, whether it fell (in the bad direction) by as much."""
        met: Flags = np.isfinite(fall) & (fall > 0)
        if self.absolute is not None:
            met &= fall > self.absolute + ROUNDING_TOLERANCE
        if self.relative is not None:
            met &= fall > self.relative * np.abs(ground.pooled_mean) + ROUNDING_TOLERANCE
        if self.p is not None:
            met &= score_test(fall, series, ground) > -NormalDist().inv_cdf(self.p)
        return met

    def describe(self) -> str:
        """What it asks.

        >>> DropThreshold(absolute=0.02, p=0.01).describe()
        'by more than 0.02 (p < 0.01)'
        """
        parts = [] if self.absolute is None else [format_value(self.absolute)]
        parts += [] if self.relative is None else [f"{format_exact(100 * self.relative)} %"]
        chance = "" if self.p is None else f"p < {format_exact(self.p)}"
        if not parts:
            return f"by more than chance ({chance})"
        return f"by more than {' and '.join(parts)}" + (f" ({chance})" if chance else "")


def score_test(fall: Floats, series: Series, ground: BaselineStats) -> Floats:
    """The normal deviate of the score test of two proportions; NaN where it cannot be taken."""
    if series.support is None or not series.proportion:
        return np.full(len(series), np.nan)
    cases, before = series.support, ground.support
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (series.values * cases + ground.pooled_mean * before) / (cases + before)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / cases + 1 / before))
        return np.where(spread > 0, fall / spread, np.nan)


@detector("drop")
@dataclass(frozen=True, slots=True)
class Drop(PointwiseDetector):
    """Objects to a value that is worse than the mean of its reference by as much as is said.

    Raises ValueError if no level is given.
    """

    warn: DropThreshold | None = None
    critical: DropThreshold | None = None
    outside: bool = False
    """Whether it objects to a change for the better too."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a drop needs `warn`, `critical` or both: such as warn = { absolute = 0.02 }")

    def grade(self, series: Series, stats: BaselineStats) -> tuple[Levels, Floats]:
        """By the difference to the mean over cases, where they are known, else over periods."""
        fall = adverse_difference(series.values - stats.pooled_mean, series.better, outside=self.outside)
        levels = np.zeros(len(series), dtype=np.int8)
        for severity, one in reversed(configured_pairs(self.warn, self.critical)):
            levels[one.is_met(fall, series, stats)] = severity
        return levels, np.nan_to_num(fall, nan=-np.inf)

    def __call__(self, past: Series, basis: PointComparison, current_level: Severity) -> Breach | None:  # noqa: ARG002
        """Say from where it fell."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, before = past.latest, float(basis.stats.pooled_mean[-1])
        side = "down" if value < before else "up"
        return Breach(
            Severity(level),
            value,
            before,
            f"{format_value(value)} {side} from {format_value(before)}",
            is_baseline=True,
        )

    def possible_levels(self) -> list[Severity]:
        """The levels that are given, worst first."""
        return configured_levels(self.warn, self.critical)

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks."""
        verb = "differs from" if self.outside else "is worse than"
        parts = describe_levels(
            self.warn, self.critical, lambda one: one.describe() if isinstance(one, DropThreshold) else ""
        )
        return f"{name} that {verb} {against} {parts}"
