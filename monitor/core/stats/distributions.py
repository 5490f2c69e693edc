"""Tail probabilities and quantiles of the normal and the chi-squared distribution; scipy costs 0.3 s to import."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from modeltop.core.series import Floats

NORMAL_MAD = 1.482602218505602
"""The standard deviation of a normal variable over its median absolute deviation."""


def norm_sf(z: float) -> float:
    """Return P(Z > z) of a standard normal Z, exact to rounding also far out.

    >>> round(norm_sf(1.959964), 6)
    0.025
    """
    return 0.5 * math.erfc(z / math.sqrt(2))


def norm_isf(q: float) -> float:
    """Return the z that a standard normal exceeds with probability `q`, which lies in (0, 1)."""
    return -NormalDist().inv_cdf(q)


def chi2_sf(x: ArrayLike, df: ArrayLike) -> Floats:
    """Return P(X > x) of chi-squared, element by element, to 1e-10 relative also far out.

    By Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1), from Q(1/2, x) = erfc(sqrt(x)) or Q(1, x) = e^-x (Abramowitz and
    Stegun 1964, 6.5.21).

    The integer degrees of freedom `df` are broadcast against `x`; a negative `x` counts as 0. 1 without any degree of
    freedom, NaN for a statistic of NaN.

    >>> chi2_sf([3.841, 16.92], [1, 9]).round(3).tolist()
    [0.05, 0.05]
    """
    statistic, degrees = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(df, dtype=np.int64))
    half = np.maximum(statistic, 0.0) / 2
    is_odd = degrees % 2 == 1
    erfc = np.vectorize(math.erfc, otypes=[np.float64])
    tail = np.where(is_odd, erfc(np.sqrt(half)), np.exp(-half))
    with np.errstate(divide="ignore"):
        log_half = np.log(half)
    for step in range(int(degrees.max(initial=0)) // 2):
        power = np.where(is_odd, step + 0.5, step + 1.0)
        log_gamma = np.where(is_odd, math.lgamma(step + 1.5), math.lgamma(step + 2.0))
        tail += np.where(power < degrees / 2, np.exp(power * log_half - half - log_gamma), 0.0)
    return np.where((degrees < 1) & ~np.isnan(statistic), 1.0, np.minimum(tail, 1.0))


def jensen_shannon(p: float, q: float) -> float:
    """Return the Jensen-Shannon distance of two proportions: the root of the divergence in bits, 0 to 1.

    >>> jensen_shannon(0.0, 1.0), round(jensen_shannon(0.2, 0.4), 4)
    (1.0, 0.1867)
    """

    def entropy(share: float) -> float:
        return -sum(part * math.log2(part) for part in (share, 1 - share) if part > 0)

    return math.sqrt(max(0.0, entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2))
