"""Shapes that are fitted to a series, each at every position at once.

A shape is a level plus a step or a bend (a slope that starts), or such an atom that is reversed later. What atoms and
pairs of them explain are ratios of inner products under the precision matrix of the noise: running sums of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.diagnosis.timeseries.noise import Noise

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

Indices = NDArray[np.int64]
Bends = tuple[Indices | int, Indices | int, Indices | int]

MIN_BEFORE = 5
"""Periods before the first change: fewer do not establish a level."""
MAX_SPIKE_PERIODS = 3
"""Longest spike, in periods."""
SINGULAR = 1e-6
"""Ratio of a column's own length that must remain beside the other columns."""
MIN_RAMP_GAIN = 20.0
"""Minimum that a ramp must explain before a second one is fitted: their positions and slopes cost as much."""
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class FittedShape:
    """One shape at its best position."""

    name: str
    """`level`, `line` (one slope throughout), `step`, `bend` (a level, then a slope), `ramp` (a slope between two
    levels), `two ramps` (one that grows steeper or flatter), `spike` (one period), `burst` (two or three) or `return`
    (a step and back)."""
    parameters: int
    """Number of positions and heights beyond the level."""
    gain: float
    """Decrease of the sum of squares against the level alone, in squared standard errors."""
    curve: Floats
    """Difference of the shape from the level at each point, in the unit of the values."""
    start_index: int
    """Index of the first changed point."""
    end_index: int
    """Index of the first point behind the slope or the spike; the length of the series if nothing is reversed."""


class _Atoms(NamedTuple):
    """Inner products of all steps, or all bends, whose first changed point is `MIN_BEFORE` or later."""

    products: Floats
    """Of each with each, beyond the level; square."""
    with_level: Floats
    """Of each with itself, the level left in."""
    with_values: Floats
    """Of each with the values."""
    is_bend: bool

    def curve(self, k: int, n: int) -> Floats:
        """Return the atom of position k at each of n points."""
        since = np.arange(1.0, n + 1) - (MIN_BEFORE + k)
        curve: Floats = np.maximum(since, 0.0) if self.is_bend else (since > 0).astype(np.float64)
        return curve


