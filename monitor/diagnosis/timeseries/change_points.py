"""When and by how much the level of a series changed for good."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import ChangePoint
from modeltop.core.series import Series, to_datetime
from modeltop.core.stats.autocorrelation import variance_inflation
from modeltop.core.stats.robust import hampel_filter
from modeltop.core.stats.rolling import prefix_sums
from modeltop.diagnosis.timeseries.noise import Noise, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.points import Points, evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season

if TYPE_CHECKING:
    from modeltop.core.series import Floats


def max_gain_p_value(gain: float, first: float, last: float) -> float:
    """How likely chance alone makes a step explain as much as `gain` at the best of all places.

    The size of the largest standardised difference between what lies before a place and after it, among all places
    between two shares of the series; in continuous time, so on the safe side in a short series (Miller and Siegmund
    1982, Biometrics 38, Maximally selected chi square statistics).

    Args:
        gain: Fall of the sum of squares in squared standard errors.
        first: Share of the series before the first place that was tried, in (0, 1).
        last: Share of the series before the last one, larger than `first`.

    >>> round(max_gain_p_value(9.0, 0.1, 0.9), 2), max_gain_p_value(1.0, 0.1, 0.9)
    (0.06, 1.0)
    """
    z = math.sqrt(max(gain, 0.0))
    if z <= 1:
        return 1.0
    density = math.exp(-gain / 2) / math.sqrt(2 * math.pi)
    odds = math.log(last * (1 - first) / (first * (1 - last)))
    return min(1.0, density * ((z - 1 / z) * odds + 4 / z))


MAX_P_VALUE = 0.05
"""Chance alone makes as large a change somewhere with this probability at most."""
MIN_SEGMENT = 3
"""Periods that a level lasts: what is shorter is a spike."""
MIN_POINTS = 10
"""Judged periods below which nothing is said."""
PENALTY = 2.0
"""What a change must explain to be a candidate, in squared standard errors times log n: its place and its size."""


def change_points(series: Series, *, min_count: float = 0) -> tuple[ChangePoint, ...]:
    """The lasting changes of level, oldest first; none with fewer than ten judged periods.

    Optimal partitioning (Jackson and others 2005; its pruning, PELT, gains nothing where changes are few) of values
    that weigh by the inverse of their variance, so that a month of five games moves nothing; the season, and what is
    wild for up to three periods, are taken off first. For autocorrelation the variance of a mean is enlarged by
    (1 + rho) / (1 - rho).
    Each candidate must then stand against the whole stretch between its neighbours, the search for its place allowed
    for (`chance_of_best`): the least certain goes first, until all that remain are certain.
    """
    return detect_change_points(evaluable_points(series, min_count=min_count))


def detect_change_points(those: Points) -> tuple[ChangePoint, ...]:
    """The same of judged points."""
    if len(those) < MIN_POINTS or np.ptp(those.values) <= 1e-12 * float(np.abs(those.values).max()):
        return ()
    season = detect_season(those)
    if season:
        those = those.deseasonalize(season.at(those.times))
    noise = neighbor_noise(those)
    # Twice: the levels that independent points would have show how much chance and memory there is.
    for _ in range(2):
        calm = those.subtract(those.values - hampel_filter(those.values, noise.std_errors))
        stretch = _Segmentation(calm.values, noise)
        places = stretch.significant(stretch.partition())
        noise = estimate_noise(calm, calm.values - stretch.levels(places), fitted=1 + 2 * len(places))
    stretch = _Segmentation(calm.values, noise)
    bounds = [0, *stretch.significant(places), len(those)]
    means = [stretch.mean(low, high) for low, high in pairwise(bounds)]
    return tuple(
        ChangePoint(to_datetime(those.times[at]), means[i], means[i + 1], stretch.p_value(bounds[i], at, bounds[i + 2]))
        for i, at in enumerate(bounds[1:-1])
    )


class _Segmentation:
    """Values with running sums: the level of any part, and what it leaves, cost two look-ups."""

    def __init__(self, values: Floats, noise: Noise) -> None:
        weights = 1 / (noise.std_errors**2 * variance_inflation(noise.rho))
        self._anchor = float(values.mean())
        moved = values - self._anchor
        self._sums = prefix_sums(np.stack([weights, weights * moved]))
        self.n = len(values)

    def mean(self, low: int, high: int) -> float:
        """Of the values `[low, high)`."""
        weight, total = self._sums[:, high] - self._sums[:, low]
        return float(total / weight) + self._anchor

    def levels(self, places: list[int]) -> Floats:
        """The mean of its part at each value."""
        bounds = [0, *places, self.n]
        parts = list(pairwise(bounds))
        return np.repeat([self.mean(*part) for part in parts], [high - low for low, high in parts])

    def partition(self) -> list[int]:
        """Where the levels change that explain most at the price of a change; each lasts `LEAST` periods."""
        weight, total = self._sums
        price = PENALTY * math.log(self.n)
        best = np.full(self.n + 1, np.inf)
        best[0] = 0.0
        came = np.zeros(self.n + 1, dtype=np.int64)
        for end in range(MIN_SEGMENT, self.n + 1):
            starts = slice(0, end - MIN_SEGMENT + 1)
            # The sum of squares itself is the same for all partitions and left out.
            explained = total[end] - total[starts]
            explained *= explained
            explained /= weight[end] - weight[starts]
            cost = best[starts] - explained
            k = int(cost.argmin())
            best[end], came[end] = cost[k] + price, k
        places: list[int] = []
        at = int(came[self.n])
        while at > 0:
            places.append(at)
            at = int(came[at])
        return places[::-1]

    def p_value(self, low: int, at: int, high: int) -> float:
        """How likely chance alone makes the change at `at` between `low` and `high`, at the best of all places."""
        weight, total = self._sums
        before, after = weight[at] - weight[low], weight[high] - weight[at]
        apart = (total[at] - total[low]) / before - (total[high] - total[at]) / after
        gain = float(apart**2 * before * after / (before + after))
        edge = MIN_SEGMENT / max(high - low, 2 * MIN_SEGMENT + 1)
        # A stretch within the series was sought out as well: by where it begins and where it ends.
        return min(1.0, max_gain_p_value(gain, edge, 1 - edge) * (self.n / (high - low)) ** 2)

    def significant(self, places: list[int]) -> list[int]:
        """The places that remain when the least certain is given up again and again."""
        places = list(places)
        while places:
            bounds = [0, *places, self.n]
            chances = [self.p_value(*bounds[i : i + 3]) for i in range(len(places))]
            worst = int(np.argmax(chances))
            if chances[worst] <= MAX_P_VALUE:
                break
            del places[worst]
        return places
