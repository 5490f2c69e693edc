"""A value beyond a fixed limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from modeltop.core.series import Breach, Series, Severity
from modeltop.core.text import format_comparison, format_exact, format_value
from modeltop.rules.detectors.base import QueryContext, detector
from modeltop.rules.detectors.limit import Limit

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Baseline


@detector("threshold")
@dataclass(frozen=True, slots=True)
class Threshold:
    """Objects to a value beyond a limit; exactly on the limit is fine.

    Raises ValueError if there is no limit, if the margin is no distance or leaves no value that recovers, or if
    a value could be critical before it is worth a warning.
    """

    uses_baseline: ClassVar[bool] = False
    is_sequential: ClassVar[bool] = False

    warn: Limit | None = None
    critical: Limit | None = None
    margin: float = 0.0
    """Distance back inside the limit that a recovering value must reach, in the metric's unit."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a threshold needs `warn`, `critical` or both: such as critical = { below = 0.9 }")
        if not (math.isfinite(self.margin) and self.margin >= 0):
            raise ValueError(f"margin is {format_exact(self.margin)}: give a finite distance of 0 or more")
        for _, limit in self.limits():
            _refuse_trap(limit, self.margin)
        if self.warn and self.critical:
            _refuse_contradiction(self.warn, self.critical)

    def __call__(self, past: Series, basis: Flags, current_level: Severity) -> Breach | None:  # noqa: ARG002
        """Judge the last value of `past` by itself; there is nothing to compare with."""
        value = past.latest
        for severity, limit in self.limits():
            slack = self.margin if current_level >= severity else 0.0
            crossed = limit.crossed_side(value, slack)
            if crossed:
                sign, side = crossed
                return Breach(severity, value, side, self._message(value, sign, side))
        return None

    def _message(self, value: float, sign: str, side: float) -> str:
        if (value < side) if sign == "<" else (value > side):
            return format_comparison(value, sign, side)
        return f"{format_value(value)} within {format_value(self.margin)} of {format_value(side)}"

    @property
    def min_history(self) -> int:
        """0: it asks for no past."""
        return 0

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Flags | None]:  # noqa: ARG002
        """Per series, at which points it objects with nothing held: a healthy one costs one comparison a limit."""
        return [flags if flags.any() else None for flags in map(self.exceeded, series_batch)]

    def exceeded(self, series: Series) -> Flags:
        """Per point whether it lies beyond any limit."""
        flags = [limit.exceeded(series.values) for _, limit in self.limits()]
        return flags[0] if len(flags) == 1 else flags[0] | flags[1]

    def levels(self, series: Series, basis: object, current_level: Severity) -> Levels:  # noqa: ARG002
        """Per point the level that `__call__` gives it while `held` is active."""
        found = np.zeros(len(series), dtype=np.int8)
        for severity, limit in reversed(self.limits()):
            found[limit.exceeded(series.values, self.margin if current_level >= severity else 0.0)] = severity
        return found

    def excess(self, series: Series, basis: object, level: Severity) -> Floats:  # noqa: ARG002
        """Per point the distance beyond the limit of `level`, in the metric's unit; negative inside it."""
        limit = next(limit for severity, limit in self.limits() if severity <= level)
        far = np.full(len(series), -np.inf)
        if limit.below is not None:
            far = limit.below - series.values
        if limit.above is not None:
            far = np.maximum(far, series.values - limit.above)
        return far

    def onsets(self, basis: object) -> None:
        """None: with the point itself."""

    def validate(self, kind: Baseline) -> None:
        """It compares with nothing, so no reference is wrong, nor of any use."""

    def limits(self) -> list[tuple[Severity, Limit]]:
        """Its limits, worst first."""
        pairs = ((Severity.CRITICAL, self.critical), (Severity.WARNING, self.warn))
        return [(severity, limit) for severity, limit in pairs if limit is not None]

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to: the warning's limit, where there are two."""
        return f"not {self.limits()[-1][1].describe(format_value).replace(' or ', ' nor ')}"

    def possible_levels(self) -> list[Severity]:
        """The levels that have a limit, worst first."""
        return [severity for severity, _ in self.limits()]

    def describe(self, name: str, show: Callable[[float], str], against: str = "") -> str:  # noqa: ARG002
        """What it asks.

        >>> Threshold(warn=Limit(below=0.92), critical=Limit(below=0.9)).describe("accuracy", format_value)
        'accuracy below 0.92 warns, below 0.90 is critical'
        """
        said = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}
        parts = [f"{limit.describe(show)} {said[severity]}" for severity, limit in reversed(self.limits())]
        return f"{name} {', '.join(parts)}"


def _refuse_trap(limit: Limit, margin: float) -> None:
    if limit.below is None or limit.above is None:
        return
    if limit.below + margin > limit.above - margin:
        raise ValueError(
            f"margin = {format_exact(margin)} leaves no value between below = {format_exact(limit.below)} and "
            f"above = {format_exact(limit.above)} that recovers: make it smaller"
        )


def _refuse_contradiction(warn: Limit, critical: Limit) -> None:
    if warn.below is not None and critical.below is not None and warn.below < critical.below:
        raise ValueError(
            f"warn below {format_exact(warn.below)} is never said, as below {format_exact(critical.below)} is critical already: "
            "warn at the higher limit"
        )
    if warn.above is not None and critical.above is not None and warn.above > critical.above:
        raise ValueError(
            f"warn above {format_exact(warn.above)} is never said, as above {format_exact(critical.above)} is critical already: "
            "warn at the lower limit"
        )
