"""The spacing of the periods of a series."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from modeltop.core.series import Series, Times
from modeltop.core.stats.robust import median

_UNITS = ((timedelta(hours=1), "hour"), (timedelta(days=1), "day"), (timedelta(days=7), "week"))


def median_gap(times: Times) -> timedelta:
    """Return the median distance of two or more periods."""
    return timedelta(microseconds=int(median(np.diff(times)) / np.timedelta64(1, "us")))


def typical_period(series: Series) -> timedelta:
    """Return the median distance of two periods; a day if there is only one period."""
    return median_gap(series.times) if len(series) > 1 else timedelta(days=1)


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
