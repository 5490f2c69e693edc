"""What the checks share that compare each point with a reference by itself, and have a number a level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from modeltop.core.series import Direction, Series, Severity
from modeltop.rules.detectors.base import QueryContext

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels
    from modeltop.rules.baselines.base import Baseline, BaselineStats
    from modeltop.rules.detectors.limit import Limit


T = TypeVar("T")

ROUNDING = 1e-9
"""Relative tolerance of a limit: a size that exceeds it by no more is on it, so that 0.90 - 0.85 is no more than 0.05.

Values and limits have a few decimals, but a size is computed from many values: the order of the computation decides on
which side of the limit the last bits fall. Thirty periods around 100 000 times the limit still lie within it.
"""


def adverse_difference(differences: Floats, better: Direction, *, outside: bool = False) -> Floats:
    """How far differences (value less what it is compared with) lie on the bad side; NaN where neither side is.

    Args:
        differences: Any numbers; NaN stays.
        better: The direction of the metric.
        outside: Whether both sides are bad.

    >>> adverse_difference(np.array([-0.1, 0.1]), Direction.HIGHER).tolist(), adverse_difference(np.array([-0.1, 0.1]), Direction.NEITHER).tolist()
    ([0.1, -0.1], [nan, nan])
    """
    if outside:
        return np.abs(differences)
    if better is Direction.NEITHER:
        return np.full(len(differences), np.nan)
    return -differences if better is Direction.HIGHER else differences + 0.0


def grade_levels(sizes: Floats, warn: float | None, critical: float | None) -> Levels:
    """Return the severity of each size; exactly on a limit is fine (see `ROUNDING`), and NaN exceeds nothing.

    >>> grade_levels(np.array([0.90 - 0.85, 0.051]), 0.05, None).tolist(), 0.90 - 0.85 > 0.05
    ([0, 1], True)
    """
    levels = np.zeros(len(sizes), dtype=np.int8)
    for severity, limit in ((Severity.WARNING, warn), (Severity.CRITICAL, critical)):
        if limit is not None:
            levels[sizes > limit * (1 + ROUNDING)] = severity
    return levels


def configured_pairs(warn: T | None, critical: T | None) -> list[tuple[Severity, T]]:
    """What was given, worst first."""
    both = ((Severity.CRITICAL, critical), (Severity.WARNING, warn))
    return [(severity, one) for severity, one in both if one is not None]


LEVEL_PHRASES = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}


@dataclass(frozen=True, slots=True, eq=False)
class PointComparison:
    """What each point of a series is compared with, and how bad that is."""

    stats: BaselineStats
    levels: Levels
    excess: Floats
    """How far it lies beyond; larger is worse."""

    def __getitem__(self, part: slice) -> PointComparison:
        """The rows of a part of the points."""
        return PointComparison(self.stats[part], self.levels[part], self.excess[part])


class PointwiseDetector(ABC):
    """A check whose levels are decided point by point, whatever is active."""

    __slots__ = ()
    uses_baseline: ClassVar[bool] = True
    is_sequential: ClassVar[bool] = False

    @property
    def margin(self) -> float:
        """0: what it compares with moves."""
        return 0.0

    @property
    def min_history(self) -> int:
        """0: the reference knows how many periods it needs."""
        return 0

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[PointComparison | None]:
        """Per series, its comparisons; None where none is bad."""
        return [self._compare(series, context) for series in series_batch]

    def _compare(self, series: Series, context: QueryContext) -> PointComparison | None:
        ground = context.baseline.stats(series, min_count=context.min_count, other_series=context.other_series)
        with np.errstate(invalid="ignore", divide="ignore"):
            levels, beyond = self.grade(series, ground)
        return PointComparison(ground, levels, beyond) if levels.any() else None

    @abstractmethod
    def grade(self, series: Series, stats: BaselineStats) -> tuple[Levels, Floats]:
        """Per point its level, and how far it lies beyond what is fine."""

    def levels(self, series: Series, basis: PointComparison, current_level: Severity) -> Levels:  # noqa: ARG002
        """Per point its level."""
        return basis.levels

    def excess(self, series: Series, basis: PointComparison, level: Severity) -> Floats:  # noqa: ARG002
        """Per point how far it lies beyond."""
        return basis.excess

    def onsets(self, basis: PointComparison) -> None:  # noqa: B027  no check need know better
        """None: with the point itself."""

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to."""
        return "no worse than its reference"

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: they move with the reference."""
        return []

    def validate(self, kind: Baseline) -> None:  # noqa: B027  nearly all take any
        """Any kind of reference will do."""


def configured_levels(warn: object | None, critical: object | None) -> list[Severity]:
    """The levels that are given, worst first."""
    return [severity for severity, _ in configured_pairs(warn, critical)]


def describe_levels(warn: object | None, critical: object | None, words: Callable[[object], str]) -> str:
    """What each level asks, the milder first: `0.02 warns, 0.05 is critical`."""
    return ", ".join(
        f"{words(one)} {LEVEL_PHRASES[severity]}" for severity, one in reversed(configured_pairs(warn, critical))
    )
