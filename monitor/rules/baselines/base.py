"""What a point is compared with, and what a way to choose that is.

A rule has a `Kind` of reference. `kind.ground(series)` gives for every point of the series what that point is compared
with: judged periods before it, never the point itself or a later one, so that a check which compares stays causal. The
kind that compares with another series (`other_series`) finds it among `others`, by the key that
`kind.other(key)` names. The direction is never asked here: which difference is bad is a check's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Series, SeriesKey
from modeltop.core.stats.robust import distinct, median
from modeltop.core.stats.rolling import prefix_sums, rolling_moments

if TYPE_CHECKING:
    from modeltop.core.series import Floats

    Places = NDArray[np.int64]

NO_SERIES: Mapping[SeriesKey, Series] = MappingProxyType({})
ROBUST = 1.482602218505602
"""From the median absolute deviation to the standard deviation, where values are normal."""


@dataclass(frozen=True, slots=True, eq=False)
class BaselineStats:
    """What each point of a series is compared with; every array but `pool` has a row a point."""

    periods: NDArray[np.int64]
    """Periods in its reference; 0 where there is none, or too little history."""
    mean: Floats
    """Their mean, each period alike; NaN without a reference."""
    std: Floats
    """Standard deviation of one of them; NaN for fewer than two."""
    support: Floats
    """Sum of their support; NaN where it is not known of all of them."""
    pooled_mean: Floats
    """Their mean over cases, or over periods where the cases are unknown."""
    mean_inverse_support: Floats
    """Mean of 1 / support: a share p has p (1 - p) × this of variance by chance alone; NaN where unknown."""
    start_index: NDArray[np.int64]
    """The reference of a point is `pool[low:low + periods]`."""
    pool: Floats
    is_moving: bool = False
    """True where the reference moves along with the point, so that what lasts becomes what is usual."""

    def __len__(self) -> int:
        return len(self.periods)

    def __getitem__(self, part: slice) -> BaselineStats:
        """The rows of a part of the points; arrays are views."""
        cut: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        for name, value in cut.items():
            if isinstance(value, np.ndarray) and name != "pool":
                cut[name] = value[part]
        return BaselineStats(**cut)

    def robust(self) -> tuple[Floats, Floats]:
        """Median of each reference, and its scale: the median absolute deviation × 1.4826; NaN without one."""
        middle, scale = np.full((2, len(self)), np.nan)
        for number in distinct(self.periods[self.periods > 0]).tolist():
            here = np.flatnonzero(self.periods == number)
            windows = self.pool[self.start_index[here][:, None] + np.arange(number)]
            middle[here] = median(windows)
            scale[here] = ROBUST * median(np.abs(windows - middle[here][:, None]))
        return middle, scale


class Baseline(Protocol):
    """A way to choose what a point is compared with; a frozen dataclass."""

    has_spread: ClassVar[bool]
    """Whether a reference of it holds several periods, so that it has a spread."""

    def stats(
        self, series: Series, *, min_count: float = 0, other_series: Mapping[SeriesKey, Series] = NO_SERIES
    ) -> BaselineStats:
        """What each point of `series` is compared with; `min_count` as that of the rule."""

    def other_key(self, key: SeriesKey) -> SeriesKey | None:
        """The series that the one of this key is compared with; None if with its own past."""

    def describe(self) -> str:
        """What it is, such as `its 60 earlier periods`; may hold foreign text."""


def select_periods(series: Series, places: NDArray[Any]) -> Series:
    """The same series at some of its periods, given by place or by flag."""
    cut: dict[str, Any] = {one.name: getattr(series, one.name) for one in fields(series)}
    return Series(**{name: cell[places] if isinstance(cell, np.ndarray) else cell for name, cell in cut.items()})


def baseline_stats(
    series: Series, low: Places, high: Places, min_points: int, *, is_moving: bool = False
) -> BaselineStats:
    """Compare with periods of `series`, a pool, between the places `[low, high)`: one pair of places a point."""
    enough = high - low >= min_points
    low, high = np.where(enough, low, 0), np.where(enough, high, 0)
    mean, spread = rolling_moments(series.values, low, high)
    cases, pooled, rarity = np.full(len(low), np.nan), mean, np.full(len(low), np.nan)
    if series.support is not None:
        known = np.isfinite(series.support) & (series.support > 0)
        sure = np.where(known, series.support, 1.0)
        sums = prefix_sums(np.stack([sure, sure * series.values, 1 / sure, np.where(known, 0.0, 1.0)]))
        cut = sums[:, high] - sums[:, low]
        whole = enough & (cut[3] == 0)
        cases = np.where(whole, cut[0], np.nan)
        pooled = np.where(whole, cut[1] / np.maximum(cut[0], 1), mean)
        rarity = np.where(whole, cut[2] / np.maximum(high - low, 1), np.nan)
    return BaselineStats(high - low, mean, spread, cases, pooled, rarity, low, series.values, is_moving)
