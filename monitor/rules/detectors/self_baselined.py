"""What the checks share that know by themselves what a point is compared with, and have a number a level."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from modeltop.core.series import Series, Severity
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.rules.baselines.base import select_periods
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.pointwise import adverse_difference, configured_levels, configured_pairs, grade_levels

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Baseline
    from modeltop.rules.detectors.limit import Limit


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What was found out about each point; every field is an array with a row a point."""

    levels: Levels
    excess: Floats
    """How far it lies beyond what is fine; larger is worse, NaN where nothing can be said."""

    def __getitem__(self, part: slice) -> Self:
        """The rows of a part of the points."""
        cut: list[Any] = [getattr(self, one.name)[part] for one in fields(self)]
        return type(self)(*cut)


class SelfBaselined(ABC):
    """A check that has a reference of its own, the judged points before each."""

    __slots__ = ()
    uses_baseline: ClassVar[bool] = False
    is_sequential: ClassVar[bool] = True
    warn: float | None
    critical: float | None
    outside: bool

    @property
    def margin(self) -> float:
        """0: what it compares with moves."""
        return 0.0

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Per series, what was found out about its points; None where none is bad."""
        return [
            self._scan(series, series.evaluable(context.min_count) & (np.abs(series.values) < MAX_MAGNITUDE))
            for series in series_batch
        ]

    def _scan(self, series: Series, judged: Flags) -> Scan | None:
        signed, *more = self.deviations(select_periods(series, judged))
        size = adverse_difference(signed, series.better, outside=self.outside)
        levels = grade_levels(size, self.warn, self.critical)
        if not levels.any():
            return None
        return self.scan_type(*(_spread(column, judged) for column in (levels, size, *more)))

    scan_type: ClassVar[type[Scan]]
    """What `sizes` fills: levels, sizes, and its further columns."""

    @abstractmethod
    def deviations(self, pool: Series) -> tuple[Floats, ...]:
        """Per point of a series that is judged throughout: how far it is up (below 0: down), and further columns."""

    def levels(self, series: Series, basis: Scan, current_level: Severity) -> Levels:  # noqa: ARG002  the protocol's
        """Per point its level."""
        return basis.levels

    def excess(self, series: Series, basis: Scan, level: Severity) -> Floats:  # noqa: ARG002  the protocol's
        """Per point how far it lies beyond."""
        return np.nan_to_num(basis.excess, nan=-np.inf)

    def onsets(self, basis: Scan) -> None:  # noqa: B027  no check need know better
        """None: with the point itself."""

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: they move with what is usual."""
        return []

    def possible_levels(self) -> list[Severity]:
        """The levels that have a number, worst first."""
        return configured_levels(self.warn, self.critical)

    def validate(self, kind: Baseline) -> None:  # noqa: B027  it takes what it is given
        """It has a reference of its own: the points before each."""


def validate_levels(warn: float | None, critical: float | None, *, minimum: float, what: str) -> None:
    """Raise ValueError unless one is given, all are finite and `minimum` or more, and warn is not the larger one.

    Args:
        warn: Of the warning.
        critical: Of the critical level.
        minimum: A warn or critical that lies below it has no sense.
        what: What they are numbers of, with an example, such as `numbers of deviations, such as warn = 4.5`.
    """
    given = [value for _, value in configured_pairs(warn, critical)]
    if not given or not all(math.isfinite(value) and value >= minimum for value in given):
        raise ValueError(f"give `warn`, `critical` or both: {what}")
    if len(given) == 2 and given[0] < given[1]:
        raise ValueError("warn lies above critical, so it would never be said: warn at the lower number")


def _spread(column: Any, judged: Flags) -> Any:
    """From the judged points to all of them; the others are not bad and have no numbers."""
    whole = np.zeros(len(judged), column.dtype) if column.dtype.kind == "i" else np.full(len(judged), np.nan)
    whole[judged] = column
    return whole
