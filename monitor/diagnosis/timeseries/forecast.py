"""Whether a series goes on getting worse, and when it will then cross a limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.diagnosis import Forecast
from modeltop.core.series import Direction, Series, to_datetime64
from modeltop.core.stats.robust import median
from modeltop.core.stats.trend_tests import TheilSenResult, mann_kendall, theil_sen, variance_correction
from modeltop.diagnosis.timeseries.change_points import detect_change_points
from modeltop.diagnosis.timeseries.points import Points, evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season
from modeltop.rules.baselines.past import MAX_PERIODS, ROLLING
from modeltop.rules.detectors.limit import Limit

if TYPE_CHECKING:
    from datetime import datetime


NEWEST, MIN_PERIODS = 60, 10
"""Periods that a line is drawn through, at most and at least."""
MAX_P_VALUE = 0.01
"""Chance alone makes as clear a trend with this probability at most."""


def forecast_trend(series: Series, limits: Iterable[Limit] = (), *, min_count: float = 0) -> Forecast | None:
    """The trend of the newest judged periods, only where it is significant; None otherwise.

    A Theil-Sen line on the true times through at most 60 periods, significant by the test of Mann and Kendall with
    allowance for autocorrelation. The line does not reach back over a change that is none of its own. Values are
    taken without their season.

    Args:
        series: The series.
        limits: What must not be crossed; the nearest one ahead on the bad side is forecast. Without a better
            direction, the nearest on the side to which the trend goes.
        min_count: Support below which a period is not judged.

    Returns:
        `days` from the newest period until the line crosses the limit; `soonest` and `latest` by the ends of the
        slope's interval, `latest` being None where that end never reaches it.
    """
    those = evaluable_points(series, min_count=min_count)
    if len(those) < MIN_PERIODS:
        return None
    season = detect_season(those)
    level = those.deseasonalize(season.at(those.times)) if season else those
    recent = _newest(level)
    if recent is None:
        return None
    days = recent.days
    tested = mann_kendall(recent.values, times=days)
    line = theil_sen(days, recent.values, widen=variance_correction(tested.rho, len(recent)))
    if line is None or tested.p > MAX_P_VALUE or line.slope == 0:
        return None
    ahead = _ahead(line, series.better, limits)
    if ahead is None:
        return Forecast(line.slope, line.low, line.high, tested.p)
    reached = [_days(line.level, slope, ahead) for slope in (line.slope, line.low, line.high)]
    others = [one for one in reached[1:] if one is not None]
    never = len(others) < 2
    latest = None if never else max(others)
    return Forecast(line.slope, line.low, line.high, tested.p, ahead, reached[0], min(others), latest)


def _newest(those: Points) -> Points | None:
    """The longest newest stretch, from its begin or from a change of level on, beside whose line nothing changes."""
    recent = those.since(max(len(those) - NEWEST, 0))
    changes = [int(np.searchsorted(recent.times, to_datetime64(one.at))) for one in detect_change_points(recent)]
    for start in (0, *changes):
        stretch = recent.since(start)
        if len(stretch) < MIN_PERIODS:
            return None
        line = theil_sen(stretch.days, stretch.values)
        if line is None or not detect_change_points(stretch.subtract(line.slope * stretch.days)):
            return stretch
    return None


def _ahead(line: TheilSenResult, better: Direction, limits: Iterable[Limit]) -> float | None:
    """The nearest limit that the line goes towards, on the bad side."""
    falls = line.slope < 0
    if better is not Direction.NEITHER and falls is not (better is Direction.HIGHER):
        return None
    sides = [limit.below if falls else limit.above for limit in limits]
    ahead = [side for side in sides if side is not None and (side < line.level if falls else side > line.level)]
    return min(ahead, key=lambda side: abs(side - line.level), default=None)


def _days(level: float, slope: float, limit: float) -> float | None:
    """Until a line reaches the limit; None if it goes away from it, or is level."""
    days = (limit - level) / slope if slope else -1.0
    return days if days >= 0 else None


WIDTH = 2.0
"""Standard deviations of the reference within which a value is usual: 19 of 20, if they are normal."""
LARGEST = 1e150
"""Whose square is still a number."""
DAY = np.timedelta64(1, "D")


class UsualBand(NamedTuple):
    """Where values are usual."""

    start: np.datetime64
    """First of the periods that say so."""
    low: float
    high: float


class TrendLine(NamedTuple):
    """A line through the newest periods."""

    start: np.datetime64
    end: np.datetime64
    """The first and the last of them."""
    level: float
    """Where it stands at the first."""
    slope: float
    """In the metric's unit, per day."""

    def value_at(self, days: float) -> float:
        """Where it stands so many days after the first period."""
        return self.level + self.slope * days


def usual_band(series: Series, begin: datetime | None) -> UsualBand | None:
    """Where the values before a change were usual, else those before the newest; None with too little history."""
    at = len(series) - 1 if begin is None else int(np.searchsorted(series.times, to_datetime64(begin)))
    window = ROLLING.window(series[: at + 1])
    if window is None or np.abs(window.values).max() >= LARGEST:
        return None
    mean, spread = float(window.values.mean()), float(window.values.std(ddof=1))
    return UsualBand(window.times[0], mean - WIDTH * spread, mean + WIDTH * spread)


def trend_line(series: Series, begin: datetime | None, forecast: Forecast | None) -> TrendLine | None:
    """The line of the forecast's slope through the periods since the change began, else through the newest.

    It runs through the median of what is left of them (the intercept of Theil and Sen: Sen 1968). None without a
    forecast, and through fewer than two periods.
    """
    if forecast is None or not np.isfinite(forecast.slope):
        return None
    on = np.flatnonzero(series.evaluable() & (series.times >= to_datetime64(begin) if begin is not None else True))
    on = on if begin is not None else on[-MAX_PERIODS:]
    if len(on) < 2:
        return None
    days = (series.times[on] - series.times[on[0]]) / DAY
    level = float(median(series.values[on] - forecast.slope * days))
    return TrendLine(series.times[on[0]], series.times[on[-1]], level, forecast.slope)
