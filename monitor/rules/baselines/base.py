"""The statistics of baselines, and the contract of a baseline.

A baseline holds evaluable periods before a point, never the point itself or a later one: detectors stay causal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats, Series, SeriesKey
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import distinct, median
from modeltop.core.stats.rolling import rolling_moments, row_chunks, window_totals

Places = NDArray[np.int64]

NO_SERIES: Mapping[SeriesKey, Series] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class BaselineStats:
    """The baselines of all points of a series; every array but `pool` has a row per point."""

    periods: NDArray[np.int64]
    """Periods in its baseline; 0 if there is none, or too little history."""
    mean: Floats
    """Their mean, each period alike; NaN without a baseline."""
    std: Floats
    """Standard deviation of a period (n - 1); NaN for fewer than two."""
    support: Floats
    """Sum of their support; NaN if it is unknown for any of them."""
    pooled_mean: Floats
    """Their mean weighted by support, or over periods if the support is unknown."""
    mean_inverse_support: Floats
    """Mean of 1 / support: a share p has p (1 - p) × this of variance by chance alone; NaN where unknown."""
    start_index: NDArray[np.int64]
    """The baseline of a point is `pool[start_index:start_index + periods]`."""
    pool: Floats
    is_moving: bool = False
    """True if the baseline moves along with the point, so that a sustained change becomes normal."""

    def __len__(self) -> int:
        return len(self.periods)

    def robust(self) -> tuple[Floats, Floats]:
        """Return the median of each baseline, and its median absolute deviation × 1.4826; NaN without a baseline."""
        center, scale = np.full((2, len(self)), np.nan)
        for length in distinct(self.periods[self.periods > 0]).tolist():
            of_length = np.flatnonzero(self.periods == length)
            for chunk in row_chunks(len(of_length), length):
                rows = of_length[chunk]
                windows = self.pool[self.start_index[rows][:, None] + np.arange(length)]
                center[rows] = median(windows)
                scale[rows] = NORMAL_MAD * median(np.abs(windows - center[rows][:, None]))
        return center, scale


class Baseline(ABC):
    """A way to choose the periods that a point is compared with; a frozen dataclass."""

    __slots__ = ()
    has_spread: ClassVar[bool] = True
    """Whether it holds several periods, so that it has a spread."""

    @abstractmethod
    def stats(
        self, series: Series, *, min_count: float = 0, other_series: Mapping[SeriesKey, Series] = NO_SERIES
    ) -> BaselineStats:
        """Return the baseline of each point of `series`.

        Args:
            series: Any series; its provisional and infinite periods are never part of a baseline.
            min_count: Support under which a period is not part of a baseline, as that of the rule.
            other_series: The series among which a baseline that is another series is found: `history.series`.
        """

    def other_key(self, key: SeriesKey) -> SeriesKey | None:  # noqa: ARG002  most lie in the series' own past
        """Return the key of the series that this one is compared with; None if with its own past."""
        return None

    @abstractmethod
    def describe(self) -> str:
        """Return a description such as `its 60 earlier periods`; may contain foreign text."""


def baseline_stats(
    series: Series, low: Places, high: Places, min_periods: int, *, is_moving: bool = False
) -> BaselineStats:
    """Compute the statistics of windows of a pool of periods.

    Args:
        series: The pool.
        low: First index into the pool, one per point.
        high: Index after the last one.
        min_periods: A window of fewer is no baseline.
        is_moving: Whether the windows move along with the points.
    """
    enough = high - low >= min_periods
    low, high = np.where(enough, low, 0), np.where(enough, high, 0)
    mean, std = rolling_moments(series.values, low, high)
    total, pooled, inverse = np.full(len(low), np.nan), mean, np.full(len(low), np.nan)
    if series.support is not None:
        valid = np.isfinite(series.support) & (series.support > 0)
        support = np.where(valid, series.support, 1.0)
        columns = np.stack([support, support * series.values, 1 / support, np.where(valid, 0.0, 1.0)])
        sums = window_totals(columns, low, high)
        complete = enough & (sums[3] == 0)
        total = np.where(complete, sums[0], np.nan)
        pooled = np.where(complete, sums[1] / np.maximum(sums[0], 1), mean)
        inverse = np.where(complete, sums[2] / np.maximum(high - low, 1), np.nan)
    return BaselineStats(high - low, mean, std, total, pooled, inverse, low, series.values, is_moving)
