"""Tail probabilities and quantiles of the common distributions, one number at a time; scipy costs 0.3 s to import."""

from __future__ import annotations

import math
from statistics import NormalDist

NORMAL_MAD = 1.482602218505602
"""The standard deviation of a normal variable over its median absolute deviation."""
_TINY = 1e-300
_ROUNDS = 400
_CLOSE = 1e-14


def norm_sf(z: float) -> float:
    """P(Z > z) of a standard normal Z, exact to rounding also far out.

    >>> round(norm_sf(1.959964), 6)
    0.025
    """
    return 0.5 * math.erfc(z / math.sqrt(2))


def norm_isf(tail: float) -> float:
    """The z that a standard normal exceeds with probability `tail`, which lies in (0, 1)."""
    return -NormalDist().inv_cdf(tail)


def t_sf(t: float, freedom: float) -> float:
    """P(T > t) of Student's t with `freedom` > 0 degrees, which need not be whole.

    Through the incomplete beta function's continued fraction (Abramowitz and Stegun 1964, 26.5.8 and 26.7.1).
    """
    if t < 0:
        return 1 - t_sf(-t, freedom)
    return 0.5 * _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def t_isf(tail: float, freedom: float) -> float:
    """The t that Student's t exceeds with probability `tail` in (0, 0.5]; by bisection, to 1e-10 relative."""
    high = 1.0
    while t_sf(high, freedom) > tail:
        high *= 2
    low = 0.0
    while high - low > 1e-10 * max(high, 1e-3):
        middle = (low + high) / 2
        low, high = (middle, high) if t_sf(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def chi2_sf(x: float, freedom: float) -> float:
    """P(X > x) of chi squared with `freedom` > 0 degrees.

    Through the incomplete gamma function: its series below the mean, its continued fraction above (Abramowitz and
    Stegun 1964, 6.5.29 and 6.5.31).
    """
    if x <= 0:
        return 1.0
    shape, half = freedom / 2, x / 2
    scale = math.exp(shape * math.log(half) - half - math.lgamma(shape))
    if half < shape + 1:
        term = total = 1 / shape
        for n in range(1, _ROUNDS):
            term *= half / (shape + n)
            total += term
            if term < total * _CLOSE:
                break
        return max(0.0, 1 - scale * total)
    bottom = half + 1 - shape
    c, d = 1 / _TINY, 1 / bottom
    value = d
    for n in range(1, _ROUNDS):
        bottom += 2
        d, c = _lentz(d, c, n * (shape - n), bottom)
        value *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return scale * value


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    d, c = 1 / (1 - (a + b) * x / (a + 1)), 1.0
    value = d
    for n in range(1, _ROUNDS):
        d, c = _lentz(d, c, n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n)), 1.0)
        value *= d * c
        d, c = _lentz(d, c, -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1)), 1.0)
        value *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return math.exp(logs) * value / a


def _lentz(d: float, c: float, top: float, bottom: float) -> tuple[float, float]:
    """One step of a continued fraction (Lentz 1976): its two running ratios."""
    d = bottom + top * d
    c = bottom + top / c
    return 1 / (d or _TINY), c or _TINY
