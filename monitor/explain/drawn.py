"""What a chart draws of an explanation: where values are usual, and the line of a trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitor.records import Series, to_stamp
from monitor.reference.past import MOST, earlier

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.findings import Forecast

WIDTH = 2.0
"""Standard deviations of the reference within which a value is usual: 19 of 20, if they are normal."""
LARGEST = 1e150
"""Whose square is still a number."""
DAY = np.timedelta64(1, "D")


class Usual(NamedTuple):
    """Where values are usual."""

    start: np.datetime64
    """First of the periods that say so."""
    low: float
    high: float


class Sloping(NamedTuple):
    """A line through the newest periods."""

    start: np.datetime64
    end: np.datetime64
    """The first and the last of them."""
    level: float
    """Where it stands at the first."""
    slope: float
    """In the metric's unit, per day."""

    def at(self, days: float) -> float:
        """Where it stands so many days after the first period."""
        return self.level + self.slope * days


def usual(series: Series, begin: datetime | None) -> Usual | None:
    """Where the values before a change were usual, else those before the newest; None with too little history."""
    at = len(series) - 1 if begin is None else int(np.searchsorted(series.times, to_stamp(begin)))
    window = earlier(series[: at + 1])
    if window is None or np.abs(window.values).max() >= LARGEST:
        return None
    mean, spread = float(window.values.mean()), float(window.values.std(ddof=1))
    return Usual(window.times[0], mean - WIDTH * spread, mean + WIDTH * spread)


def sloping(series: Series, begin: datetime | None, forecast: Forecast | None) -> Sloping | None:
    """The line of the forecast's slope through the periods since the change began, else through the newest.

    It runs through the median of what is left of them (the intercept of Theil and Sen: Sen 1968). None without a
    forecast, and through fewer than two periods.
    """
    if forecast is None or not np.isfinite(forecast.slope):
        return None
    on = np.flatnonzero(series.judged() & (series.times >= to_stamp(begin) if begin is not None else True))
    on = on if begin is not None else on[-MOST:]
    if len(on) < 2:
        return None
    days = (series.times[on] - series.times[on[0]]) / DAY
    level = float(np.median(series.values[on] - forecast.slope * days))
    return Sloping(series.times[on[0]], series.times[on[-1]], level, forecast.slope)
