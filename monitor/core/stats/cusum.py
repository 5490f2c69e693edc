"""One-sided cumulative sums that detect a sustained fall, over many sequences at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats

Indices = NDArray[np.int64]
Rows = NDArray[np.int32]

MIN_RELATIVE_STD = 1e-3
"""Smallest standard deviation as a fraction of the mean, for sequences that never varied."""
OUTLIER_CUTOFF = 3.5
"""Standard deviations from its reference at which a value is clipped before it becomes part of the reference."""
MAX_AUTOCORRELATION = 0.9


@dataclass(frozen=True, slots=True)
class Cusum:
    """A one-sided cumulative sum (Page 1954, Biometrika 41) against a reference that is estimated on the way.

    A run starts when the sum leaves 0. Its values are compared with the values before it as long as it lasts: what
    lasts does not become normal while it is evaluated. A deviate is clipped at `cap`, so that one value alone means
    little (Lucas and Crosier 1982, Technometrics 24): with the defaults three are needed, and of a collapse two. It is
    reduced by the uncertainty of its standard deviation, which was estimated from few values, and by what their
    autocorrelation adds to the spread of a sum, (1 + r) / (1 - r) (Johnson and Bagshaw 1974, Technometrics 16).

    With the defaults, independent normal values and 60 of them before it, a fall by 3 standard deviations is found
    within 6 values in 97 of 100 cases, in 99 if their sampling noise is known; healthy ones raise 0.005 false alarms
    in 365, 0.017 if the noise is known. Skewed values raise more: see `tests/benchmarks/detection`.
    """

    slack: float = 1.1
    """Standard deviations that are subtracted from each deviate: half of the smallest fall to detect."""
    threshold: float = 3.7
    cap: float = 2.6
    """Most standard deviations that one value counts for."""
    collapse: float = 0.5
    """What a value counts for beyond the cap that lies two and a half times as far, or further."""
    scale_uncertainty: float = 2.0
    """Number of standard errors by which the standard deviation may be underestimated if the noise is unknown: values
    of few cases, such as a proportion of four, are skewed, and their spread is hard to estimate."""
    max_reference: int = 60
    min_reference: int = 10
    recovery_values: int = 3
    """Values in a row within `slack` of the reference that end a run with an alarm."""
    max_run: int = 120
    """A run of this length ends, and its values are the reference from then on."""


class Sequences(NamedTuple):
    """N sequences of T values at most, all of shape (T, N)."""

    values: Floats
    """Falls are bad; NaN behind the end of a shorter sequence."""
    noise: Floats | None = None
    """Sampling variance of each value; None if it is unknown."""
    trust: Floats | None = None
    """Weight of each deviate, 0 to 1; None: 1."""

    def take(self, columns: Indices) -> Sequences:
        """Return the state of the sequences at `indices`."""
        return Sequences(*(None if array is None else np.ascontiguousarray(array[:, columns]) for array in self))  # type: ignore[arg-type]

    def at(self, index: int | Indices) -> Sequences:
        """Return the entries of each array along its first axis."""
        return Sequences(*(None if array is None else array[index] for array in self))  # type: ignore[arg-type]


class CusumPath(NamedTuple):
    """The state after each value, all of shape (T, N)."""

    score: Floats
    """The sum; 0 outside of runs."""
    peak: Floats
    """Its highest value in the run so far."""
    start: Rows
    """Row of the first value of the run; the row itself outside of runs."""


def scan(sequences: Sequences, cusum: Cusum) -> CusumPath:
    """Return the path of the cumulative sum of each sequence."""
    rows, n = sequences.values.shape
    score, peak = np.zeros((2, rows, n))
    start = np.tile(np.arange(rows, dtype=np.int32)[:, None], (1, n))
    state = _CusumState(sequences.values[:1], cusum)
    for row in range(rows):
        state.step(row, sequences.at(row))
        score[row], peak[row] = state.score, state.peak
        np.copyto(start[row], state.start, where=state.score > 0)
    return CusumPath(score, peak, start)


def any_alarm(sequences: Sequences, cusum: Cusum) -> Flags:
    """Return whether each sequence ever raises an alarm, shape (N,): a scan without its path."""
    state = _CusumState(sequences.values[:1], cusum)
    for row in range(len(sequences.values)):
        state.step(row, sequences.at(row))
    return state.any_alarm


class _CusumState:
    """The state of N sequences after a row."""

    def __init__(self, first: Floats, cusum: Cusum) -> None:
        n = first.shape[1]
        self.cusum = cusum
        self.offset = np.nan_to_num(first[0]) if len(first) else np.zeros(n)
        """Subtracted from all values, so that squares of large numbers do not drown their spread."""
        self.score, self.peak = np.zeros((2, n))
        self.start = np.zeros(n, dtype=np.int32)
        self.any_alarm = np.zeros(n, dtype=np.bool_)
        self._good_values = np.zeros(n, dtype=np.int32)
        self._window = _Window(n, cusum.max_reference)
        self._mean, self._variance, self._gain = np.zeros((3, n))

    def step(self, row: int, current: Sequences) -> None:
        """Advance by one value of each sequence."""
        window = self._window
        shifted = current.values - self.offset
        if window.size >= self.cusum.min_reference:
            mean, variance = window.moments()
            self._advance_runs(row, current._replace(values=shifted), mean, variance)
            # One value far out widens the reference of the values after it no more than one at that distance.
            reach = OUTLIER_CUTOFF * np.sqrt(variance)
            shifted = np.minimum(np.maximum(shifted, mean - reach), mean + reach)
        window.add(shifted, current.noise)

    def _advance_runs(self, row: int, current: Sequences, mean: Floats, variance: Floats) -> None:
        """Start runs when a value falls far enough, and update the active ones, which are few of many."""
        fall = mean - current.values
        smallest = (self.cusum.slack**2) * (variance if current.noise is None else current.noise)
        idle = self.score <= 0
        new = np.flatnonzero(idle & (fall > 0) & (fall * fall > smallest))
        if len(new):
            self._set_reference(new, row, mean, variance, has_noise=current.noise is not None)
        running = np.concatenate([np.flatnonzero(~idle), new])
        if len(running):
            self._update_scores(running, row, current.at(running))

    def _set_reference(self, new: Indices, row: int, mean: Floats, variance: Floats, *, has_noise: bool) -> None:
        """Fix the reference with which the values of the runs that start here are compared."""
        size = self._window.size
        excess = np.maximum(variance[new], (MIN_RELATIVE_STD * (mean[new] + self.offset[new])) ** 2)
        certainty = 1 / (1 + (1.0 if has_noise else self.cusum.scale_uncertainty) / np.sqrt(2 * (size - 1)))
        if has_noise:
            # Variance beyond the noise counts only if it exceeds the error of its estimate.
            excess = np.maximum((1 - np.sqrt(2 / size)) * variance[new] - self._window.noise(new), 0.0)
            certainty = np.where(excess > 0, certainty, 1.0)
        # So does autocorrelation beyond one standard error, 1 / sqrt(n).
        rho = np.clip(self._window.autocorrelation(new, mean, variance) - 1 / np.sqrt(size), 0.0, MAX_AUTOCORRELATION)
        self._mean[new], self._variance[new] = mean[new], excess * (1 + 1 / size)
        self._gain[new] = certainty * np.sqrt((1 - rho) / (1 + rho))
        self.start[new] = row
        self._good_values[new] = 0

    def _update_scores(self, running: Indices, row: int, current: Sequences) -> None:
        cusum = self.cusum
        variance = self._variance[running] if current.noise is None else self._variance[running] + current.noise
        # Any fall from a reference of zeros without noise is as far as can be.
        deviate = (self._mean[running] - current.values) / np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        deviate *= 1.0 if current.trust is None else current.trust
        # An uncertain fall is no sign of recovery, so good values are counted before the gain is applied.
        good_values = np.where(deviate <= cusum.slack, self._good_values[running] + 1, 0)
        deviate *= self._gain[running]
        clipped = np.minimum(deviate, cusum.cap) + cusum.collapse * (deviate >= 2.5 * cusum.cap)
        score = np.nan_to_num(np.maximum(self.score[running] + clipped - cusum.slack, 0.0))
        peak = np.maximum(self.peak[running], score)
        alarm = peak > cusum.threshold
        self.any_alarm[running] |= alarm
        is_recovered = (good_values >= cusum.recovery_values) | (row - self.start[running] >= cusum.max_run)
        is_over = (score <= 0) | alarm & is_recovered
        score[is_over] = peak[is_over] = 0.0
        self.score[running], self.peak[running], self._good_values[running] = score, peak, good_values


class _Window:
    """Running sums over the newest values of N sequences."""

    def __init__(self, n: int, max_size: int) -> None:
        self._ring = np.zeros((max_size, 4, n))
        self._sums = np.zeros((4, n))
        self._last = np.zeros(n)
        self._next = 0
        self.size = 0

    def add(self, values: Floats, noise: Floats | None) -> None:
        slot = self._ring[self._next]
        if self.size == len(self._ring):
            self._sums -= slot
        slot[0] = values
        np.multiply(values, values, out=slot[1])
        np.multiply(values, self._last, out=slot[2])
        if noise is not None:
            slot[3] = noise
        self._sums += slot
        self._last = values
        self._next = (self._next + 1) % len(self._ring)
        self.size = min(self.size + 1, len(self._ring))

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean and variance (n - 1)."""
        mean = self._sums[0] / self.size
        return mean, np.maximum(self._sums[1] - self._sums[0] * mean, 0.0) / (self.size - 1)

    def noise(self, columns: Indices) -> Floats:
        """Return the mean noise of some of the sequences."""
        mean: Floats = self._sums[3][columns] / self.size
        return mean

    def autocorrelation(self, columns: Indices, mean: Floats, variance: Floats) -> Floats:
        """Return the lag-1 autocorrelation of some of the sequences; 0 if nothing varies."""
        covariance = self._sums[2][columns] / self.size - mean[columns] ** 2
        population = variance[columns] * (self.size - 1) / self.size
        ratio: Floats = np.divide(covariance, population, out=np.zeros(len(columns)), where=population > 0)
        return ratio
