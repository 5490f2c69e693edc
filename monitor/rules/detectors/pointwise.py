"""What the checks share that compare each point with a reference by itself, and have a number a level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from modeltop.core.series import Better, Series, Severity
from modeltop.rules.detectors.base import Asking

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels
    from modeltop.rules.baselines.base import Ground, Kind
    from modeltop.rules.detectors.limit import Limit


T = TypeVar("T")


def worse(differences: Floats, better: Better, *, outside: bool = False) -> Floats:
    """How far differences (value less what it is compared with) lie on the bad side; NaN where neither side is.

    Args:
        differences: Any numbers; NaN stays.
        better: The direction of the metric.
        outside: Whether both sides are bad.

    >>> worse(np.array([-0.1, 0.1]), Better.HIGHER).tolist(), worse(np.array([-0.1, 0.1]), Better.NEITHER).tolist()
    ([0.1, -0.1], [nan, nan])
    """
    if outside:
        return np.abs(differences)
    if better is Better.NEITHER:
        return np.full(len(differences), np.nan)
    return -differences if better is Better.HIGHER else differences + 0.0


def graded(sizes: Floats, warn: float | None, critical: float | None) -> Levels:
    """The level of each size that lies beyond what a level asks; a NaN is beyond nothing."""
    found = np.zeros(len(sizes), dtype=np.int8)
    for severity, limit in ((Severity.WARNING, warn), (Severity.CRITICAL, critical)):
        if limit is not None:
            found[sizes > limit] = severity
    return found


def pairs(warn: T | None, critical: T | None) -> list[tuple[Severity, T]]:
    """What was given, worst first."""
    both = ((Severity.CRITICAL, critical), (Severity.WARNING, warn))
    return [(severity, one) for severity, one in both if one is not None]


SAID = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What each point of a series is compared with, and how bad that is."""

    ground: Ground
    levels: Levels
    beyond: Floats
    """How far it lies beyond; larger is worse."""

    def __getitem__(self, part: slice) -> Compared:
        """The rows of a part of the points."""
        return Compared(self.ground[part], self.levels[part], self.beyond[part])


class Comparing(ABC):
    """A check whose levels are decided point by point, whatever is active."""

    __slots__ = ()
    compares: ClassVar[bool] = True
    follows: ClassVar[bool] = False

    @property
    def margin(self) -> float:
        """0: what it compares with moves."""
        return 0.0

    @property
    def history(self) -> int:
        """0: the reference knows how many periods it needs."""
        return 0

    def bases(self, many: Sequence[Series], asking: Asking) -> list[Compared | None]:
        """Per series, its comparisons; None where none is bad."""
        return [self._compared(series, asking) for series in many]

    def _compared(self, series: Series, asking: Asking) -> Compared | None:
        ground = asking.kind.ground(series, min_count=asking.min_count, others=asking.others)
        with np.errstate(invalid="ignore", divide="ignore"):
            levels, beyond = self.judge(series, ground)
        return Compared(ground, levels, beyond) if levels.any() else None

    @abstractmethod
    def judge(self, series: Series, ground: Ground) -> tuple[Levels, Floats]:
        """Per point its level, and how far it lies beyond what is fine."""

    def levels(self, series: Series, basis: Compared, held: Severity) -> Levels:  # noqa: ARG002
        """Per point its level."""
        return basis.levels

    def beyond(self, series: Series, basis: Compared, level: Severity) -> Floats:  # noqa: ARG002
        """Per point how far it lies beyond."""
        return basis.beyond

    def begins(self, basis: Compared) -> None:  # noqa: B027  no check need know better
        """None: with the point itself."""

    def inside(self) -> str:
        """What is true of a value that it does not object to."""
        return "no worse than its reference"

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: they move with the reference."""
        return []

    def refuse(self, kind: Kind) -> None:  # noqa: B027  nearly all take any
        """Any kind of reference will do."""


def asked(warn: object | None, critical: object | None) -> list[Severity]:
    """The levels that are given, worst first."""
    return [severity for severity, _ in pairs(warn, critical)]


def per_level(warn: object | None, critical: object | None, words: Callable[[object], str]) -> str:
    """What each level asks, the milder first: `0.02 warns, 0.05 is critical`."""
    return ", ".join(f"{words(one)} {SAID[severity]}" for severity, one in reversed(pairs(warn, critical)))
