"""One-sided cumulative sums that look for what has lastingly fallen, over many sequences at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.int32]
    Fresh = NDArray[np.int64]

MIN_RELATIVE_STD = 1e-3
"""Least deviation as a share of the mean: of a sequence that never varied, nothing tells how much is much."""
OUTLIER_CUTOFF = 3.5
"""Deviations from its reference at which a value is cut off before it becomes reference itself."""
MAX_AUTOCORRELATION = 0.9
"""Most autocorrelation that is believed."""


@dataclass(frozen=True, slots=True)
class Cusum:
    """A one-sided cumulative sum (Page 1954, Biometrika 41) against a reference that is estimated as it goes.

    A run begins where the sum leaves 0. What its values are compared with are the values before it, and stay those
    as long as it lasts: what lasts does not become what is usual while it is looked at. A deviate is cut off at
    `cap`, so that one period alone says little (Lucas and Crosier 1982, Technometrics 24): with the defaults three are
    needed, and of a collapse two. It is made smaller by what is not known of its deviation, which was estimated from
    few values, and by what their autocorrelation adds to the spread of a sum, (1 + r) / (1 - r) (Johnson and Bagshaw
    1974, Technometrics 16).

    With the defaults, independent normal values and 60 of them before it, a fall by 3 deviations is found within 6
    values in 97 of 100 cases, in 99 where their chance is known; healthy ones raise 0.005 false alarms in 365, 0.017
    where their chance is known. What is skewed raises more: see `tests/benchmarks/detection`.
    """

    slack: float = 1.1
    """Deviations that are taken from each deviate: half of the smallest fall that is looked for."""
    threshold: float = 3.7
    """The sum beyond which it has fallen."""
    cap: float = 2.6
    """Most deviations that one value counts for."""
    collapse: float = 0.5
    """What a value that lies two and a half times as far as the cap, or further, counts for beyond it."""
    scale_uncertainty: float = 2.0
    """Where chance is not known, the deviation may be so many of its standard errors larger than it was estimated:
    values of few cases, such as a score of four yes, are skewed, and their spread is hard to tell."""
    max_reference: int = 60
    """Values in the reference at most."""
    min_reference: int = 10
    """With fewer nothing is said."""
    recovery_values: int = 3
    """Values in a row within `slack` of the reference that end a run which had fallen."""
    max_run: int = 120
    """A run this long ends, and what it has fallen to is the reference of what comes."""


class Sequences(NamedTuple):
    """N sequences of T values at most, shape (T, N) all."""

    values: Floats
    """Falls are bad; NaN behind the end of a shorter sequence."""
    noise: Floats | None = None
    """What of a value's variance is chance alone; None where that is not known."""
    trust: Floats | None = None
    """0 to 1: what a deviate counts for; None: all of it."""

    def take(self, some: NDArray[np.int64]) -> Sequences:
        """Some of them."""
        return Sequences(*(None if one is None else np.ascontiguousarray(one[:, some]) for one in self))  # type: ignore[arg-type]

    def row(self, row: int) -> Sequences:
        """The values of one row."""
        return Sequences(*(None if one is None else one[row] for one in self))  # type: ignore[arg-type]


class CusumPath(NamedTuple):
    """What is known at each value, shape (T, N) all."""

    score: Floats
    """The sum; 0 outside of runs."""
    peak: Floats
    """Its highest value in the run so far."""
    start: Places
    """Row of the first value of the run; the row itself outside of runs."""


def scan(many: Sequences, how: Cusum) -> CusumPath:
    """Follow the sequences, each row by row."""
    rows, number = many.values.shape
    score, peak = np.zeros((2, rows, number))
    start = np.tile(np.arange(rows, dtype=np.int32)[:, None], (1, number))
    walk = _CusumState(many.values[:1], how)
    for row in range(rows):
        walk.step(row, many.row(row))
        score[row], peak[row] = walk.score, walk.peak
        np.copyto(start[row], walk.start, where=walk.score > 0)
    return CusumPath(score, peak, start)


def any_alarm(many: Sequences, how: Cusum) -> Flags:
    """Whether a sequence ever falls: the same walk, of which nothing is kept; shape (N,)."""
    walk = _CusumState(many.values[:1], how)
    for row in range(len(many.values)):
        walk.step(row, many.row(row))
    return walk.ever


