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
MAX_ROUNDS = 8
"""How often the blocks that clipping reaches are computed anew together; those that still change are then computed
value by value: where each clipped value depends on the last, there would be as many rounds as values."""


class Blocks:
    """Sequences in blocks as long as a window, each sequence from the start of a block on, with one of NaN before.

    All arrays have the shape (blocks, values of one) or (blocks,).

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
        """Whether a block is the first of its sequence."""
        self.is_first[firsts] = True
        self.offset = np.zeros(self.count)
        """What is subtracted from the values of a block: see `anchor`."""
        places = np.minimum(starts[:, None] + np.arange(min_size), (starts + lengths - 1)[:, None])
        self.offset[:-1] = np.repeat(anchor(values[places])[:, 0], sizes)
        self.values = self.spread(values, np.nan) - self.offset[:, None]
        self.clipped = np.nan_to_num(self.values)
        """The values that windows consist of; 0 in the padding."""

    def spread(self, column: Floats, padding: float) -> Floats:
        """Return a column with an element per value as blocks."""
        array = np.full(self.count * self.size, padding)
        array[self._places] = column
        return array.reshape(self.count, self.size)

    def position(self, flat: int) -> tuple[int, int]:
        """Return the number of the sequence, and the index in it, of a flat index."""
        sequence = int(np.searchsorted(self._first_values, flat, "right")) - 1
        return sequence, flat - int(self._first_values[sequence])


def window_sums(columns: Floats, rows: Indices) -> Floats:
    """Return, for each value of some blocks, the sum over as many values before it as a block has.

    Those that are left of the block before, plus those of its own block so far: as nothing is subtracted, no value
    leaves a rounding error behind.
    """
    sums = np.cumsum(columns[rows - 1, ::-1], axis=1)[:, ::-1]
    sums[:, 1:] += np.cumsum(columns[rows, :-1], axis=1)
    return sums


class ClippedMoments:
    """Mean and variance (n - 1) of the windows before each value of consecutive blocks.

    Args:
        blocks: The values; outliers of these blocks are clipped, as those of the blocks before must have been.
        chunk: The blocks, from the second on.
    """

    def __init__(self, blocks: Blocks, chunk: slice) -> None:
        self._blocks = blocks
        self._first, self._end = chunk.start, min(chunk.stop, blocks.count)
        shape = self._end - self._first, blocks.size
        self.mean, self.variance = np.zeros((2, *shape))
        self.size = np.full(shape, float(blocks.size))
        """Number of values in the window, at least 2."""
        self.size[blocks.is_first[chunk]] = np.maximum(np.arange(blocks.size), 2)
        self._compute()

    def _compute(self) -> None:
        pending = np.arange(self._first, self._end)
        for _ in range(MAX_ROUNDS):
            pending = self._with_next(pending[self._clip(pending)])
            if not len(pending):
                return
        is_pending = set(pending.tolist())
        for row in range(self._first, self._end):
            if row in is_pending and self._clip_one_by_one(row):
                is_pending.add(row + 1)

    def _with_next(self, rows: Indices) -> Indices:
        """Return the blocks whose moments depend on the values of some blocks."""
        affected = np.zeros(self._end - self._first + 1, dtype=np.bool_)
        affected[rows - self._first] = affected[rows - self._first + 1] = True
        next_rows: Indices = self._first + np.flatnonzero(affected[:-1])
        return next_rows

    def _clip(self, rows: Indices) -> Flags:
        """Compute the moments of some blocks, clip the values by them, and return in which that changes any."""
        blocks, own = self._blocks, rows - self._first
        clipped, size = blocks.clipped, self.size[own]
        sums = window_sums(clipped, rows)
        mean = sums / size
        recent = slice(int(rows[0]) - 1, int(rows[-1]) + 1)
        squares = window_sums(clipped[recent] ** 2, rows - recent.start)
        variance = np.maximum(squares - sums * mean, 0.0) / (size - 1)
        self.mean[own], self.variance[own] = mean, variance
        reach = OUTLIER_CUTOFF * np.sqrt(variance)
        reach[blocks.is_first[rows], : blocks.min_size] = np.inf
        new = np.nan_to_num(np.minimum(np.maximum(blocks.values[rows], mean - reach), mean + reach))
        is_changed: Flags = (new != clipped[rows]).any(axis=1)
        clipped[rows] = new
        return is_changed

    def _clip_one_by_one(self, row: int) -> bool:
        """Do the same for one block in one pass, value by value."""
        blocks, own = self._blocks, row - self._first
        unclipped = blocks.min_size if blocks.is_first[row] else 0
        before = blocks.clipped[row - 1, ::-1]
        rests = (np.cumsum(column)[::-1].tolist() for column in (before, before**2))
        columns = zip(blocks.values[row].tolist(), self.size[own].tolist(), *rests, strict=True)
        result, total, total_squares = [], 0.0, 0.0
        for index, (value, size, rest, rest_squares) in enumerate(columns):
            mean = (rest + total) / size
            variance = max(rest_squares + total_squares - (rest + total) * mean, 0.0) / (size - 1)
            reach = OUTLIER_CUTOFF * math.sqrt(variance) if index >= unclipped else math.inf
            new = 0.0 if math.isnan(value) else min(max(value, mean - reach), mean + reach)
            total += new
            total_squares += new * new
            result.append((mean, variance, new))
        self.mean[own], self.variance[own], new_values = np.array(result).T
        is_changed = bool((new_values != blocks.clipped[row]).any())
        blocks.clipped[row] = new_values
        return is_changed
