"""Mean and variance of the values before each value of many sequences, with outliers clipped on the way.

A value that lies too far from the mean before it is clipped before it enters the moments of those after it, so each
depends on the ones before. All values are taken as they are first, a chunk at a time; then the blocks that clipping
reaches are computed again, until nothing changes. The operations and their order are those of a loop over the values,
so that rounding decides nothing differently.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.rolling import anchor

Indices = NDArray[np.int64]

OUTLIER_CUTOFF = 3.5
"""Standard deviations from the mean before it at which a value is clipped."""
MAX_ROUNDS = 4
"""How often the blocks that clipping reaches are computed anew together; those that still change are then computed
value by value: where each clipped value depends on the last, there would be as many rounds as values."""


class Blocks:
    """Sequences in blocks as long as a window, each sequence from the start of a block on, with one of NaN before.

    A block is a column of its arrays, so that a step from value to value is one operation on all blocks: their shape is
    (values of one, blocks) or (blocks,).

    Args:
        values: Sequences of finite values, one behind the other.
        lengths: Number of values of each, at least one.
        size: Number of values before each that make its window, at most.
        min_size: Number of values before a value without which it has none, 2 or more.
    """

    def __init__(self, values: Floats, lengths: Indices, size: int, min_size: int) -> None:
        sizes = -(-lengths // size) + 1
        firsts = np.cumsum(sizes) - sizes + 1
        starts = np.cumsum(lengths) - lengths
        self.size, self.min_size, self.count = size, min_size, int(sizes.sum()) + 1
        self._first_values = firsts * size
        self._places = np.arange(len(values)) + np.repeat(self._first_values - starts, lengths)
        self.is_first = np.zeros(self.count, dtype=np.bool_)
        self.is_first[firsts] = True
        self.offset = np.zeros(self.count)
        """What is subtracted from the values of a block: see `anchor`."""
        places = np.minimum(starts[:, None] + np.arange(min_size), (starts + lengths - 1)[:, None])
        self.offset[:-1] = np.repeat(anchor(values[places])[:, 0], sizes)
        self.flat_values = self.spread(values, np.nan) - np.repeat(self.offset, size)
        """The values less their offset, block by block: what is a column each in `values`."""
        self.values = self.columns(self.flat_values)
        self.clipped = np.nan_to_num(self.values)
        """The values that windows consist of; 0 in the padding."""

    def spread(self, column: Floats, padding: float) -> Floats:
        """Return a column with an element per value block by block, with padding between sequences."""
        flat = np.full(self.count * self.size, padding)
        flat[self._places] = column
        return flat

    def columns(self, flat: Floats) -> Floats:
        """Return what is given block by block with a column per block."""
        return np.ascontiguousarray(flat.reshape(self.count, self.size).T)

    def position(self, flat: int) -> tuple[int, int]:
        """Return the number of the sequence, and the index in it, of a flat index."""
        sequence = int(np.searchsorted(self._first_values, flat, "right")) - 1
        return sequence, flat - int(self._first_values[sequence])


def window_sums(before: Floats, own: Floats) -> Floats:
    """Return, for each value of some blocks, the sum over as many values before it as a block has.

    Those that are left of the block before, plus those of its own block so far: as nothing is subtracted, no value
    leaves a rounding error behind.
    """
    sums = np.empty(own.shape)
    sums[-1] = before[-1]
    for place in range(len(own) - 1, 0, -1):
        np.add(sums[place], before[place - 1], out=sums[place - 1])
    total = np.zeros(own.shape[1])
    for place in range(1, len(own)):
        total += own[place - 1]
        sums[place] += total
    return sums


class ClippedMoments:
    """Mean and variance (n - 1) of the windows before each value of consecutive blocks.

    Args:
        blocks: The values; outliers of these blocks are clipped, as those of the blocks before must have been.
        chunk: The blocks, from the second on.
    """

    def __init__(self, blocks: Blocks, chunk: slice) -> None:
        self._min_size, self._is_first = blocks.min_size, blocks.is_first[chunk]
        self._values, self._clipped = blocks.values[:, chunk], blocks.clipped[:, chunk]
        self._before = blocks.clipped[:, chunk.start - 1 : chunk.stop - 1]
        self.size = np.where(self._is_first, np.maximum(np.arange(blocks.size), 2.0)[:, None], float(blocks.size))
        self.mean, self.variance, reach = self._moments(slice(None))
        # Most blocks have no value to clip: they need no more than to be compared.
        is_far = self._values < self.mean - reach
        is_far |= self._values > self.mean + reach
        far = np.flatnonzero(is_far.any(axis=0))
        self._clip(far, self.mean[:, far], reach[:, far])
        self._settle(self._with_next(far))

    def _settle(self, pending: Indices) -> None:
        """Compute some blocks anew, and those that depend on them, until no value of theirs changes."""
        for _ in range(MAX_ROUNDS - 1):
            if not len(pending):
                return
            self.mean[:, pending], self.variance[:, pending], reach = self._moments(pending)
            is_changed = self._clip(pending, self.mean[:, pending], reach)
            pending = self._with_next(pending[is_changed])
        is_pending = set(pending.tolist())
        for number in range(len(self._is_first)):
            if number in is_pending and self._clip_one_by_one(number):
                is_pending.add(number + 1)

    def _with_next(self, numbers: Indices) -> Indices:
        """Return the blocks whose moments depend on the values of some blocks."""
        affected = np.zeros(len(self._is_first) + 1, dtype=np.bool_)
        affected[numbers] = affected[numbers + 1] = True
        return np.flatnonzero(affected[:-1])

    def _moments(self, own: slice | Indices) -> tuple[Floats, Floats, Floats]:
        """Return mean and variance of the windows of some blocks, and how far from the mean a value is clipped."""
        before, clipped, size = self._before[:, own], self._clipped[:, own], self.size[:, own]
        sums = window_sums(before, clipped)
        mean = sums / size
        variance = window_sums(before * before, clipped * clipped)
        variance -= np.multiply(sums, mean, out=sums)
        np.maximum(variance, 0.0, out=variance)
        variance /= size - 1
        reach = np.sqrt(variance, out=sums)
        reach *= OUTLIER_CUTOFF
        reach[: self._min_size, self._is_first[own]] = np.inf
        return mean, variance, reach

    def _clip(self, numbers: Indices, mean: Floats, reach: Floats) -> Flags:
        """Clip the values of some blocks by their moments, and return in which that changes any."""
        new = np.maximum(self._values[:, numbers], mean - reach)
        np.minimum(new, mean + reach, out=new)
        np.copyto(new, 0.0, where=np.isnan(new))
        is_changed: Flags = (new != self._clipped[:, numbers]).any(axis=0)
        self._clipped[:, numbers] = new
        return is_changed

    def _clip_one_by_one(self, number: int) -> bool:
        """Do the same for one block in one pass, value by value."""
        unclipped = self._min_size if self._is_first[number] else 0
        before = self._before[::-1, number]
        rests = (np.cumsum(column)[::-1].tolist() for column in (before, before**2))
        columns = zip(self._values[:, number].tolist(), self.size[:, number].tolist(), *rests, strict=True)
        result, total, total_squares = [], 0.0, 0.0
        for index, (value, size, rest, rest_squares) in enumerate(columns):
            mean = (rest + total) / size
            variance = max(rest_squares + total_squares - (rest + total) * mean, 0.0) / (size - 1)
            reach = OUTLIER_CUTOFF * math.sqrt(variance) if index >= unclipped else math.inf
            new = 0.0 if math.isnan(value) else min(max(value, mean - reach), mean + reach)
            total += new
            total_squares += new * new
            result.append((mean, variance, new))
        self.mean[:, number], self.variance[:, number], new_values = np.array(result).T
        is_changed = bool((new_values != self._clipped[:, number]).any())
        self._clipped[:, number] = new_values
        return is_changed
