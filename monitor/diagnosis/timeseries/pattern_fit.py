"""Shapes that are fitted to a series, each at every position at once, by generalized least squares.

A ramp is the difference of two bends (slopes that start), a return that of two steps, and a shape that goes on is one
of either alone. What each explains follows from inner products, which are running sums of the precision matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.diagnosis.timeseries.noise import Noise

Indices = NDArray[np.int64]

MIN_BEFORE = 5
"""Periods before a change: fewer do not establish a level."""
MAX_SPIKE_PERIODS = 3
"""Longest spike, in periods."""
SINGULAR = 1e-8
"""Ratio to the lengths of two atoms that their difference must have beside the level: less is rounding."""
STEPS, BENDS = ("step", "spike", "burst", "return"), ("line", "slope", "ramp")
"""Shapes of steps: one that stays, one of a single period, of two or three, and a longer one that comes back. Shapes of
bends: a slope throughout, one up to the last point, and one between two levels."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedShape:
    """One shape at its best position."""

    name: str
    gain: float
    """Decrease of the sum of squares against the level alone, in squared standard errors."""
    curve: Floats
    """Difference of the shape from the level at each point, in the unit of the values."""
    start_index: int
    """Index of the first changed point."""
    end_index: int
    """Index of the first point behind the slope or the return; the length of the series if nothing is reversed."""

    @property
    def is_short(self) -> bool:
        """Whether it is over within `MAX_SPIKE_PERIODS`."""
        return self.name in ("spike", "burst")

    @property
    def size(self) -> float:
        """The change from the level before to that after, or to that from which it returned."""
        return float(self.curve[self.end_index - 1])


class _Atoms(NamedTuple):
    """Inner products of steps, or bends, from each of the points on, and of none at all as the last."""

    products: Floats
    """Of each with each; square."""
    with_level: Floats
    with_values: Floats
    """With the values beside their level."""
    level: float
    """Of the level with itself."""


def fit_shapes(values: Floats, noise: Noise) -> list[FittedShape]:
    """Return each shape at its best position in values, at least 10, oldest first."""
    n = len(values)
    # Subtract the mean first, so that a level far from 0 does not drown the differences.
    sums, weighted = noise.weigh(np.ones(n)), noise.weigh(values - values.mean())
    level = float(sums.sum())
    weighted -= sums * (float(weighted.sum()) / level)
    with_level, with_values = (_sums_to_end(np.append(column, 0.0)) for column in (sums, weighted))
    # The product of two steps is that of the later one with the level: the precision matrix is tridiagonal.
    places = np.arange(n + 1)
    products = with_level[np.maximum(places[:, None], places)]
    products[places[1:n], places[1:n]] -= noise.off_diagonal()
    steps = _Atoms(products, with_level, with_values, level)
    # A bend is the sum of all steps from its place on.
    products = _sums_to_end(_sums_to_end(products.T).T)
    bends = _Atoms(products, _sums_to_end(with_level), _sums_to_end(with_values), level)
    return [*_best_of_each(STEPS, steps, n), *_best_of_each(BENDS, bends, n)]


def _best_of_each(names: tuple[str, ...], atoms: _Atoms, n: int) -> Iterator[FittedShape]:
    """Yield the best difference of two atoms for each of some shapes."""
    own = np.diag(atoms.products)
    beyond = atoms.products - np.outer(atoms.with_level, atoms.with_level / atoms.level)
    length = np.diag(beyond)[:, None] + np.diag(beyond) - 2 * beyond
    is_regular = length > SINGULAR * (own[:, None] + own)
    difference = atoms.with_values[:, None] - atoms.with_values
    gain = np.divide(difference**2, length, out=np.zeros_like(length), where=is_regular).ravel()
    for name in names:
        places = _places(name, n)
        if not len(places):
            continue
        best = int(places[gain[places].argmax()])
        start, end = divmod(best, n + 1)
        height = float(difference[start, end]) / float(length[start, end]) if gain[best] else 0.0
        since = np.arange(1.0, n + 1) - start
        curve = np.clip(since, 0.0, end - start)
        if names is STEPS:
            curve = ((since > 0) & (since <= end - start)).astype(np.float64)
        yield FittedShape(name, float(gain[best]), height * curve, start, end)


def _sums_to_end(values: Floats) -> Floats:
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


@lru_cache(maxsize=128)
def _places(name: str, n: int) -> Indices:
    start, end = np.arange(n + 1)[:, None], np.arange(n + 1)
    gap, has_level_before, has_level_after = end - start, start >= MIN_BEFORE, end <= n - 2
    valid: dict[str, Flags] = {
        "step": has_level_before & (start < n) & (end == n),
        "spike": has_level_before & (gap == 1) & (end < n),
        "burst": has_level_before & (gap > 1) & (gap <= MAX_SPIKE_PERIODS) & (end < n),
        "return": has_level_before & (gap > MAX_SPIKE_PERIODS) & has_level_after,
        "line": (start == 1) & (end == n),
        "slope": has_level_before & (gap > 1) & (end == n),
        "ramp": has_level_before & (gap > 1) & has_level_after,
    }
    return np.flatnonzero(valid[name])
