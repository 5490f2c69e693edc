"""Means and deviations over many windows of one sequence at once, by running sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]


def prefix_sums(values: Floats) -> Floats:
    """Running sums along the last axis, with a leading 0: the sum of `[low, high)` is `out[high] - out[low]`."""
    out = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=out[..., 1:])
    return out


def rolling_moments(values: Floats, low: Places, high: Places) -> tuple[Floats, Floats]:
    """Mean and standard deviation (of a sample, n - 1) of the windows `[low, high)`.

    All are taken relative to the first value, so that squares of large numbers do not drown their spread; a window's
    result depends on nothing after it, to the last bit.

    Args:
        values: Finite; the sequence runs along the last axis.
        low: First place of each window.
        high: Place after its last.

    Returns:
        One a window; NaN for the mean of none, and for the deviation of fewer than two.
    """
    anchor = values[..., :1]
    moved = values - anchor
    number = (high - low).astype(np.float64)
    sums, squares = prefix_sums(moved), prefix_sums(moved * moved)
    total = sums[..., high] - sums[..., low]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / number
        rest = (squares[..., high] - squares[..., low]) - total * mean
        deviation = np.sqrt(np.maximum(rest, 0.0) / (number - 1))
    deviation[..., number < 2] = np.nan
    return (mean + anchor if values.shape[-1] else mean), deviation
