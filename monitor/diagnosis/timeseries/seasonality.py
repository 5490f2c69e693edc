"""Whether a series has a week, or a year, and what remains without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Series
from modeltop.core.stats.distributions import chi2_sf
from modeltop.core.stats.robust import median, running_median
from modeltop.diagnosis.timeseries.points import DAY, Points, evaluable_points

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

    Slots = NDArray[np.int64]

MIN_WEEKS, MIN_YEARS = 4, 3
"""So long must a series be before its season can be told from chance."""
MAX_P_VALUE = 0.001
"""The probability of chance below which a season is believed: a false one hides true changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """A pattern that comes back."""

    name: str
    """`week` or `year`."""
    effects: Floats
    """What each weekday from Monday, or each month from January, adds to the level; their mean is about 0."""
    p: float
    """How likely chance alone makes such differences."""

    def at(self, times: Times) -> Floats:
        """What it adds at these times."""
        added: Floats = self.effects[_slots(self.name, times)]
        return added

    @property
    def size(self) -> float:
        """From the lowest to the highest."""
        return float(self.effects.max() - self.effects.min())


def series_season(series: Series, *, min_count: float = 0) -> Season | None:
    """The season of a series: of the week for daily data of four weeks, of the year for three years; None if none.

    The level is taken off by a running median over one whole season, and the ranks of what remains are compared
    between the weekdays (or months) by the test of Kruskal and Wallis 1952, as Ollech and Webel 2020 recommend for
    telling whether a series is seasonal at all.
    """
    return detect_season(evaluable_points(series, min_count=min_count))


def detect_season(those: Points) -> Season | None:
    """The same of judged points."""
    if len(those) < 2:
        return None
    gap, span = median(np.diff(those.times)), those.times[-1] - those.times[0]
    if gap == DAY:
        if span >= (7 * MIN_WEEKS - 1) * DAY and len(those) >= 5 * MIN_WEEKS:
            return _found("week", those, reach=3)
    elif 27 * DAY <= gap <= 32 * DAY and span >= (365 * MIN_YEARS - 31) * DAY:
        return _found("year", those, reach=6)
    return None


def _slots(name: str, times: Times) -> Slots:
    if name == "year":
        months: Slots = times.astype("datetime64[M]").astype(np.int64) % 12
        return months
    # The first day of 1970 was a Thursday.
    weekdays: Slots = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return weekdays


def _found(name: str, those: Points, *, reach: int) -> Season | None:
    slots = _slots(name, those.times)
    errors = np.sqrt(those.variances)
    beside = those.values - running_median(those.values, reach)
    scaled = beside / errors
    counts = np.bincount(slots)
    there = counts > 0
    if there.sum() < 2 or counts[there].min() < 2:
        return None
    p = kruskal_wallis(scaled, slots)
    if p >= MAX_P_VALUE:
        return None
    effects = np.zeros(12 if name == "year" else 7)
    for slot in np.flatnonzero(there):
        effects[slot] = median(beside[slots == slot])
    effects[np.flatnonzero(there)] -= effects[slots].mean()
    return Season(name, effects, p)


def kruskal_wallis(values: Floats, groups: Slots) -> float:
    """The p-value of equal distributions in all groups, from mean ranks, ties allowed for (Kruskal and Wallis 1952)."""
    n = len(values)
    _, inverse, ties = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[inverse]
    counts = np.bincount(groups)
    there = counts > 0
    sums = np.bincount(groups, weights=ranks)[there]
    shrink = 1 - float((ties.astype(np.float64) ** 3 - ties).sum()) / (n**3 - n)
    if shrink <= 0:
        return 1.0
    h = 12 / (n * (n + 1)) * float((sums**2 / counts[there]).sum()) - 3 * (n + 1)
    return float(chi2_sf(h / shrink, int(there.sum()) - 1))
