"""The descriptions that are tried on a course, each fitted at every place at once.

A description is a level plus one or two atoms: a step or a bend (a slope that begins) at some place, or a few periods
apart from the rest. How much an atom explains is a ratio of inner products, and so is how much a pair of them
explains, all under the precision matrix of the noise. A step is a sum of single periods and a bend a sum of steps:
so these products, for all places and all pairs of places, are running sums of that matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.diagnosis.timeseries.noise import Noise

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

    Places = NDArray[np.int64]
    Three = tuple[Places | int, Places | int, Places | int]

MIN_BEFORE = 5
"""Periods before the first change: fewer tell no level."""
MAX_SPIKE_PERIODS = 3
"""Periods that a spike lasts at most."""
SINGULAR = 1e-6
"""Share of its own length that a column must keep beside the others."""
MIN_RAMP_GAIN = 20.0
"""What a ramp must explain before a second one beside it is sought: their places and slopes cost as much."""
SWEEPS = 5
"""Rounds in which the places of three changes are moved, at most."""
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class FittedShape:
    """One description at its best place."""

    name: str
    parameters: int
    """Places and heights beyond the level."""
    gain: float
    """By how much the sum of squares falls against the level alone, in squared standard errors."""
    curve: Floats
    """What it adds to the level at each point, in the unit of the values."""
    start_index: int
    """Place of the first changed point."""
    end_index: int
    """Place after the last one of a spike, or after the ramp; else of the second change."""


class _Basis(NamedTuple):
    """Products of all atoms of one kind, whose first changed point is `BEFORE` or later."""

    length: Floats
    """Of each with itself, beyond the level."""
    own: Floats
    """The same with the level left in."""
    along: Floats
    """Of each with the values."""
    slanted: bool
    """Bends rather than steps."""

    def curve(self, k: int, n: int) -> Floats:
        """The one of place k at each of n points."""
        since = np.arange(1.0, n + 1) - (MIN_BEFORE + k)
        curve: Floats = np.maximum(since, 0.0) if self.slanted else (since > 0).astype(np.float64)
        return curve


class ShapeFitter:
    """Tries descriptions on at least 10 values, given their noise; the level is taken off first."""

    def __init__(self, values: Floats, noise: Noise) -> None:
        """Prepare all products."""
        self.n = len(values)
        precision = noise.precision()
        sums = precision.sum(axis=0)
        level = float(sums.sum())
        # The mean goes first, so that a level far from 0 does not drown what is beyond it.
        centred = values - values.mean()
        weighed = precision @ centred
        weighed -= sums * (float(weighed.sum()) / level)
        self.error = float(centred @ weighed)
        """Weighted sum of squares beside the level alone."""
        times = np.arange(float(self.n))
        slope = float(times @ precision @ times) - float(times @ sums) ** 2 / level
        self._slope = slope, float(times @ weighed)
        along, with_level = _later(weighed[MIN_BEFORE:], 0), _later(sums[MIN_BEFORE:], 0)
        beyond = precision[MIN_BEFORE:, MIN_BEFORE:] - np.outer(sums[MIN_BEFORE:], sums[MIN_BEFORE:] / level)
        steps = _later(_later(beyond, 0), 1)
        mixed = _later(steps, 1)
        bends = _later(mixed, 0)
        self._steps = _atoms(np.diag(steps), with_level**2 / level, along, slanted=False)
        self._bends = _atoms(np.diag(bends), _later(with_level, 0) ** 2 / level, _later(along, 0), slanted=True)
        self._products = {(False, False): steps, (False, True): mixed, (True, True): bends}

    def shapes(self) -> list[FittedShape]:
        """Each description at its best place; those of two changes only where there is room for two."""
        return [*self.singles(), *self._pairs()]

    def singles(self) -> Iterator[FittedShape]:
        """Those of one change."""
        for name, atoms, last in (("step", self._steps, None), ("bend", self._bends, -1)):
            there = atoms.length > SINGULAR * atoms.own
            gain = np.where(there, atoms.along**2 / np.maximum(atoms.length, _TINY), 0.0)[:last]
            k = int(np.argmax(gain))
            curve = float(atoms.along[k]) / max(float(atoms.length[k]), _TINY) * atoms.curve(k, self.n)
            yield FittedShape(name, 2, float(gain[k]), curve, MIN_BEFORE + k, self.n)
        yield self._line()
        yield self._apart("spike", range(1, 2))
        yield self._apart("burst", range(2, MAX_SPIKE_PERIODS + 1))

    def _line(self) -> FittedShape:
        """One slope throughout."""
        length, along = self._slope
        return FittedShape("line", 1, along**2 / length, along / length * np.arange(float(self.n)), 0, self.n)

    def _apart(self, name: str, widths: range) -> FittedShape:
        """A few periods that stand apart, and some after them that do not: a step, and the same step back."""
        best = FittedShape(name, 3, -1.0, np.zeros(self.n), 0, 0)
        length, _, along, _ = self._steps
        for width in widths:
            own = length[:-width] + length[width:] - 2 * np.diag(self._products[False, False], width)
            height = (along[:-width] - along[width:]) / np.maximum(own, _TINY)
            gain = height**2 * own
            k = int(np.argmax(gain))
            if gain[k] > best.gain:
                first = MIN_BEFORE + k
                curve = np.zeros(self.n)
                curve[first : first + width] = height[k]
                best = FittedShape(name, 3, float(gain[k]), curve, first, first + width)
        return best

    def _pairs(self) -> Iterator[FittedShape]:
        steps, bends = self._steps, self._bends
        ramp = self._opposed("ramp", bends, 2)
        yield ramp
        if ramp.gain > MIN_RAMP_GAIN:
            yield self._two_ramps(ramp.start_index - MIN_BEFORE, ramp.end_index - MIN_BEFORE)
        yield self._opposed("return", steps, MAX_SPIKE_PERIODS + 1)
        for name, first, second in (
            ("two steps", steps, steps),
            ("step and bend", steps, bends),
            ("bend and step", bends, steps),
            ("two bends", bends, bends),
        ):
            yield self._two(name, first, second)

    def _opposed(self, name: str, atoms: _Basis, least: int) -> FittedShape:
        """The best pair of an atom and the same one taken away again, at least so many places later."""
        a, along = atoms.length, atoms.along
        sums = a[:, None] + a
        length = sums - 2 * self._products[atoms.slanted, atoms.slanted]
        gain = along[:, None] - along
        gain *= gain
        gain /= np.maximum(length, _TINY)
        gain *= (length > SINGULAR * sums) & _later_than(len(a), least)
        i, j = divmod(int(gain.argmax()), len(a))
        height = float(along[i] - along[j]) / max(float(length[i, j]), _TINY)
        curve = height * (atoms.curve(i, self.n) - atoms.curve(j, self.n))
        return FittedShape(name, 3, float(gain[i, j]), curve, MIN_BEFORE + i, MIN_BEFORE + j)

    def _two_ramps(self, first: int, last: int) -> FittedShape:
        """A slope, another one, and a level again: from the best ramp on, one of the three places is moved at a time.

        Args:
            first: Place of the ramp's first bend.
            last: Of its last.
        """
        places = np.arange(len(self._bends.length) - 1)
        starts: list[Three] = [(places, first, last), (first, places, last), (first, last, places)]
        best, (i, j, k) = max((self._best_of(start) for start in starts), key=lambda one: one[0])
        for _ in range(SWEEPS):
            before = best
            for which in range(3):
                free: Three = ((places, j, k), (i, places, k), (i, j, places))[which]
                best, (i, j, k) = max((best, (i, j, k)), self._best_of(free), key=lambda one: one[0])
            if best <= before:
                break
        curves = [self._bends.curve(place, self.n) for place in (i, j, k)]
        gain, heights = self._ramps(np.array([i]), np.array([j]), np.array([k]))
        curve = heights[0, 0] * (curves[0] - curves[1]) + heights[1, 0] * (curves[1] - curves[2])
        return FittedShape("two ramps", 5, float(gain[0]), curve, MIN_BEFORE + i, MIN_BEFORE + k)

    def _best_of(self, places: Three) -> tuple[float, tuple[int, int, int]]:
        """Of places one of which is free."""
        i, j, k = np.broadcast_arrays(*places)
        gain = self._ramps(i, j, k)[0]
        best = int(np.argmax(gain))
        return float(gain[best]), (int(i[best]), int(j[best]), int(k[best]))

    def _ramps(self, i: Places, j: Places, k: Places) -> tuple[Floats, Floats]:
        """What two ramps, from bend i to j and from j to k, explain together, and their slopes; 0 out of order."""
        length, _, along, _ = self._bends
        shared = self._products[True, True]
        a, b = length[i] + length[j] - 2 * shared[i, j], length[j] + length[k] - 2 * shared[j, k]
        common = shared[i, j] - shared[i, k] - length[j] + shared[j, k]
        one, other = along[i] - along[j], along[j] - along[k]
        size = a * b - common**2
        good = (i + 2 <= j) & (j + 2 <= k) & (size > SINGULAR * a * b)
        size = np.where(good, size, 1.0)
        heights = np.where(good, np.stack([one * b - other * common, other * a - one * common]) / size, 0.0)
        return np.asarray(heights[0] * one + heights[1] * other), heights

    def _two(self, name: str, first: _Basis, second: _Basis) -> FittedShape:
        """The best pair of an atom and a later one."""
        a, b, along, other = first.length, second.length, first.along, second.along
        shared = self._shared(first, second)
        squares = a[:, None] * b
        length = squares - shared**2
        gain = shared * (-2 * along[:, None] * other)
        gain += (along**2)[:, None] * b
        gain += other**2 * a[:, None]
        gain /= np.maximum(length, _TINY)
        gain *= (length > SINGULAR * squares) & _later_than(len(a), 2)
        i, j = divmod(int(gain.argmax()), len(a))
        size, common = max(float(length[i, j]), _TINY), float(shared[i, j])
        heights = (along[i] * b[j] - other[j] * common) / size, (other[j] * a[i] - along[i] * common) / size
        curve = heights[0] * first.curve(i, self.n) + heights[1] * second.curve(j, self.n)
        return FittedShape(name, 4, float(gain[i, j]), curve, MIN_BEFORE + i, MIN_BEFORE + j)

    def _shared(self, first: _Basis, second: _Basis) -> Floats:
        """Products of the one kind with the other."""
        if first.slanted and not second.slanted:
            return self._products[False, True].T
        return self._products[first.slanted, second.slanted]


def _atoms(length: Floats, level: Floats, along: Floats, *, slanted: bool) -> _Basis:
    return _Basis(length, length + level, along, slanted)


def _later(products: Floats, axis: int) -> Floats:
    """Sums from each place to the end."""
    summed: Floats = np.ascontiguousarray(np.flip(np.cumsum(np.flip(products, axis), axis), axis))
    return summed


@lru_cache(maxsize=64)
def _later_than(places: int, least: int) -> Flags:
    """Whether one place is so much later than another, and not the last."""
    beside = np.arange(places)
    later: Flags = (beside - beside[:, None] >= least) & (beside < places - 1)
    return later
