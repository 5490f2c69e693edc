"""The name of a course, from the curve of the description that fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.findings import Pattern
from monitor.patterns.shapes import BRIEF, Shape
from monitor.records import Better

if TYPE_CHECKING:
    from monitor.records import Floats

SUDDEN = 4
"""A fall that is over within so many periods is a sudden one."""
STEEP = 0.5
"""Share of a fall that must happen at one place for it to be sudden."""
BACK = 0.5
"""Share of a fall that must have come back for it to be recovering."""

WHOLE = 0.75
"""Share of a fall that must have come back within three periods for it to be a spike."""


@dataclass(frozen=True, slots=True)
class Named:
    """A pattern with the place of its first period and its size, after less before."""

    pattern: Pattern
    begin: int | None = None
    size: float | None = None


def named(shape: Shape, better: Better) -> Named:
    """What the curve is called: by its largest fall in the bad direction, and by what came after."""
    if shape.name == "level":
        return Named(Pattern.STEADY)
    if shape.name in ("spike", "burst"):
        return Named(Pattern.SPIKE, shape.begin, float(shape.curve[shape.begin]))
    up = _upwards(shape.curve, better)
    fall, rise = _fall(shape.curve * up), _fall(-shape.curve * up)
    if fall.size < rise.size / 2:
        return Named(Pattern.IMPROVING, rise.begin, up * rise.size)
    if rise.begin > fall.begin and rise.size >= BACK * fall.size:
        if rise.begin - fall.begin <= BRIEF and rise.size >= WHOLE * fall.size:
            return Named(Pattern.SPIKE, fall.begin, -up * fall.size)
        return Named(Pattern.RECOVERING, fall.begin, -up * fall.size)
    return Named(Pattern.DROP if fall.sudden else Pattern.DECLINE, fall.begin, -up * fall.size)


def _upwards(curve: Floats, better: Better) -> float:
    """The sign that makes a bad move a fall; without a better direction, the sign that makes the largest one so."""
    if better is not Better.NEITHER:
        return 1.0 if better is Better.HIGHER else -1.0
    return 1.0 if _fall(curve).size >= _fall(-curve).size else -1.0


@dataclass(frozen=True, slots=True)
class _Fall:
    begin: int
    size: float
    sudden: bool


def _fall(curve: Floats) -> _Fall:
    """The largest fall from any point to a later one."""
    below = np.maximum.accumulate(curve) - curve
    low = int(np.argmax(below))
    size = float(below[low])
    if size <= 0:
        return _Fall(0, 0.0, sudden=False)
    top = float(curve[: low + 1].max())
    # The last point at the top, give or take rounding: the fall begins after it.
    high = int(np.flatnonzero(curve[: low + 1] >= top - 1e-9 * size)[-1])
    paces = -np.diff(curve[high : low + 1])
    steepest = int(np.argmax(paces))
    leap = float(paces[steepest]) >= STEEP * size
    whole = int(np.flatnonzero(below[: low + 1] >= (1 - 1e-9) * size)[0])
    begin = high + 1 + (steepest if leap else 0)
    return _Fall(begin, size, sudden=leap or whole - high <= SUDDEN)
