"""What the best of many places is worth."""

from __future__ import annotations

import math


def chance_of_best(gain: float, first: float, last: float) -> float:
    """How likely chance alone makes a step explain as much as `gain` at the best of all places.

    The size of the largest standardised difference between what lies before a place and after it, among all places
    between two shares of the series; in continuous time, so on the safe side in a short series (Miller and Siegmund
    1982, Biometrics 38, Maximally selected chi square statistics).

    Args:
        gain: Fall of the sum of squares in squared standard errors.
        first: Share of the series before the first place that was tried, in (0, 1).
        last: Share of the series before the last one, larger than `first`.

    >>> round(chance_of_best(9.0, 0.1, 0.9), 2), chance_of_best(1.0, 0.1, 0.9)
    (0.06, 1.0)
    """
    z = math.sqrt(max(gain, 0.0))
    if z <= 1:
        return 1.0
    density = math.exp(-gain / 2) / math.sqrt(2 * math.pi)
    odds = math.log(last * (1 - first) / (first * (1 - last)))
    return min(1.0, density * ((z - 1 / z) * odds + 4 / z))
