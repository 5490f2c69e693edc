"""What the checks share that know by themselves what a point is compared with, and have a number a level."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from modeltop.core.series import Series, Severity
from modeltop.core.stats.robust import LARGEST
from modeltop.rules.baselines.base import picked
from modeltop.rules.detectors.base import Asking
from modeltop.rules.detectors.pointwise import asked, graded, pairs, worse

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Kind
    from modeltop.rules.detectors.limit import Limit


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was found out about each point; every field is an array with a row a point."""

    levels: Levels
    beyond: Floats
    """How far it lies beyond what is fine; larger is worse, NaN where nothing can be said."""

    def __getitem__(self, part: slice) -> Self:
        """The rows of a part of the points."""
        cut: list[Any] = [getattr(self, one.name)[part] for one in fields(self)]
        return type(self)(*cut)


class Own(ABC):
    """A check that has a reference of its own, the judged points before each."""

    __slots__ = ()
    compares: ClassVar[bool] = False
    follows: ClassVar[bool] = True
    warn: float | None
    critical: float | None
    outside: bool

    @property
    def margin(self) -> float:
        """0: what it compares with moves."""
        return 0.0

    def bases(self, many: Sequence[Series], asking: Asking) -> list[Looked | None]:
        """Per series, what was found out about its points; None where none is bad."""
        return [
            self._looked(series, series.judged(asking.min_count) & (np.abs(series.values) < LARGEST)) for series in many
        ]

    def _looked(self, series: Series, judged: Flags) -> Looked | None:
        signed, *more = self.sizes(picked(series, judged))
        size = worse(signed, series.better, outside=self.outside)
        levels = graded(size, self.warn, self.critical)
        if not levels.any():
            return None
        return self.kind(*(_spread(column, judged) for column in (levels, size, *more)))

    kind: ClassVar[type[Looked]]
    """What `sizes` fills: levels, sizes, and its further columns."""

    @abstractmethod
    def sizes(self, pool: Series) -> tuple[Floats, ...]:
        """Per point of a series that is judged throughout: how far it is up (below 0: down), and further columns."""

    def levels(self, series: Series, basis: Looked, held: Severity) -> Levels:  # noqa: ARG002  the protocol's
        """Per point its level."""
        return basis.levels

    def beyond(self, series: Series, basis: Looked, level: Severity) -> Floats:  # noqa: ARG002  the protocol's
        """Per point how far it lies beyond."""
        return np.nan_to_num(basis.beyond, nan=-np.inf)

    def begins(self, basis: Looked) -> None:  # noqa: B027  no check need know better
        """None: with the point itself."""

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: they move with what is usual."""
        return []

    def asks(self) -> list[Severity]:
        """The levels that have a number, worst first."""
        return asked(self.warn, self.critical)

    def refuse(self, kind: Kind) -> None:  # noqa: B027  it takes what it is given
        """It has a reference of its own: the points before each."""


def refuse_numbers(warn: float | None, critical: float | None, *, least: float, what: str) -> None:
    """Raise ValueError unless one is given, all are finite and `least` or more, and warn is not the larger one.

    Args:
        warn: Of the warning.
        critical: Of the critical level.
        least: A warn or critical that lies below it has no sense.
        what: What they are numbers of, with an example, such as `numbers of deviations, such as warn = 4.5`.
    """
    given = [value for _, value in pairs(warn, critical)]
    if not given or not all(math.isfinite(value) and value >= least for value in given):
        raise ValueError(f"give `warn`, `critical` or both: {what}")
    if len(given) == 2 and given[0] < given[1]:
        raise ValueError("warn lies above critical, so it would never be said: warn at the lower number")


def _spread(column: Any, judged: Flags) -> Any:
    """From the judged points to all of them; the others are not bad and have no numbers."""
    whole = np.zeros(len(judged), column.dtype) if column.dtype.kind == "i" else np.full(len(judged), np.nan)
    whole[judged] = column
    return whole
