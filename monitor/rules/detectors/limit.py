"""The fixed limit of a metric: a floor, a ceiling, or both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Flags, Floats
from modeltop.core.text import format_exact


@dataclass(frozen=True, slots=True)
class Limit:
    """A floor, a ceiling, or both, in the metric's unit. Exactly on the limit is fine.

    Raises:
        ValueError: Neither is given, one is not finite, or the floor lies above the ceiling.
    """

    below: float | None = None
    """The floor: smaller values are beyond it."""
    above: float | None = None
    """The ceiling: larger values are beyond it."""

    def __post_init__(self) -> None:
        given = [value for value in (self.below, self.above) if value is not None]
        if not given:
            raise ValueError("a limit needs `below`, `above` or both")
        if not np.all(np.isfinite(given)):
            raise ValueError("a limit must be a finite number")
        if len(given) == 2 and given[0] > given[1]:
            below, above = map(format_exact, given)
            raise ValueError(f"below = {below} lies above above = {above}: every value would be wrong")

    def exceeded(self, values: Floats, margin: float = 0.0) -> Flags:
        """Return where values lie beyond the limit, or inside it but nearer to it than `margin`.

        >>> Limit(below=0.9).exceeded(np.array([0.9, 0.89])).tolist()
        [False, True]
        """
        flags: Flags = np.zeros(np.shape(values), dtype=np.bool_)
        if self.below is not None:
            flags = flags | (values < self.below + margin)
        if self.above is not None:
            flags = flags | (values > self.above - margin)
        return flags

    def distance(self, values: Floats) -> Floats:
        """Return how far values lie beyond the limit, negative inside of it."""
        below = np.inf if self.below is None else values - self.below
        above = np.inf if self.above is None else self.above - values
        return -np.minimum(below, above)

    def crossed_side(self, value: float, margin: float = 0.0) -> tuple[str, float] | None:
        """Return the sign and the side of the limit that `value` exceeds, such as `("<", 0.9)`; None if it is fine."""
        if self.below is not None and value < self.below + margin:
            return "<", self.below
        if self.above is not None and value > self.above - margin:
            return ">", self.above
        return None

    def describe(self, show: Callable[[float], str]) -> str:
        """Return which values lie beyond it, such as `below 0.2 or above 0.8`."""
        sides = (("below", self.below), ("above", self.above))
        return " or ".join(f"{word} {show(value)}" for word, value in sides if value is not None)