class _CusumState:
    """What is known of N sequences up to a row."""

    def __init__(self, first: Floats, how: Cusum) -> None:
        number = first.shape[1]
        self.how = how
        self.anchor = np.nan_to_num(first[0]) if len(first) else np.zeros(number)
        """Taken from all values, so that squares of large numbers do not drown their spread."""
        self.score, self.peak = np.zeros((2, number))
        self.start = np.zeros(number, dtype=np.int32)
        self.ever = np.zeros(number, dtype=np.bool_)
        """Whether any sum was ever beyond the limit."""
        self._good = np.zeros(number, dtype=np.int32)
        self._window = _Window(number, how.max_reference)
        self._mean, self._extra, self._gain = np.zeros((3, number))

    def step(self, row: int, now: Sequences) -> None:
        """Take in one value of each."""
        how, window = self.how, self._window
        moved = now.values - self.anchor
        if window.held >= how.min_reference:
            mean, variance = window.moments()
            self._advance_runs(row, now._replace(values=moved), mean, variance)
            # One value far out widens the reference of the next `most` no more than one at that distance.
            reach = OUTLIER_CUTOFF * np.sqrt(variance)
            moved = np.minimum(np.maximum(moved, mean - reach), mean + reach)
        window.add(moved, now.noise)

    def _advance_runs(self, row: int, now: Sequences, mean: Floats, variance: Floats) -> None:
        """Begin runs where they may, and go on with those that are under way: few of many."""
        away = mean - now.values
        least = (self.how.slack**2) * (variance if now.noise is None else now.noise)
        idle = self.score <= 0
        fresh = np.flatnonzero(idle & (away > 0) & (away * away > least))
        if len(fresh):
            self._set_reference(fresh, row, mean, variance, chance=now.noise is not None)
        here = np.concatenate([np.flatnonzero(~idle), fresh])
        if len(here):
            self._update_scores(here, row, Sequences(*(None if one is None else one[here] for one in now)))  # type: ignore[arg-type]

    def _set_reference(self, fresh: Fresh, row: int, mean: Floats, variance: Floats, *, chance: bool) -> None:
        """What runs that begin here are compared with."""
        held = self._window.held
        spread = np.maximum(variance[fresh], (MIN_RELATIVE_STD * (mean[fresh] + self.anchor[fresh])) ** 2)
        certain = 1 / (1 + (1.0 if chance else self.how.scale_uncertainty) / np.sqrt(2 * (held - 1)))
        if chance:
            # More than chance is believed where it is more than the estimate itself may be off.
            spread = np.maximum((1 - np.sqrt(2 / held)) * variance[fresh] - self._window.noise(fresh), 0.0)
            certain = np.where(spread > 0, certain, 1.0)
        steady = np.clip(
            self._window.autocorrelation(fresh, mean, variance) - 1 / np.sqrt(held), 0.0, MAX_AUTOCORRELATION
        )
        self._mean[fresh], self._extra[fresh] = mean[fresh], spread * (1 + 1 / held)
        self._gain[fresh] = certain * np.sqrt((1 - steady) / (1 + steady))
        self.start[fresh] = row
        self._good[fresh] = 0

    def _update_scores(self, here: Fresh, row: int, now: Sequences) -> None:
        how = self.how
        spread = self._extra[here] if now.noise is None else self._extra[here] + now.noise
        # A reference of zeroes without chance: any fall from it is as far as can be.
        deviate = (self._mean[here] - now.values) / np.sqrt(np.maximum(spread, np.finfo(float).tiny))
        deviate *= 1.0 if now.trust is None else now.trust
        # What is doubted of a fall is no sign that it is over.
        good = np.where(deviate <= how.slack, self._good[here] + 1, 0)
        deviate *= self._gain[here]
        counted = np.minimum(deviate, how.cap) + how.collapse * (deviate >= 2.5 * how.cap)
        score = np.nan_to_num(np.maximum(self.score[here] + counted - how.slack, 0.0))
        peak = np.maximum(self.peak[here], score)
        on = peak > how.threshold
        self.ever[here] |= on
        over = (score <= 0) | on & ((good >= how.recovery_values) | (row - self.start[here] >= how.max_run))
        score[over] = peak[over] = 0.0
        self.score[here], self.peak[here], self._good[here] = score, peak, good


class _Window:
    """Sums over the newest values of each sequence."""

    def __init__(self, number: int, most: int) -> None:
        self._ring = np.zeros((most, 4, number))
        self._sums = np.zeros((4, number))
        self._last = np.zeros(number)
        self._next = 0
        self.held = 0

    def add(self, values: Floats, noise: Floats | None) -> None:
        slot = self._ring[self._next]
        if self.held == len(self._ring):
            self._sums -= slot
        slot[0] = values
        np.multiply(values, values, out=slot[1])
        np.multiply(values, self._last, out=slot[2])
        if noise is not None:
            slot[3] = noise
        self._sums += slot
        self._last = values
        self._next = (self._next + 1) % len(self._ring)
        self.held = min(self.held + 1, len(self._ring))

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and variance (n - 1)."""
        mean = self._sums[0] / self.held
        return mean, np.maximum(self._sums[1] - self._sums[0] * mean, 0.0) / (self.held - 1)

    def noise(self, some: Fresh) -> Floats:
        """Mean noise of some of the sequences."""
        found: Floats = self._sums[3][some] / self.held
        return found

    def autocorrelation(self, some: Fresh, mean: Floats, variance: Floats) -> Floats:
        """Autocorrelation at lag 1; 0 where nothing varies."""
        together = self._sums[2][some] / self.held - mean[some] ** 2
        whole = variance[some] * (self.held - 1) / self.held
        found: Floats = np.divide(together, whole, out=np.zeros(len(some)), where=whole > 0)
        return found