class ShapeFitter:
    """Fits each shape to values, at least 10, oldest first, by generalised least squares."""

    def __init__(self, values: Floats, noise: Noise) -> None:
        self.n = len(values)
        precision = noise.precision()
        sums = precision.sum(axis=0)
        total = float(sums.sum())
        # Subtract the mean first, so that a level far from 0 does not drown the differences.
        centred = values - values.mean()
        weighted = precision @ centred
        weighted -= sums * (float(weighted.sum()) / total)
        self._line = self._fit_line(precision, sums, weighted)
        with_values, with_level = _sums_to_end(weighted[MIN_BEFORE:], 0), _sums_to_end(sums[MIN_BEFORE:], 0)
        beyond = precision[MIN_BEFORE:, MIN_BEFORE:] - np.outer(sums[MIN_BEFORE:], sums[MIN_BEFORE:] / total)
        steps = _sums_to_end(_sums_to_end(beyond, 0), 1)
        bends = _sums_to_end(_sums_to_end(steps, 1), 0)
        self._steps = _Atoms(steps, np.diag(steps) + with_level**2 / total, with_values, is_bend=False)
        level_of_bends = np.diag(bends) + _sums_to_end(with_level, 0) ** 2 / total
        self._bends = _Atoms(bends, level_of_bends, _sums_to_end(with_values, 0), is_bend=True)

    def shapes(self) -> list[FittedShape]:
        """Return each shape at its best position."""
        ramp = self._opposed("ramp", self._bends, 2, self.n)
        shapes = [
            self._line,
            self._single("step", self._steps, self.n),
            self._single("bend", self._bends, -1),  # a bend at the last point is a step
            ramp,
            self._opposed("spike", self._steps, 1, 1),
            self._opposed("burst", self._steps, 2, MAX_SPIKE_PERIODS),
            self._opposed("return", self._steps, MAX_SPIKE_PERIODS + 1, self.n),
        ]
        return [*shapes, self._two_ramps(ramp)] if ramp.gain > MIN_RAMP_GAIN else shapes

    def _fit_line(self, precision: Floats, sums: Floats, weighted: Floats) -> FittedShape:
        """Fit one slope from the first point to the last, which no bend behind `MIN_BEFORE` points describes."""
        times = np.arange(float(self.n))
        length = float(times @ precision @ times) - float(times @ sums) ** 2 / float(sums.sum())
        along = float(times @ weighted)
        return FittedShape("line", 1, along**2 / length, along / length * times, 0, self.n)

    def _single(self, name: str, atoms: _Atoms, stop: int) -> FittedShape:
        length = np.diag(atoms.products)
        regular = length > SINGULAR * atoms.with_level
        gain = np.where(regular, atoms.with_values**2 / np.maximum(length, _TINY), 0.0)[:stop]
        k = int(np.argmax(gain))
        height = float(atoms.with_values[k]) / max(float(length[k]), _TINY)
        return FittedShape(name, 2, float(gain[k]), height * atoms.curve(k, self.n), MIN_BEFORE + k, self.n)

    def _opposed(self, name: str, atoms: _Atoms, min_gap: int, max_gap: int) -> FittedShape:
        """Fit an atom that is reversed after a number of periods in a range."""
        own, with_values = np.diag(atoms.products), atoms.with_values
        sums = own[:, None] + own
        length = sums - 2 * atoms.products
        gain = with_values[:, None] - with_values
        gain *= gain
        gain /= np.maximum(length, _TINY)
        gain *= (length > SINGULAR * sums) & _valid_pairs(len(own), min_gap, max_gap)
        i, j = divmod(int(gain.argmax()), len(own))
        height = float(with_values[i] - with_values[j]) / max(float(length[i, j]), _TINY)
        curve = height * (atoms.curve(i, self.n) - atoms.curve(j, self.n))
        return FittedShape(name, 3, float(gain[i, j]), curve, MIN_BEFORE + i, MIN_BEFORE + j)

    def _two_ramps(self, ramp: FittedShape) -> FittedShape:
        """Fit a slope, another one, and a level again: from the best ramp on one of three bends moves at a time."""
        first, last = ramp.start_index - MIN_BEFORE, ramp.end_index - MIN_BEFORE
        everywhere = np.arange(len(self._bends.with_values) - 1)
        choices: list[Bends] = [(everywhere, first, last), (first, everywhere, last), (first, last, everywhere)]
        gain, bends = -1.0, (first, first, last)
        while (moved := max(map(self._best_bends, choices)))[0] > gain:
            gain, bends = moved
            i, j, k = bends
            choices = [(everywhere, j, k), (i, everywhere, k), (i, j, everywhere)]
        curves = [self._bends.curve(bend, self.n) for bend in bends]
        slopes = self._fit_two_ramps(*map(np.atleast_1d, bends))[1][:, 0]
        curve = slopes[0] * (curves[0] - curves[1]) + slopes[1] * (curves[1] - curves[2])
        return FittedShape("two ramps", 5, gain, curve, MIN_BEFORE + bends[0], MIN_BEFORE + bends[2])

    def _best_bends(self, bends: Bends) -> tuple[float, tuple[int, int, int]]:
        """Return the best gain of pairs of bends with one at any of many positions, and these bends."""
        i, j, k = np.broadcast_arrays(*bends)
        gain = self._fit_two_ramps(i, j, k)[0]
        best = int(np.argmax(gain))
        return float(gain[best]), (int(i[best]), int(j[best]), int(k[best]))

    def _fit_two_ramps(self, i: Indices, j: Indices, k: Indices) -> tuple[Floats, Floats]:
        """Return the gain of ramps from bend i to j and from j to k, and both slopes; 0 out of order."""
        shared, along = self._bends.products, self._bends.with_values
        a, b = shared[i, i] + shared[j, j] - 2 * shared[i, j], shared[j, j] + shared[k, k] - 2 * shared[j, k]
        common = shared[i, j] - shared[i, k] - shared[j, j] + shared[j, k]
        first, second = along[i] - along[j], along[j] - along[k]
        determinant = a * b - common**2
        valid = (i + 2 <= j) & (j + 2 <= k) & (determinant > SINGULAR * a * b)
        slopes = np.stack([first * b - second * common, second * a - first * common])
        slopes = np.where(valid, slopes / np.where(valid, determinant, 1.0), 0.0)
        return np.asarray(slopes[0] * first + slopes[1] * second), slopes


def _sums_to_end(products: Floats, axis: int) -> Floats:
    """Return the sums from each position to the last."""
    summed: Floats = np.ascontiguousarray(np.flip(np.cumsum(np.flip(products, axis), axis), axis))
    return summed


@lru_cache(maxsize=64)
def _valid_pairs(count: int, min_gap: int, max_gap: int) -> Flags:
    """Return which pairs of positions are so far apart; after more than a spike the last point alone is no level."""
    positions = np.arange(count)
    gap = positions - positions[:, None]
    valid: Flags = (gap >= min_gap) & (gap <= max_gap)
    if max_gap > MAX_SPIKE_PERIODS:
        valid[:, -1] = False
    return valid
