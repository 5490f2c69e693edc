"""Detection of a week or a year in a series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats, Times
from modeltop.core.stats.distributions import chi2_sf
from modeltop.core.stats.robust import median, running_median
from modeltop.diagnosis.timeseries.points import DAY, Points

Slots = NDArray[np.int64]

MIN_WEEKS, MIN_YEARS = 4, 3
"""Length of a series from which its season is distinguishable from chance."""
MAX_P_VALUE = 0.001
"""Significance level of a season: a false one hides true changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """A weekly or yearly pattern, as effects on the level."""

    name: str
    effects: Floats
    """Effect of each weekday from Monday, or each month from January, on the level; their mean is about 0."""

    def at(self, times: Times) -> Floats:
        """Return the seasonal effect at each of `times`."""
        return self.effects[_slots(self.name, times)]

    @property
    def size(self) -> float:
        """Difference of the highest effect and the lowest."""
        return float(self.effects.max() - self.effects.min())


def detect_season(points: Points) -> Season | None:
    """Detect the week of daily points of four weeks, or the year of monthly points of three years; None if none.

    The ranks of the residuals of a running median are compared between weekdays (or months) by the test of Kruskal and
    Wallis 1952, as Ollech and Webel 2020 recommend.
    """
    if len(points) < 2:
        return None
    gap, span = median(np.diff(points.times)), points.times[-1] - points.times[0]
    if gap == DAY:
        if span >= (7 * MIN_WEEKS - 1) * DAY and len(points) >= 5 * MIN_WEEKS:
            return _significant_season("week", points, reach=3)
    elif 27 * DAY <= gap <= 32 * DAY and span >= (365 * MIN_YEARS - 31) * DAY:
        return _significant_season("year", points, reach=6)
    return None


def _slots(name: str, times: Times) -> Slots:
    if name == "year":
        return times.astype("datetime64[M]").astype(np.int64) % 12
    # The first day of 1970 was a Thursday.
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _significant_season(name: str, points: Points, *, reach: int) -> Season | None:
    slots = _slots(name, points.times)
    residuals = points.values - running_median(points.values, reach)
    counts = np.bincount(slots)
    present = np.flatnonzero(counts)
    if len(present) < 2 or counts[present].min() < 2:
        return None
    if kruskal_wallis(residuals / np.sqrt(points.variances), slots) >= MAX_P_VALUE:
        return None
    effects = np.zeros(12 if name == "year" else 7)
    for slot in present:
        effects[slot] = median(residuals[slots == slot])
    effects[present] -= effects[slots].mean()
    return Season(name, effects)


def kruskal_wallis(values: Floats, groups: Slots) -> float:
    """Return the p-value of equal distributions in all groups, with correction for ties (Kruskal and Wallis 1952)."""
    n = len(values)
    _, inverse, ties = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[inverse]
    counts = np.bincount(groups)
    present = counts > 0
    rank_sums = np.bincount(groups, weights=ranks)[present]
    tie_correction = 1 - float((ties.astype(np.float64) ** 3 - ties).sum()) / (n**3 - n)
    if tie_correction <= 0:
        return 1.0
    h = 12 / (n * (n + 1)) * float((rank_sums**2 / counts[present]).sum()) - 3 * (n + 1)
    return float(chi2_sf(h / tie_correction, int(present.sum()) - 1))
