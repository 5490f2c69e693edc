"""Many windows of one sequence at once: means and standard deviations by running sums, and chunks of windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats

Indices = NDArray[np.int64]

CHUNK_VALUES = 1 << 16
"""Number of values that are computed at once: as many as leave their arrays in a processor's cache."""


def row_chunks(rows: int, width: int) -> Iterator[slice]:
    """Yield slices of rows of `width` values, `CHUNK_VALUES` each, as a window per value of a long series is large."""
    step = max(1, CHUNK_VALUES // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def prefix_sums(values: Floats) -> Floats:
    """Return running sums along the last axis, with a leading 0: that of `[low, high)` is `sums[high] - sums[low]`."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


def rolling_moments(values: Floats, low: Indices, high: Indices) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (of a sample, n - 1) of the windows `[low, high)`.

    All are computed relative to the first value, so that squares of large numbers do not drown their spread; a window's
    result depends on nothing after it, to the last bit.

    Args:
        values: Finite; the sequence runs along the last axis.
        low: First index of each window.
        high: Index after its last; the mean of none and the standard deviation of fewer than two are NaN.
    """
    offset = values[..., :1]
    shifted = values - offset
    size = (high - low).astype(np.float64)
    sums, squares = prefix_sums(shifted), prefix_sums(shifted * shifted)
    total = sums[..., high] - sums[..., low]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / size
        sum_of_squares = (squares[..., high] - squares[..., low]) - total * mean
        std = np.sqrt(np.maximum(sum_of_squares, 0.0) / (size - 1))
    std[..., size < 2] = np.nan
    return (mean + offset if values.shape[-1] else mean), std
