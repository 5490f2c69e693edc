"""How far a share may be from the truth, from the number of cases it rests on.

Pure, and without scipy: the only quantile is the normal one. Both intervals hold at small counts and near 0 and 1,
where the textbook's `p ± 1.96 · se` does not.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

Interval = tuple[float, float]


@cache
def _quantile(confidence: float) -> float:
    """The two-sided normal quantile; 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(share: float, cases: float | None, confidence: float = 0.95) -> Interval | None:
    """Wilson's score interval of a share (Wilson 1927, JASA 22).

    Args:
        share: The observed proportion.
        cases: What it is a proportion of; need not be whole.
        confidence: Chance that the interval covers the true share, between 0 and 1.

    Returns:
        Low and high, within 0 and 1, around `share`. None where there is no answer: `cases` unknown (None, NaN),
        infinite or not positive, or `share` not a number from 0 to 1.

    >>> low, high = wilson(0.87, 1200)
    >>> round(low, 4), round(high, 4)
    (0.8498, 0.8879)
    """
    if cases is None or not (0 < cases < math.inf and 0 <= share <= 1):
        return None
    z = _quantile(confidence)
    shrink = 1 + z * z / cases
    centre = (share + z * z / (2 * cases)) / shrink
    reach = z * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases)) / shrink
    # At 0 and 1 the ends are exact; rounding would leave 1e-17.
    return min(share, max(0.0, centre - reach)), max(share, min(1.0, centre + reach))


def newcombe(
    share: float, cases: float | None, other: float, other_cases: float | None, *, confidence: float = 0.95
) -> Interval | None:
    """Interval of the difference `share - other` of two independent shares (Newcombe 1998, Stat. Med. 17, method 10).

    Args:
        share: The first proportion.
        cases: What it is a proportion of.
        other: The proportion that is taken from it.
        other_cases: What that is a proportion of.
        confidence: Chance that the interval covers the true difference, between 0 and 1.

    Returns:
        Low and high, within -1 and 1 but for rounding, around `share - other`; None where either has
        no interval of its own.

    >>> low, high = newcombe(0.87, 1200, 0.96, 1200)
    >>> round(low, 4), round(high, 4)
    (-0.1124, -0.0681)
    """
    first, second = wilson(share, cases, confidence), wilson(other, other_cases, confidence)
    if first is None or second is None:
        return None
    difference = share - other
    low = difference - math.hypot(share - first[0], second[1] - other)
    high = difference + math.hypot(first[1] - share, other - second[0])
    return low, high
