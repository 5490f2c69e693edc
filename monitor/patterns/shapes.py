"""The descriptions that are tried on a course, each fitted at every place at once.

A description is a level plus one or two atoms: a step or a bend (a slope that begins) at some place, or a few periods
apart from the rest. Atoms are columns; once these are whitened, how much a column explains is one inner product, and
how much a pair of them explains is a ratio of entries of their Gram matrix. So all places, and all pairs of places,
cost a few products of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from monitor.explain.noise import Noise

if TYPE_CHECKING:
    from monitor.records import Flags, Floats

BEFORE = 5
"""Periods before the first change: fewer tell no level."""
BRIEF = 3
"""Periods that a spike lasts at most."""
SINGULAR = 1e-6
"""Share of its own length that a column must keep beside the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One description at its best place."""

    name: str
    parameters: int
    """Places and heights beyond the level."""
    gain: float
    """By how much the sum of squares falls against the level alone, in squared standard errors."""
    curve: Floats
    """What it adds to the level at each point, in the unit of the values."""
    begin: int
    """Place of the first changed point."""
    end: int
    """Place after the last one of a spike, or after the ramp; else of the second change."""


@lru_cache(maxsize=16)
def _atoms(n: int) -> tuple[Floats, Floats]:
    """Steps and bends, whose first changed point is `BEFORE` or later, and spikes; one a row."""
    since = np.arange(n, dtype=np.float64)[None, :] - np.arange(BEFORE, n, dtype=np.float64)[:, None]
    steps, bends = (since >= 0).astype(np.float64), np.maximum(since + 1, 0.0)
    spikes = [(steps * (since < width))[: n - width - BEFORE] for width in range(1, BRIEF + 1)]
    return np.concatenate([steps, bends, np.arange(n, dtype=np.float64)[None, :]]), np.concatenate(spikes)


class Fitter:
    """Tries descriptions on at least 10 values, given their noise; the level is taken off first."""

    def __init__(self, values: Floats, noise: Noise) -> None:
        """Prepare all columns."""
        self.n = len(values)
        self._noise = noise
        level = noise.whitened(np.ones(self.n))
        self._level = level / np.sqrt(level @ level)
        self._rest = self._prepared(values)
        self.error = float(self._rest @ self._rest)
        """Weighted sum of squares beside the level alone."""
        self._atoms, self._spikes = _atoms(self.n)
        columns = self._prepared(self._atoms)
        self._gram, self._along = columns @ columns.T, columns @ self._rest
        apart = self._prepared(self._spikes)
        self._spike_lengths = np.einsum("ij,ij->i", apart, apart), apart @ self._rest
        self._own = np.einsum("ij,ij->i", self._noise.whitened(self._atoms), self._noise.whitened(self._atoms))

    def _prepared(self, columns: Floats) -> Floats:
        whitened = self._noise.whitened(columns)
        beyond: Floats = whitened - (whitened @ self._level)[..., None] * self._level
        return beyond

    def shapes(self) -> list[Shape]:
        """Each description at its best place; those of two changes only where there is room for two."""
        return [*self._singles(), *self._pairs()]

    def _singles(self) -> Iterator[Shape]:
        places = self.n - BEFORE
        steps, bends, line = slice(0, places), slice(places, 2 * places - 1), slice(2 * places, None)
        for name, part, parameters in (("step", steps, 2), ("bend", bends, 2), ("line", line, 1)):
            length, along = np.diag(self._gram)[part], self._along[part]
            gain = np.where(length > SINGULAR * self._own[part], along**2 / np.maximum(length, 1e-300), 0.0)
            k = int(np.argmax(gain))
            curve = along[k] / max(float(length[k]), 1e-300) * self._atoms[part][k]
            yield Shape(name, parameters, float(gain[k]), curve, 0 if name == "line" else BEFORE + k, self.n)
        length, along = self._spike_lengths
        gain = along**2 / np.maximum(length, 1e-300)
        single = self.n - 1 - BEFORE
        for name, part in (("spike", slice(0, single)), ("burst", slice(single, None))):
            k = int(np.argmax(gain[part]))
            column = self._spikes[part][k]
            inside = np.flatnonzero(column)
            curve = along[part][k] / float(length[part][k]) * column
            yield Shape(name, 3, float(gain[part][k]), curve, int(inside[0]), int(inside[-1]) + 1)

    def _pairs(self) -> Iterator[Shape]:
        m = self.n - BEFORE
        steps, bends = slice(0, m), slice(m, 2 * m)
        kinds = (
            ("ramp", bends, bends, -1),
            ("return", steps, steps, -1),
            ("two steps", steps, steps, 0),
            ("step and bend", steps, bends, 0),
            ("bend and step", bends, steps, 0),
            ("two bends", bends, bends, 0),
        )
        for name, first, second, sign in kinds:
            yield self._pair(name, first, second, opposed=sign < 0)

    def _pair(self, name: str, first: slice, second: slice, *, opposed: bool) -> Shape:
        """The best pair of an atom and a later one; `opposed` where the second takes away what the first gave."""
        a, b, ab = np.diag(self._gram)[first], np.diag(self._gram)[second], self._gram[first, second]
        along, other = self._along[first], self._along[second]
        if opposed:
            length = a[:, None] + b[None, :] - 2 * ab
            good = length > SINGULAR * (a[:, None] + b[None, :])
            gain = (along[:, None] - other[None, :]) ** 2 / np.where(good, length, 1.0)
        else:
            length = a[:, None] * b[None, :] - ab**2
            gain = along[:, None] ** 2 * b[None, :] - 2 * along[:, None] * other[None, :] * ab
            good = length > SINGULAR * a[:, None] * b[None, :]
            gain = (gain + other[None, :] ** 2 * a[:, None]) / np.where(good, length, 1.0)
        gain[~(good & _apart(len(a), BRIEF + 1 if name == "return" else 2))] = 0.0
        i, j = np.unravel_index(int(np.argmax(gain)), gain.shape)
        size = np.maximum(length[i, j], 1e-300)
        if opposed:
            heights = (along[i] - other[j]) / size * np.array([1.0, -1.0])
        else:
            heights = np.array([along[i] * b[j] - other[j] * ab[i, j], other[j] * a[i] - along[i] * ab[i, j]]) / size
        curve = heights[0] * self._atoms[first][i] + heights[1] * self._atoms[second][j]
        return Shape(name, 3 if opposed else 4, float(gain[i, j]), curve, BEFORE + int(i), BEFORE + int(j))


@lru_cache(maxsize=32)
def _apart(places: int, least: int) -> Flags:
    beside = np.arange(places)
    apart: Flags = (beside[None, :] - beside[:, None] >= least) & (beside[None, :] < places - 1)
    return apart
