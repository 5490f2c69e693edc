"""A limit: beyond which value a number is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.text import format_exact

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats


@dataclass(frozen=True, slots=True)
class Limit:
    """A floor, a ceiling, or both. Exactly on the limit is fine.

    Raises ValueError if neither is given, if one is not finite, or if the floor lies above the ceiling.
    """

    below: float | None = None
    above: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.below, self.above) if value is not None]
        if not given:
            raise ValueError("a limit needs `below`, `above` or both")
        if not np.all(np.isfinite(given)):
            raise ValueError("a limit must be a finite number")
        if len(given) == 2 and given[0] > given[1]:
            raise ValueError(
                f"below = {format_exact(given[0])} lies above above = {format_exact(given[1])}: every value would be wrong"
            )

    def exceeded(self, values: Floats, margin: float = 0.0) -> Flags:
        """True where a value lies beyond the limit, or nearer to it than `margin`.

        >>> Limit(below=0.9).exceeded(np.array([0.9, 0.89])).tolist()
        [False, True]
        """
        wrong: Flags = np.zeros(np.shape(values), dtype=np.bool_)
        if self.below is not None:
            wrong = wrong | (values < self.below + margin)
        if self.above is not None:
            wrong = wrong | (values > self.above - margin)
        return wrong

    def crossed_side(self, value: float, margin: float = 0.0) -> tuple[str, float] | None:
        """The sign and the side of the limit that `value` is beyond, such as `("<", 0.9)`; None if it is fine."""
        if self.below is not None and value < self.below + margin:
            return "<", self.below
        if self.above is not None and value > self.above - margin:
            return ">", self.above
        return None

    def describe(self, show: Callable[[float], str]) -> str:
        """Which values lie beyond it.

        >>> Limit(below=0.2, above=0.8).describe(str)
        'below 0.2 or above 0.8'
        """
        sides = (("below", self.below), ("above", self.above))
        return " or ".join(f"{word} {show(value)}" for word, value in sides if value is not None)
