"""The spacing of the periods of a series."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from modeltop.core.series import Series
from modeltop.core.stats.robust import median

_UNITS = ((timedelta(hours=1), "hour"), (timedelta(days=1), "day"), (timedelta(days=7), "week"))


def period_unit(series: Series) -> str:
    """Return what a period of a series is: `hour`, `day`, `week`, `month`; `period` where the spacing is irregular."""
    if len(series) < 2:
        return "day"
    gaps = np.diff(series.times)
    usual = timedelta(microseconds=int(median(gaps) / np.timedelta64(1, "us")))
    if timedelta(days=28) <= usual <= timedelta(days=31):
        return "month"
    unit = next((name for length, name in _UNITS if length == usual), "period")
    return unit if np.mean(gaps == np.timedelta64(usual)) >= 0.8 else "period"
