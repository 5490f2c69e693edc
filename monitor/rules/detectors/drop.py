"""A value that is worse than its reference, by a given amount or by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Evidence, Series, Severity
from modeltop.core.text import brief, plain
from modeltop.rules.detectors.base import check
from modeltop.rules.detectors.pointwise import Compared, Comparing, asked, pairs, per_level, worse

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Ground


DUST = 1e-12
"""What a difference of two decimals may lie off: 0.90 - 0.88 is no more than 0.02."""


@dataclass(frozen=True, slots=True)
class Fall:
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
            raise ValueError(f"p = {plain(self.p)}: give a chance between 0 and 0.5, such as 0.01")

    def met(self, fall: Floats, series: Series, ground: Ground) -> Flags:
        """Per point, whether it fell (in the bad direction) by as much."""
        met: Flags = np.isfinite(fall) & (fall > 0)
        if self.absolute is not None:
            met &= fall > self.absolute + DUST
        if self.relative is not None:
            met &= fall > self.relative * np.abs(ground.pooled) + DUST
        if self.p is not None:
            met &= score(fall, series, ground) > -NormalDist().inv_cdf(self.p)
        return met

    def words(self) -> str:
        """What it asks.

        >>> Fall(absolute=0.02, p=0.01).words()
        'by more than 0.02 (p < 0.01)'
        """
        parts = [] if self.absolute is None else [brief(self.absolute)]
        parts += [] if self.relative is None else [f"{plain(100 * self.relative)} %"]
        chance = "" if self.p is None else f"p < {plain(self.p)}"
        if not parts:
            return f"by more than chance ({chance})"
        return f"by more than {' and '.join(parts)}" + (f" ({chance})" if chance else "")


def score(fall: Floats, series: Series, ground: Ground) -> Floats:
    """The normal deviate of the score test of two proportions; NaN where it cannot be taken."""
    if series.support is None or not series.proportion:
        return np.full(len(series), np.nan)
    cases, before = series.support, ground.cases
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (series.values * cases + ground.pooled * before) / (cases + before)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / cases + 1 / before))
        return np.where(spread > 0, fall / spread, np.nan)


@check("drop")
@dataclass(frozen=True, slots=True)
class Drop(Comparing):
    """Objects to a value that is worse than the mean of its reference by as much as is said.

    Raises ValueError if no level is given.
    """

    warn: Fall | None = None
    critical: Fall | None = None
    outside: bool = False
    """Whether it objects to a change for the better too."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a drop needs `warn`, `critical` or both: such as warn = { absolute = 0.02 }")

    def judge(self, series: Series, ground: Ground) -> tuple[Levels, Floats]:
        """By the difference to the mean over cases, where they are known, else over periods."""
        fall = worse(series.values - ground.pooled, series.better, outside=self.outside)
        levels = np.zeros(len(series), dtype=np.int8)
        for severity, one in reversed(pairs(self.warn, self.critical)):
            levels[one.met(fall, series, ground)] = severity
        return levels, np.nan_to_num(fall, nan=-np.inf)

    def __call__(self, past: Series, basis: Compared, held: Severity) -> Evidence | None:  # noqa: ARG002
        """Say from where it fell."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, before = past.latest, float(basis.ground.pooled[-1])
        side = "down" if value < before else "up"
        return Evidence(Severity(level), value, before, f"{brief(value)} {side} from {brief(before)}", past=True)

    def asks(self) -> list[Severity]:
        """The levels that are given, worst first."""
        return asked(self.warn, self.critical)

    def sentence(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks."""
        verb = "differs from" if self.outside else "is worse than"
        parts = per_level(self.warn, self.critical, lambda one: one.words() if isinstance(one, Fall) else "")
        return f"{name} that {verb} {against} {parts}"
