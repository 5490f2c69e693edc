"""The baseline that is another series: a segment, a metric, or a model beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from modeltop.core.series import Series, SeriesKey
from modeltop.rules.baselines.base import NO_SERIES, Baseline, BaselineStats, baseline_stats


@dataclass(frozen=True, slots=True)
class OtherSeriesBaseline(Baseline):
    """The same period of another series.

    Raises:
        ValueError: Nothing is named that makes it another.
    """

    has_spread: ClassVar[bool] = False

    model: str | None = None
    metric: str | None = None
    segment: str | None = None

    def __post_init__(self) -> None:
        if self.model is None and self.metric is None and self.segment is None:
            raise ValueError("a reference needs a model, a metric or a segment to compare with")

    def other_key(self, key: SeriesKey) -> SeriesKey | None:
        """Return the key with the configured parts replaced."""
        pairs = zip((self.model, self.metric, self.segment), key, strict=True)
        return SeriesKey(*(own if other is None else other for other, own in pairs))

    def stats(
        self, series: Series, *, min_count: float = 0, other_series: Mapping[SeriesKey, Series] = NO_SERIES
    ) -> BaselineStats:
        """Return, per point, the evaluable period of the other series that started at the same moment, if any."""
        key = self.other_key(series.key)
        other = other_series.get(key) if key is not None and key != series.key else None
        if other is None:
            empty = np.zeros(len(series), dtype=np.int64)
            return baseline_stats(series[:0], empty, empty, 1)
        pool = other[other.evaluable(min_count)]
        low = np.searchsorted(pool.times, series.times)
        return baseline_stats(pool, low, np.searchsorted(pool.times, series.times, "right"), 1)

    def describe(self) -> str:
        """Return the names that make it another series; foreign text."""
        return " of ".join(name for name in (self.metric, self.segment, self.model) if name is not None)
