"""Lasting changes of the level of a series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.stats.autocorrelation import variance_inflation
from modeltop.core.stats.robust import hampel_filter
from modeltop.core.stats.rolling import prefix_sums
from modeltop.diagnosis.timeseries.noise import Noise, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.points import Points
from modeltop.diagnosis.timeseries.seasonality import detect_season

if TYPE_CHECKING:
    from modeltop.core.series import Floats

MAX_P_VALUE = 0.05
"""Significance level of a change."""
MIN_SEGMENT = 3
"""Minimum length of a level in periods: a shorter one is a spike."""
MIN_POINTS = 10
"""Points below which no change is sought."""
PENALTY = 2.0
"""Minimum that a candidate must explain, in squared standard errors times log n: its position and its size."""


def change_points(points: Points) -> list[int]:
    """Return the indices of the first points after sustained changes of level, oldest first; none for under ten points.

    Optimal partitioning (Jackson and others 2005) of values that weigh by the inverse of their variance; the season,
    and outliers of up to three periods, are removed first. For autocorrelation the variance of a mean is enlarged by
    (1 + rho) / (1 - rho). Of the candidates the least certain by `max_gain_p_value` is removed until all are certain.
    """
    if len(points) < MIN_POINTS or np.ptp(points.values) <= 1e-12 * float(np.abs(points.values).max()):
        return []
    if season := detect_season(points):
        points = points.deseasonalize(season.at(points.times))
    noise = neighbor_noise(points)
    # Twice: the levels that independent points would have show how much chance and autocorrelation there is.
    for _ in range(2):
        filtered = points.subtract(points.values - hampel_filter(points.values, noise.std_errors))
        levels = _PiecewiseLevels(filtered.values, noise)
        changes = levels.significant(levels.partition())
        noise = estimate_noise(filtered, filtered.values - levels.at(changes), fitted=1 + 2 * len(changes))
    return _PiecewiseLevels(filtered.values, noise).significant(changes)


def max_gain_p_value(gain: float, first: float, last: float) -> float:
    """Compute the probability that by chance a step explains as much as `gain` at the best of all positions.

    In continuous time, so conservative in a short series (Miller and Siegmund 1982, Biometrics 38).

    Args:
        gain: Decrease of the sum of squares in squared standard errors.
        first: Ratio of the series before the first position that was tried, in (0, 1).
        last: Ratio of the series before the last one, larger than `first`.

    >>> round(max_gain_p_value(9.0, 0.1, 0.9), 2), max_gain_p_value(1.0, 0.1, 0.9)
    (0.06, 1.0)
    """
    z = math.sqrt(max(gain, 0.0))
    if z <= 1:
        return 1.0
    density = math.exp(-gain / 2) / math.sqrt(2 * math.pi)
    log_odds = math.log(last * (1 - first) / (first * (1 - last)))
    return min(1.0, density * ((z - 1 / z) * log_odds + 4 / z))


class _PiecewiseLevels:
    """Values with running sums: the level of any stretch, and what it explains, cost two look-ups."""

    def __init__(self, values: Floats, noise: Noise) -> None:
        weights = 1 / (noise.std_errors**2 * variance_inflation(noise.rho))
        self._anchor = float(values.mean())
        self._sums = prefix_sums(np.stack([weights, weights * (values - self._anchor)]))
        self.n = len(values)

    def at(self, changes: list[int]) -> Floats:
        """Return the level of each value's stretch."""
        bounds = np.array([0, *changes, self.n])
        weight, total = np.diff(self._sums[:, bounds])
        return np.repeat(total / weight + self._anchor, np.diff(bounds))

    def partition(self) -> list[int]:
        """Return the changes of level that explain most at the penalty; each level lasts `MIN_SEGMENT` periods."""
        weight, total = self._sums
        penalty = PENALTY * math.log(self.n)
        best = np.full(self.n + 1, np.inf)
        best[0] = 0.0
        previous = np.zeros(self.n + 1, dtype=np.int64)
        for end in range(MIN_SEGMENT, self.n + 1):
            starts = slice(0, end - MIN_SEGMENT + 1)
            # The sum of squares itself is the same for all partitions and left out.
            explained = total[end] - total[starts]
            explained *= explained
            explained /= weight[end] - weight[starts]
            cost = best[starts] - explained
            k = int(cost.argmin())
            best[end], previous[end] = cost[k] + penalty, k
        changes: list[int] = []
        at = int(previous[self.n])
        while at > 0:
            changes.append(at)
            at = int(previous[at])
        return changes[::-1]

    def p_value(self, low: int, at: int, high: int) -> float:
        """Compute the p-value of the change at `at` in `[low, high)`, as the best of all positions there."""
        weight, total = self._sums
        before, after = weight[at] - weight[low], weight[high] - weight[at]
        difference = (total[at] - total[low]) / before - (total[high] - total[at]) / after
        gain = float(difference**2 * before * after / (before + after))
        edge = MIN_SEGMENT / max(high - low, 2 * MIN_SEGMENT + 1)
        # A stretch within the series was tested at all its starts and ends.
        return min(1.0, max_gain_p_value(gain, edge, 1 - edge) * (self.n / (high - low)) ** 2)

    def significant(self, changes: list[int]) -> list[int]:
        """Return the changes that remain when the least certain is removed again and again."""
        changes = list(changes)
        while changes:
            bounds = [0, *changes, self.n]
            p_values = [self.p_value(*bounds[i : i + 3]) for i in range(len(changes))]
            worst = int(np.argmax(p_values))
            if p_values[worst] <= MAX_P_VALUE:
                break
            del changes[worst]
        return changes
