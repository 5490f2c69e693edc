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

FLOOR = 1e-3
"""Least deviation as a share of the mean: of a sequence that never varied, nothing tells how much is much."""
STEADIEST = 0.9
"""Most autocorrelation that is believed."""


@dataclass(frozen=True, slots=True)
class Cusum:
    """A one-sided cumulative sum (Page 1954, Biometrika 41) against a reference that is estimated as it goes.

    Each value becomes a deviate from the values before the run that it belongs to: a run begins where the sum leaves
    0, and its reference stays what it was then, so that what lasts does not become what is usual while it is looked
    at. Deviates are Student's, turned into normal ones (Hawkins 1987, The Statistician 36, by Wallace's approximation,
    1959), divided by what their autocorrelation adds to the spread of a sum, and cut off at `cap`, so that one
    period alone says little (Lucas and Crosier 1982, Technometrics 24).
    """

    slack: float = 1.0
    """Deviations that are taken from each deviate: half of the smallest fall that is looked for."""
    limit: float = 6.0
    """The sum beyond which it has fallen."""
    cap: float = 3.5
    """Most deviations that one value counts for."""
    most: int = 60
    """Values in the reference at most."""
    least: int = 10
    """With fewer nothing is said."""
    back: int = 3
    """Values in a row within `slack` of the reference that end a run which had fallen."""
    usual: int = 120
    """A run this long ends, and what it has fallen to is the reference of what comes."""


class Runs(NamedTuple):
    """Per value, shape (T, N) both."""

    score: Floats
    """The sum; 0 outside of runs."""
    start: Places
    """Row of the first value of the run; the row itself outside of runs."""


def runs(values: Floats, noise: Floats, ratio: Floats, how: Cusum) -> Runs:
    """Follow N sequences, each row by row: falls are bad.

    Args:
        values: Shape (T, N); NaN behind the end of a shorter sequence.
        noise: What of a value's variance is chance alone; 0 where that is not known.
        ratio: By how much more, than that of an average value before it, its variance is where `noise` is not known.
        how: What is looked for.
    """
    rows, number = values.shape
    score, start = np.zeros((rows, number)), np.tile(np.arange(rows, dtype=np.int32)[:, None], (1, number))
    walk = _Walk(values[0] if rows else np.zeros(number), how)
    for row in range(rows):
        walk.step(row, values[row], noise[row], ratio[row])
        score[row] = walk.score
        np.copyto(start[row], walk.start, where=walk.score > 0)
    return Runs(score, start)


def fallen(values: Floats, noise: Floats, ratio: Floats, how: Cusum) -> Flags:
    """Whether a sequence ever falls: the same walk, of which nothing is kept; shape (N,)."""
    walk = _Walk(values[0] if len(values) else np.zeros(values.shape[1]), how)
    ever = np.zeros(values.shape[1], dtype=np.bool_)
    for row in range(len(values)):
        walk.step(row, values[row], noise[row], ratio[row])
        ever |= walk.on
    return ever


class _Walk:
    """What is known of N sequences up to a row."""

    def __init__(self, first: Floats, how: Cusum) -> None:
        number = len(first)
        self.how = how
        self.anchor = np.nan_to_num(first)
        self.score = np.zeros(number)
        self.start = np.zeros(number, dtype=np.int32)
        self.on = np.zeros(number, dtype=np.bool_)
        """The sum is, or was in this run, beyond the limit."""
        self._good = np.zeros(number, dtype=np.int32)
        self._window = _Window(number, how.most)
        self._mean, self._extra, self._noise, self._stretch = np.zeros((4, number))

    def step(self, row: int, values: Floats, noise: Floats, ratio: Floats) -> None:
        """Take in one value of each."""
        how, window = self.how, self._window
        with np.errstate(invalid="ignore", divide="ignore"):
            moved = values - self.anchor
            if window.held >= how.least:
                recent = self._recent(window)
                self._judge(row, moved, noise, ratio, recent)
                mean, _, spread, _ = recent
                # One value far out widens the reference of the next `most` no more than one at the cap.
                reach = how.cap * np.sqrt(spread)
                moved = np.clip(moved, mean - reach, mean + reach)
            window.add(moved, noise)
        np.nan_to_num(self.score, copy=False)

    def _recent(self, window: _Window) -> tuple[Floats, Floats, Floats, Floats]:
        """Mean, variance beyond chance, variance, and how much autocorrelation stretches a sum."""
        mean, variance, noise, along = window.moments()
        least = (FLOOR * (mean + self.anchor)) ** 2
        spread = np.maximum(np.maximum(variance, noise), least)
        steady = np.clip(along - 1 / np.sqrt(window.held), 0.0, STEADIEST)
        sure = 1 - np.sqrt(2 / window.held)
        extra = np.where(noise > 0, np.maximum(sure * variance - noise, 0.0), spread)
        return mean, extra, spread, (1 + steady) / (1 - steady)

    def _judge(
        self, row: int, moved: Floats, noise: Floats, ratio: Floats, recent: tuple[Floats, Floats, Floats, Floats]
    ) -> None:
        how = self.how
        idle = self.score <= 0
        mean, extra, _, stretch = recent
        np.copyto(self._mean, mean, where=idle)
        np.copyto(self._extra, extra, where=idle)
        np.copyto(self._stretch, stretch, where=idle)
        np.copyto(self._noise, self._window.held, where=idle)
        self.start[idle] = row
        freedom = self._noise
        freedom1 = np.where(self._extra > 0, self._noise - 1, 1e4)
        spread = np.where(noise > 0, self._extra + noise, self._extra * ratio) * (1 + 1 / freedom)
        deviate = _normal((self._mean - moved) / np.sqrt(spread), freedom1) * (1 - 1 / np.sqrt(2 * freedom1)) / np.sqrt(self._stretch)
        self.score = np.maximum(self.score + np.minimum(deviate, how.cap) - how.slack, 0.0)
        self._good = np.where(deviate <= how.slack, self._good + 1, 0)
        self.on |= self.score > how.limit
        over = self.on & ((self._good >= how.back) | (row - self.start >= how.usual)) | (self.score <= 0)
        self.score[over] = 0.0
        self.on &= ~over


class _Window:
    """Sums over the newest values of each sequence."""

    def __init__(self, number: int, most: int) -> None:
        self._ring = np.zeros((most, 4, number))
        self._sums = np.zeros((4, number))
        self._last = np.zeros(number)
        self._next = 0
        self.held = 0

    def add(self, values: Floats, noise: Floats) -> None:
        slot = self._ring[self._next]
        self._sums -= slot
        slot[0], slot[1], slot[2], slot[3] = values, values * values, noise, values * self._last
        self._sums += slot
        self._last = values
        self._next = (self._next + 1) % len(self._ring)
        self.held = min(self.held + 1, len(self._ring))

    def moments(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Mean, variance (n - 1), mean noise, autocorrelation at lag 1."""
        sums, squares, noise, products = self._sums / self.held
        variance = np.maximum(squares - sums * sums, 0.0)
        along = np.where(variance > 0, (products - sums * sums) / variance, 0.0)
        return sums, variance * (self.held / (self.held - 1)), noise, along


def _normal(deviate: Floats, freedom: Floats) -> Floats:
    """Student's deviates as normal ones that are as likely (Wallace 1959, Ann. Math. Stat. 30)."""
    size = np.sqrt(freedom * np.log1p(deviate * deviate / freedom))
    return np.copysign((8 * freedom + 1) / (8 * freedom + 3) * size, deviate)
