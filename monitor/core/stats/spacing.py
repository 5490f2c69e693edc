"""The spacing of the periods of a series."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from modeltop.core.series import Series
from modeltop.core.stats.robust import median

_UNITS = ((timedelta(hours=1), "hour"), (timedelta(days=1), "day"), (timedelta(days=7), "week"))


def typical_period(series: Series) -> timedelta:
    """Return the median distance of two periods; a day if there is only one period."""
    if len(series) < 2:
        return timedelta(days=1)
    return timedelta(microseconds=int(median(np.diff(series.times)) / np.timedelta64(1, "us")))


def period_unit(series: Series | None) -> str:
    """Return what a period of a series is: `hour`, `day`, `week`, `month`; `period` if irregular or unknown."""
    if series is None:
        return "period"
    if len(series) < 2:
        return "day"
    usual = typical_period(series)
    if timedelta(days=28) <= usual <= timedelta(days=31):
        return "month"
    unit = next((name for length, name in _UNITS if length == usual), "period")
    return unit if np.mean(np.diff(series.times) == np.timedelta64(usual)) >= 0.8 else "period"
