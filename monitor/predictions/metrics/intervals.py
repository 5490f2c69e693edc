"""95 % intervals from tallies, vectorised over cells. Which one holds where was chosen by simulation, see tests.

A plain delta interval, value ± 1.96 standard errors, covers 79 to 92 % at ten positives; so each of these works on a
scale, or by a count, on which its error is nearly normal.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from modeltop.core.series import Floats

    Ends = tuple[Floats, Floats]

Z = NormalDist().inv_cdf(0.975)
MIN_DEGREES = 1.5
"""Fewer effective cases than this tell nothing of their own spread; the quantile is held at 5.3."""


def wilson_interval(share: Floats, cases: Floats) -> Ends:
    """Wilson's score interval of a share of `cases` (Wilson 1927, JASA 22); NaN where there are none.

    >>> low, high = wilson_interval(np.array([0.87]), np.array([1200.0]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.8498, 0.8879)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 + Z * Z / cases
        centre = (share + Z * Z / (2 * cases)) / shrink
        reach = Z * np.sqrt(np.maximum(share * (1 - share), 0.0) / cases + Z * Z / (4 * cases * cases)) / shrink
    # At 0 and 1 the ends are exact; rounding would leave 1e-17.
    return np.minimum(share, np.maximum(0.0, centre - reach)), np.maximum(share, np.minimum(1.0, centre + reach))


def mover_interval(parts: Floats, ends: Ends, weight: ArrayLike) -> Ends:
    """Interval of a weighted sum of independent parts, from their own (MOVER: Zou & Donner 2008, Stat. Med. 27).

    Args:
        parts: Values, the parts on the first axis.
        ends: Their lows and highs, of the same shape.
        weight: Of each part, not negative; broadcast against `parts`.
    """
    weights = np.asarray(weight, dtype=np.float64)
    total = (weights * parts).sum(axis=0)
    below = np.sqrt(((weights * (parts - ends[0])) ** 2).sum(axis=0))
    above = np.sqrt(((weights * (ends[1] - parts)) ** 2).sum(axis=0))
    return total - below, total + above


def log_interval(mean: Floats, variance: Floats, quantile: ArrayLike = Z) -> Ends:
    """Interval of a mean of values that are not negative, symmetric on the scale of logarithms.

    Args:
        mean: At least 0; where it is 0 both ends are 0.
        variance: Of the mean, that is s² / n.
        quantile: From `student`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(np.minimum(np.asarray(quantile) * np.sqrt(variance) / mean, 700.0))
        return np.where(mean > 0, mean / factor, mean), np.where(mean > 0, mean * factor, mean)


def logit_interval(value: Floats, variance: Floats, quantile: ArrayLike = Z) -> Ends:
    """Interval of a value strictly within 0 and 1, symmetric on the scale of log-odds."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        centre = np.log(value / (1 - value))
        reach = np.asarray(quantile) * np.sqrt(variance) / (value * (1 - value))
        return 1 / (1 + np.exp(reach - centre)), 1 / (1 + np.exp(-reach - centre))


def fisher_interval(value: Floats, variance: Floats) -> Ends:
    """Interval of a coefficient strictly within -1 and 1, symmetric on the scale of Fisher's z."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, reach = np.arctanh(value), Z * np.sqrt(variance) / (1 - value * value)
        return np.tanh(centre - reach), np.tanh(centre + reach)


def widen_to_contain(value: Floats, ends: Ends) -> Ends:
    """The same ends, moved outwards where needed so that the value lies between them."""
    return np.fmin(ends[0], value), np.fmax(ends[1], value)


def t_isf_975(degrees: ArrayLike) -> Floats:
    """The 97.5 % quantile of Student's t, by its expansion around the normal one (Abramowitz & Stegun 26.7.5).

    Within 1 % for 2 and more degrees of freedom, 0.1 % for 3 and more.

    >>> [round(float(t_isf_975(d)), 2) for d in (3, 10, 1e9)]
    [3.18, 2.23, 1.96]
    """
    nu = np.maximum(np.nan_to_num(np.asarray(degrees, dtype=np.float64), nan=MIN_DEGREES), MIN_DEGREES)
    square = Z * Z
    terms = (
        (square + 1) / 4,
        ((5 * square + 16) * square + 3) / 96,
        (((3 * square + 19) * square + 17) * square - 15) / 384,
        ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92160,
    )
    found: Floats = Z * (1.0 + np.sum([term / nu ** (power + 1) for power, term in enumerate(terms)], axis=0))
    return found


def effective_degrees(cases: Floats, second: Floats, fourth: Floats) -> Floats:
    """How many degrees of freedom an estimated variance has, from the kurtosis: few large values tell little of it.

    Args:
        cases: n.
        second: Central moment of the values, their variance.
        fourth: Central moment, at least the square of the second.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = 2 * cases / np.maximum(fourth / (second * second) - 1, 1e-3)
    return found


def fourth_central_moment(first: Floats, second: Floats, third: Floats, fourth: Floats) -> Floats:
    """The fourth central moment from the four raw ones; at least 0, for what rounding takes away."""
    square = first * first
    return np.maximum(fourth - 4 * first * third + 6 * square * second - 3 * square * square, 0.0)
