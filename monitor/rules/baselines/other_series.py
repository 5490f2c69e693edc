"""The reference that is another series: a segment, a metric, or a model beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np

from modeltop.core.series import Series, SeriesKey
from modeltop.rules.baselines.base import NOTHING, Ground, ground, picked


@dataclass(frozen=True, slots=True)
class Other:
    """The same period of another series. Raises ValueError if nothing is named that makes it another."""

    several: ClassVar[bool] = False

    model: str | None = None
    metric: str | None = None
    segment: str | None = None

    def __post_init__(self) -> None:
        if self.model is None and self.metric is None and self.segment is None:
            raise ValueError("a reference needs a model, a metric or a segment to compare with")

    def other(self, key: SeriesKey) -> SeriesKey | None:
        """The key with what is named put in its place."""
        named = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        return replace(key, **named)

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:
        """Per point the judged period of the other series that began at the same moment, if there is one."""
        key = self.other(series.key)
        found = others.get(key) if key is not None and key != series.key else None
        if found is None:
            none = np.zeros(len(series), dtype=np.int64)
            return ground(series[:0], none, none, 1)
        pool = picked(found, found.judged(min_count))
        low = np.searchsorted(pool.times, series.times)
        return ground(pool, low, np.searchsorted(pool.times, series.times, "right"), 1)

    def words(self) -> str:
        """What it is; foreign text."""
        return " of ".join(name for name in (self.metric, self.segment, self.model) if name is not None)
