"""One-sided cumulative sums that detect a sustained fall, at some tens of nanoseconds a value.

References do not depend on runs, so they are computed first, a chunk of values at a time. Then the first values of all
runs are followed at once, from every value at which one could start, whether another is still active there or not.
Those that have not ended by then are few, and are followed value by value where they do start. Operations and their
order are those of a loop over the values, so that rounding decides nothing differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modeltop.core.series import Floats
from modeltop.core.stats.clipped_moments import Blocks, ClippedMoments, Indices, window_sums

MIN_RELATIVE_STD = 1e-3
"""Smallest standard deviation as a fraction of the mean, for sequences that never varied."""
ROUNDING = 1e-12
"""Standard deviation that rounding of sums may make, as a fraction of the mean of the values less their anchor."""
MAX_AUTOCORRELATION = 0.9
CORRELATION_CAUTION = 1.25
"""Standard errors, 1 / sqrt(n), that a measured autocorrelation must exceed: half of all independent sequences have
some by chance, and allowing for all of it would cost detection."""
CORRELATION_BLOCKS = 5
"""Windows before the reference in which autocorrelation is measured too: that of one window of 60 has a standard error
of 0.13, that of all of them one of 0.05."""
TINY = float(np.finfo(float).tiny)
CHUNK_VALUES = 1 << 16
"""Number of values that are computed at once: as many as leave their arrays in a processor's cache."""
SHORT_RUN = 8
"""Number of values through which all runs are followed at once."""
FOLLOWED_VALUES = 64
"""Number of values of a longer run that are looked up at a time."""


