"""The line of a forecast as charts draw it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from modeltop.core.diagnosis import Forecast
from modeltop.core.series import Series, to_datetime64
from modeltop.core.stats.robust import median

MAX_PERIODS = 60
"""Newest periods that a line without a start goes through: those that are forecast from."""
DAY = np.timedelta64(1, "D")


class TrendLine(NamedTuple):
    """A line through the newest periods."""

    start: np.datetime64
    end: np.datetime64
    level: float
    """Value at the start."""
    slope: float
    """In the metric's unit, per day."""

    def value_at(self, days: float) -> float:
        """Return the value so many days after the start."""
        return self.level + self.slope * days


def trend_line(series: Series, started_at: datetime | None, forecast: Forecast | None) -> TrendLine | None:
    """Return the line of a forecast's slope through the periods since a change started, else through the newest 60.

    Its level is the median of what the slope leaves (Sen 1968); None without a forecast or two periods.
    """
    if forecast is None or not np.isfinite(forecast.slope):
        return None
    mask = series.evaluable()
    if started_at is not None:
        mask = mask & (series.times >= to_datetime64(started_at))
    indices = np.flatnonzero(mask)[-MAX_PERIODS if started_at is None else 0 :]
    if len(indices) < 2:
        return None
    times = series.times[indices]
    level = float(median(series.values[indices] - forecast.slope * ((times - times[0]) / DAY)))
    return TrendLine(times[0], times[-1], level, forecast.slope)
