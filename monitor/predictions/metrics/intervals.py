"""95 % intervals from aggregates, vectorized over cells, each on a scale on which the error is nearly normal.

Which serves which metric was chosen by the simulations in `tests/predictions/metrics/test_intervals.py`.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from modeltop.core.series import Floats
from modeltop.predictions.metrics.base import Intervals

Z = NormalDist().inv_cdf(0.975)
MIN_DEGREES = 1.5
"""Minimum degrees of freedom: fewer are not informative about the spread, and the quantile stays at 5.3."""


def mover_interval(values: Floats, intervals: Intervals, weight: ArrayLike) -> Intervals:
    """Compute the interval of a weighted sum of independent terms (MOVER: Zou & Donner 2008, Stat. Med. 27).

    Args:
        values: Terms on the first axis, [T, K].
        intervals: Low and high of each term, [T, K].
        weight: Of each term, 0 or more; broadcast against `values`.
    """
    weights = np.asarray(weight, dtype=np.float64)
    total = (weights * values).sum(axis=0)
    below = np.sqrt(((weights * (values - intervals[0])) ** 2).sum(axis=0))
    above = np.sqrt(((weights * (intervals[1] - values)) ** 2).sum(axis=0))
    return total - below, total + above


def log_interval(mean: Floats, variance: Floats, quantile: ArrayLike = Z) -> Intervals:
    """Compute the interval of a mean of values of 0 or more, symmetric on the scale of logarithms.

    Args:
        mean: 0 or more, [K]; if it is 0 both ends are 0.
        variance: Of the mean, that is s² / n, [K].
        quantile: As from `t_isf_975`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(np.minimum(np.asarray(quantile) * np.sqrt(variance) / mean, 700.0))
        return np.where(mean > 0, mean / factor, mean), np.where(mean > 0, mean * factor, mean)


def logit_interval(value: Floats, variance: Floats, quantile: ArrayLike = Z) -> Intervals:
    """Compute the interval of a value strictly within 0 and 1, symmetric on the scale of log-odds.

    Args:
        value: Within 0 and 1, [K].
        variance: Of the value, [K].
        quantile: As from `t_isf_975`.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        centre = np.log(value / (1 - value))
        half_width = np.asarray(quantile) * np.sqrt(variance) / (value * (1 - value))
        return 1 / (1 + np.exp(half_width - centre)), 1 / (1 + np.exp(-half_width - centre))


def fisher_interval(value: Floats, variance: Floats) -> Intervals:
    """Compute the interval of a coefficient strictly within -1 and 1, symmetric on the scale of Fisher's z."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, half_width = np.arctanh(value), Z * np.sqrt(variance) / (1 - value * value)
        return np.tanh(centre - half_width), np.tanh(centre + half_width)


def widen_to_contain(value: Floats, interval: Intervals) -> Intervals:
    """Return the interval with its ends moved outwards if the value lies beyond them."""
    return np.fmin(interval[0], value), np.fmax(interval[1], value)


def widen_by_bound(interval: Intervals, bound: Floats) -> Intervals:
    """Return the interval longer by `bound` at either end, within 0 and 1."""
    return np.maximum(interval[0] - bound, 0.0), np.minimum(interval[1] + bound, 1.0)


def t_isf_975(degrees: ArrayLike) -> Floats:
    """Return the 97.5 % quantile of Student's t, by its expansion around the normal one (Abramowitz & Stegun 26.7.5).

    Within 1 % for 2 and more degrees of freedom, 0.1 % for 3 and more.

    >>> [round(float(t_isf_975(df)), 2) for df in (3, 10, 1e9)]
    [3.18, 2.23, 1.96]
    """
    df = np.maximum(np.nan_to_num(np.asarray(degrees, dtype=np.float64), nan=MIN_DEGREES), MIN_DEGREES)
    square = Z * Z
    terms = (
        (square + 1) / 4,
        ((5 * square + 16) * square + 3) / 96,
        (((3 * square + 19) * square + 17) * square - 15) / 384,
        ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92160,
    )
    return np.asarray(Z * (1.0 + np.sum([term / df ** (power + 1) for power, term in enumerate(terms)], axis=0)))


def effective_degrees(cases: Floats, second: Floats, fourth: Floats) -> Floats:
    """Compute the degrees of freedom of an estimated variance from the kurtosis: a few large values leave few.

    Args:
        cases: Number of values, [K].
        second: Their second central moment, the variance, [K].
        fourth: Their fourth central moment, at least the square of the second, [K].
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees: Floats = 2 * cases / np.maximum(fourth / (second * second) - 1, 1e-3)
    return degrees


def fourth_central_moment(first: Floats, second: Floats, third: Floats, fourth: Floats) -> Floats:
    """Return the fourth central moment from the four raw ones; at least 0, despite rounding errors."""
    square = first * first
    return np.maximum(fourth - 4 * first * third + 6 * square * second - 3 * square * square, 0.0)