@dataclass(frozen=True, slots=True)
class Cusum:
    """A one-sided cumulative sum (Page 1954, Biometrika 41) against a reference that is estimated on the way.

    A run starts when the sum leaves 0. Its values are compared with the values before it as long as it lasts: what
    lasts does not become normal while it is evaluated. A deviate is clipped at `cap`, so that one value alone means
    little (Lucas and Crosier 1982, Technometrics 24): with the defaults three are needed. It is
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
    """Sequences of finite values, one behind the other; all arrays but `lengths` have an element per value."""

    values: Floats
    """Falls are bad."""
    lengths: Indices
    noise: Floats | None = None
    """Sampling variance of each value; None if it is unknown."""
    trust: Floats | None = None
    """Weight of each deviate, 0 to 1; None: 1."""


class AlarmRun(NamedTuple):
    """A run with an alarm."""

    sequence: int
    start: int
    scores: Floats
    """The sum after each of its values, all above 0."""
    sign: float = 1.0
    """1 for a fall, -1 for a rise."""


def alarm_runs(
    sequences: Sequences, cusum: Cusum, *, signs: tuple[float, ...] = (1.0,), blocks: Blocks | None = None
) -> Iterator[AlarmRun]:
    """Yield the runs in which the sum exceeds the threshold, those of each sign in order.

    Args:
        sequences: The values.
        cusum: The parameters.
        signs: 1 to look for falls, -1 for rises: both cost less than twice as much as one.
        blocks: The values as blocks, where they are known; their outliers will be clipped.
    """
    blocks = blocks or Blocks(sequences.values, sequences.lengths, cusum.max_reference, cusum.min_reference)
    noise = None if sequences.noise is None else blocks.spread(sequences.noise, 0.0)
    trust = None if sequences.trust is None else blocks.spread(sequences.trust, 0.0)
    noise_columns = None if noise is None else blocks.columns(noise)
    runs = {sign: _Runs(cusum, sign * blocks.flat_values, noise, trust) for sign in signs}
    correlations = _Autocorrelations(blocks)
    chunk = max(1, CHUNK_VALUES // blocks.size)
    for first in range(1, blocks.count, chunk):
        windows = _Windows(blocks, noise_columns, correlations, slice(first, min(first + chunk, blocks.count)))
        for sign in signs:
            for start, scores in runs[sign].advance(windows.references(cusum, sign)):
                yield AlarmRun(*blocks.position(start), np.array(scores), sign)


class _References(NamedTuple):
    """The references of runs: one element per value that could start one."""

    starts: Indices
    """Flat index of each such value."""
    mean: Floats
    variance: Floats
    """Without the noise of the value that is compared."""
    gain: Floats
    """What a deviate is multiplied by."""


class _Windows:
    """What the windows before the values of the next blocks show."""

    def __init__(self, blocks: Blocks, noise: Floats | None, correlations: _Autocorrelations, chunk: slice) -> None:
        self._blocks, self._correlations, self._chunk = blocks, correlations, chunk
        before = slice(chunk.start - 1, chunk.stop - 1)
        self._moments = ClippedMoments(blocks, chunk)
        products = _lag1_products(blocks.clipped[:, max(chunk.start - 2, 0) : chunk.stop])
        number = chunk.stop - chunk.start
        self._lag1_sums = window_sums(products[:, -number - 1 : -1], products[:, -number:])
        self._noise = None if noise is None else noise[:, chunk]
        self._noise_sums = None if noise is None else window_sums(noise[:, before], noise[:, chunk])
        # The window before the first value of a block is the block before it.
        correlations.of_block[chunk] = self._autocorrelation(np.arange(number))

    def _autocorrelation(self, at: Indices) -> Floats:
        """Return the autocorrelation at lag 1 in some windows, less its bias (Kendall 1954)."""
        moments = self._moments
        mean, variance, size = (column.ravel()[at] for column in (moments.mean, moments.variance, moments.size))
        covariance, population = self._lag1_sums.ravel()[at] / size - mean**2, variance * (size - 1) / size
        is_varied = population > (ROUNDING * mean) ** 2
        rho = np.divide(covariance, population, out=np.zeros(len(at)), where=is_varied)
        return np.asarray(rho + (1 + 3 * rho) / size)

    def references(self, cusum: Cusum, sign: float) -> _References:
        """Return the references of the values that fall far enough to start a run, if none is active."""
        blocks, moments = self._blocks, self._moments
        fall = sign * (moments.mean - blocks.values[:, self._chunk])
        smallest = (cusum.slack**2) * (moments.variance if self._noise is None else self._noise)
        new = (fall > 0) & (fall * fall > smallest)
        new[: blocks.min_size, blocks.is_first[self._chunk]] = False
        starts = np.flatnonzero(new.T)
        numbers = starts // blocks.size
        at = starts % blocks.size * new.shape[1] + numbers
        mean, variance, size = (column.ravel()[at] for column in (moments.mean, moments.variance, moments.size))
        rounding = (ROUNDING * mean) ** 2
        usual = mean + blocks.offset[self._chunk][numbers]
        excess = np.maximum(np.maximum(variance, rounding), (MIN_RELATIVE_STD * usual) ** 2)
        certainty = 1 / (1 + (cusum.scale_uncertainty if self._noise is None else 1.0) / np.sqrt(2 * (size - 1)))
        if self._noise_sums is not None:
            # Variance beyond the noise counts only if it exceeds the error of its estimate.
            excess = np.maximum((1 - np.sqrt(2 / size)) * variance - self._noise_sums.ravel()[at] / size, 0.0)
            certainty = np.where(excess > 0, certainty, 1.0)
        rho = self._correlations.before(self._autocorrelation(at), size, self._chunk.start + numbers)
        gain = certainty * np.sqrt((1 - rho) / (1 + rho))
        return _References(starts + self._chunk.start * blocks.size, sign * mean, excess * (1 + 1 / size), gain)


class _Autocorrelations:
    """The autocorrelation of whole blocks, each about its own mean: a change of level between two of them is none."""

    def __init__(self, blocks: Blocks) -> None:
        numbers = np.arange(blocks.count)
        self._size = blocks.size
        self._age = numbers - np.maximum.accumulate(np.where(blocks.is_first, numbers, 0))
        """Number of blocks of the same sequence before each one."""
        self.of_block = np.zeros(blocks.count)
        """Of the block before each one, as far as there are any yet."""

    def before(self, own: Floats, size: Floats, numbers: Indices) -> Floats:
        """Return what is certain of the autocorrelation before some values."""
        if not len(numbers):
            return own
        first = int(numbers[0])
        blocks = np.arange(first, int(numbers[-1]) + 1)
        total, count, index = own * size, size.copy(), numbers - first
        for lag in range(1, CORRELATION_BLOCKS + 1):
            is_whole = self._age[blocks] > lag
            if not is_whole.any():
                break
            total += (np.where(is_whole, self.of_block[np.maximum(blocks - lag, 0)], 0.0) * self._size)[index]
            count += np.where(is_whole, self._size, 0)[index]
        return np.clip(total / count - CORRELATION_CAUTION / np.sqrt(count), 0.0, MAX_AUTOCORRELATION)


def _lag1_products(columns: Floats) -> Floats:
    """Return the products of each value and the one before it; with 0 before the first."""
    products = np.empty(columns.shape)
    np.multiply(columns[1:], columns[:-1], out=products[1:])
    products[0, 0] = 0.0
    np.multiply(columns[0, 1:], columns[-1, :-1], out=products[0, 1:])
    return products


class _Runs:
    """The runs of consecutive chunks."""

    def __init__(self, cusum: Cusum, values: Floats, noise: Floats | None, trust: Floats | None) -> None:
        self._cusum = cusum
        self._values = values
        self._noise = np.broadcast_to(0.0, values.size) if noise is None else noise
        self._trust = np.broadcast_to(1.0, values.size) if trust is None else trust
        self._free = 0
        """Flat index from which on no run is active."""

    def advance(self, references: _References) -> Iterator[tuple[int, list[float]]]:
        """Yield start and scores of the runs with an alarm that start at one of the next values."""
        starts, ends = references.starts, self._short_ends(references)
        if not len(starts):
            return
        # No short run reaches such a start from before it, so that nothing earlier need be followed but the long ones.
        is_free = np.append(True, np.maximum.accumulate(ends)[:-1] < starts[1:])
        last_free = np.maximum.accumulate(np.where(is_free, np.arange(len(starts)), 0))
        for candidate in [*np.flatnonzero(ends < 0).tolist(), len(starts) - 1]:
            index = max(int(last_free[candidate]), int(np.searchsorted(starts, self._free)))
            while index <= candidate and ends[index] >= 0:
                self._free = int(ends[index]) + 1
                index = int(np.searchsorted(starts, self._free))
            if index == candidate:
                start = int(starts[index])
                end, scores = self._follow(start, *(float(column[index]) for column in references[1:]))
                if max(scores, default=0.0) > self._cusum.threshold:
                    yield start, scores
                self._free = end + 1

    def _short_ends(self, references: _References) -> Indices:
        """Return where each run ends without an alarm if it soon does, as a flat index, else -1."""
        cusum = self._cusum
        ends = np.full(len(references.starts), -1)
        running = np.arange(len(ends))
        score = np.zeros(len(ends))
        for step in range(SHORT_RUN):
            at = references.starts[running] + step
            variance = references.variance[running] + self._noise[at]
            deviate = (references.mean[running] - self._values[at]) / np.sqrt(np.maximum(variance, TINY))
            deviate *= self._trust[at]
            deviate *= references.gain[running]
            score = score + np.minimum(deviate, cusum.cap) - cusum.slack
            goes_on = score > 0  # false for the NaN behind the end
            ends[running[~goes_on]] = at[~goes_on]
            goes_on &= score <= cusum.threshold
            running, score = running[goes_on], score[goes_on]
            if not len(running):
                break
        return ends

    def _follow(self, start: int, mean: float, variance: float, gain: float) -> tuple[int, list[float]]:
        """Follow one run to its end, at which its score is 0; return its flat index and the scores before it."""
        cusum = self._cusum
        threshold, slack, cap = cusum.threshold, cusum.slack, cusum.cap
        scores: list[float] = []
        score, peak, good_values = 0.0, 0.0, 0
        for value, noise, trust in self._from(start):
            # Any fall from a reference of zeros without noise is as far as can be.
            deviate = (mean - value) / math.sqrt(max(variance + noise, TINY)) * trust
            # An uncertain fall is no sign of recovery, so good values are counted before the gain is applied.
            good_values = good_values + 1 if deviate <= slack else 0
            deviate *= gain
            score = score + min(deviate, cap) - slack
            peak = max(peak, score)
            is_recovered = good_values >= cusum.recovery_values or len(scores) >= cusum.max_run
            if not score > 0 or (peak > threshold and is_recovered):
                break
            scores.append(score)
        return start + len(scores), scores

    def _from(self, start: int) -> Iterator[tuple[float, float, float]]:
        """Yield value, noise and trust from a flat index on, up to the NaN behind the last value of the sequence."""
        while True:
            part = slice(start, start + FOLLOWED_VALUES)
            columns = (column[part].tolist() for column in (self._values, self._noise, self._trust))
            yield from zip(*columns, strict=True)
            start += FOLLOWED_VALUES
