"""A value beyond a fixed limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Breach, Flags, Series, Severity
from modeltop.core.text import format_comparison, format_exact, format_value
from modeltop.rules.detectors.base import (
    QueryContext,
    Scan,
    SingleSeriesDetector,
    configured_pairs,
    describe_levels,
    detector,
)
from modeltop.rules.detectors.limit import Limit


@detector("threshold")
@dataclass(frozen=True, slots=True)
class Threshold(SingleSeriesDetector):
    """Breached by a value beyond a limit; exactly on the limit is fine.

    Raises:
        ValueError: There is no limit, the margin is no distance or leaves no value that recovers, or a value could be
            critical before it is worth a warning.
    """

    warn: Limit | None = None
    critical: Limit | None = None
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a threshold needs `warn`, `critical` or both: such as critical = { below = 0.9 }")
        if not (math.isfinite(self.margin) and self.margin >= 0):
            raise ValueError(f"margin is {format_exact(self.margin)}: give a finite distance of 0 or more")
        for _, limit in self.limits():
            _validate_margin(limit, self.margin)
        if self.warn and self.critical:
            _validate_order(self.warn, self.critical)

    def _scan_one(self, series: Series, context: QueryContext) -> Scan | None:  # noqa: ARG002
        if not self.exceeded(series).any():  # a healthy series costs one comparison per limit
            return None
        values = series.values
        levels, continued = np.zeros((2, len(values)), dtype=np.int8)
        excess = np.full(len(values), -np.inf)
        for severity, limit in reversed(self.limits()):
            beyond = limit.exceeded(values)
            levels[beyond], excess[beyond] = severity, limit.distance(values)[beyond]
            continued[limit.exceeded(values, self.margin)] = severity
        # A critical value is worse than any that warns, whose distance is less than 2 that way.
        excess = np.where(levels == Severity.CRITICAL, 2 + excess, np.arctan(excess))
        return Scan(levels=levels, excess=excess, continued=continued)

    def exceeded(self, series: Series) -> Flags:
        """Return, per point, whether it lies beyond any limit."""
        flags = [limit.exceeded(series.values) for _, limit in self.limits()]
        return flags[0] if len(flags) == 1 else flags[0] | flags[1]

    def breach(self, past: Series, scan: object, level: Severity) -> Breach:  # noqa: ARG002
        """Return which side of the limit the value is on: that of the level, or of a higher one without it."""
        value = past.latest
        limit = next(limit for severity, limit in reversed(self.limits()) if severity >= level)
        crossed = limit.crossed_side(value, self.margin)
        assert crossed is not None, "a value that has a level lies beyond its limit, or within the margin of it"
        sign, side = crossed
        if (value < side) if sign == "<" else (value > side):
            return Breach(level, value, side, format_comparison(value, sign, side, past.digits))
        message = f"{past.format(value)} within {format_value(self.margin)} of {format_value(side)}"
        return Breach(level, value, side, message)

    def limits(self) -> list[tuple[Severity, Limit]]:
        """Return its limits, worst first."""
        return configured_pairs(self.warn, self.critical)

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach: by the warning's limit, if there are two."""
        return f"not {self.limits()[-1][1].describe(format_value).replace(' or ', ' nor ')}"

    def describe(self, name: str, show: Callable[[float], str], against: str = "") -> str:  # noqa: ARG002
        """Return the condition, such as `accuracy below 0.92 warns, below 0.90 is critical`."""
        return f"{name} {describe_levels(self.warn, self.critical, lambda limit: limit.describe(show))}"


def _validate_margin(limit: Limit, margin: float) -> None:
    if limit.below is None or limit.above is None:
        return
    if limit.below + margin > limit.above - margin:
        raise ValueError(
            f"margin = {format_exact(margin)} leaves no value between below = {format_exact(limit.below)} and "
            f"above = {format_exact(limit.above)} that recovers: make it smaller"
        )


def _validate_order(warn: Limit, critical: Limit) -> None:
    sides = (("below", warn.below, critical.below, "higher", 1), ("above", warn.above, critical.above, "lower", -1))
    for side, warned, reached, remedy, sign in sides:
        if warned is not None and reached is not None and sign * warned < sign * reached:
            raise ValueError(
                f"warn {side} {format_exact(warned)} would never fire, as {side} {format_exact(reached)} is critical "
                f"already: warn at the {remedy} limit"
            )
