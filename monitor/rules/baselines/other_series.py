"""The reference that is another series: a segment, a metric, or a model beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np

from modeltop.core.series import Series, SeriesKey
from modeltop.rules.baselines.base import NO_SERIES, BaselineStats, baseline_stats, select_periods


@dataclass(frozen=True, slots=True)
class OtherSeriesBaseline:
    """The same period of another series. Raises ValueError if nothing is named that makes it another."""

    has_spread: ClassVar[bool] = False

    model: str | None = None
    metric: str | None = None
    segment: str | None = None

    def __post_init__(self) -> None:
        if self.model is None and self.metric is None and self.segment is None:
            raise ValueError("a reference needs a model, a metric or a segment to compare with")

    def other_key(self, key: SeriesKey) -> SeriesKey | None:
        """The key with what is named put in its place."""
        named = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        return replace(key, **named)

    def stats(
        self, series: Series, *, min_count: float = 0, other_series: Mapping[SeriesKey, Series] = NO_SERIES
    ) -> BaselineStats:
        """Per point the judged period of the other series that began at the same moment, if there is one."""
        key = self.other_key(series.key)
        found = other_series.get(key) if key is not None and key != series.key else None
        if found is None:
            none = np.zeros(len(series), dtype=np.int64)
            return baseline_stats(series[:0], none, none, 1)
        pool = select_periods(found, found.evaluable(min_count))
        low = np.searchsorted(pool.times, series.times)
        return baseline_stats(pool, low, np.searchsorted(pool.times, series.times, "right"), 1)

    def describe(self) -> str:
        """What it is; foreign text."""
        return " of ".join(name for name in (self.metric, self.segment, self.model) if name is not None)
