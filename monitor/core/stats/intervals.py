"""95 % intervals of proportions, from the number of cases they rest on.

Both hold at small counts and near 0 and 1, where the textbook's `p ± 1.96 · se` does not.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from modeltop.core.series import Floats
from modeltop.core.stats.distributions import norm_isf

Interval = tuple[float, float]
Z_95 = norm_isf(0.025)
Numeric = TypeVar("Numeric", float, "Floats")


def _wilson_bounds(proportion: Numeric, count: Numeric) -> tuple[Numeric, Numeric]:
    """Return low and high before they are clipped; `** 0.5` serves one number as well as arrays."""
    z = Z_95
    shrink = 1 + z * z / count
    centre = (proportion + z * z / (2 * count)) / shrink
    half_width = z * (proportion * (1 - proportion) / count + z * z / (4 * count * count)) ** 0.5 / shrink
    return centre - half_width, centre + half_width


def wilson(proportion: float, count: float | None) -> Interval | None:
    """Compute the 95 % interval of a proportion by Wilson's score (Wilson 1927, JASA 22).

    Low and high lie within 0 and 1, around `proportion`, a share of `count` cases, not necessarily an integer. None if
    `count` is unknown (None, NaN), infinite or not positive, or `proportion` is not a number from 0 to 1.

    >>> low, high = wilson(0.87, 1200)
    >>> round(low, 4), round(high, 4)
    (0.8498, 0.8879)
    """
    if count is None or not (0 < count < math.inf and 0 <= proportion <= 1):
        return None
    low, high = _wilson_bounds(proportion, count)
    # At 0 and 1 the bounds are exact; rounding would leave 1e-17.
    return min(proportion, max(0.0, low)), max(proportion, min(1.0, high))


def wilson_intervals(proportion: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Compute the 95 % interval of `wilson` for arrays of one shape; NaN for a count of 0.

    >>> low, high = wilson_intervals(np.array([0.87, np.nan]), np.array([1200.0, 0.0]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.8498, nan], [0.8879, nan])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = _wilson_bounds(np.clip(proportion, 0.0, 1.0), count)
    return np.minimum(proportion, np.maximum(0.0, low)), np.maximum(proportion, np.minimum(1.0, high))


def newcombe(proportion: float, count: float | None, other: float, other_count: float | None) -> Interval | None:
    """Compute the 95 % interval of a difference of two proportions (Newcombe 1998, Stat. Med. 17, method 10).

    Returns:
        Low and high, around `proportion - other`; None if either has no interval of its own.

    >>> low, high = newcombe(0.87, 1200, 0.96, 1200)
    >>> round(low, 4), round(high, 4)
    (-0.1124, -0.0681)
    """
    first, second = wilson(proportion, count), wilson(other, other_count)
    if first is None or second is None:
        return None
    difference = proportion - other
    low = difference - math.hypot(proportion - first[0], second[1] - other)
    high = difference + math.hypot(first[1] - proportion, other - second[0])
    return low, high
