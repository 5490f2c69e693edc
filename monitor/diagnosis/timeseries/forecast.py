"""The trend of a series, and when it will cross a limit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from modeltop.core.diagnosis import Forecast
from modeltop.core.series import Direction, Series, to_datetime, to_datetime64
from modeltop.core.stats.trend_tests import TheilSenResult, mann_kendall, theil_sen, variance_correction
from modeltop.diagnosis.timeseries.points import Points, evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season
from modeltop.rules.detectors.limit import Limit

MAX_PERIODS, MIN_PERIODS = 60, 8
"""Periods of a series that are looked at, at most and at least."""
MIN_STRETCH = 6
"""Periods since a change that a line is drawn through, at least."""
LIMIT_STEP = 0.1
"""Step of the levels that a share is forecast to reach where no configured limit lies ahead."""
MAX_DAYS_AHEAD = 366.0
"""Days after which a forecast is not worth a date."""
MIN_BASELINE = 6
"""Periods that can be a stable level."""
MAX_P_VALUE = 0.01
"""Significance level of a trend."""
MAX_P_WITHOUT_LEVEL = 0.02
"""That of a trend from the first period on: here something has fallen, and the question is only since when."""


def forecast_trend(
    series: Series, limits: Iterable[Limit] = (), *, started_at: datetime | None = None
) -> Forecast | None:
    """Estimate the trend of the newest evaluable periods; None unless it is significant.

    A Theil-Sen line on the true times through at most 60 periods without their season, significant by the test of Mann
    and Kendall with allowance for autocorrelation.

    Args:
        series: Values of one metric.
        limits: The nearest one ahead on the bad side is forecast, `soonest` and `latest` by the slope's interval;
            where none lies ahead of a share, the next multiple of 0.10.
        started_at: Start of the change that the trend is part of: earlier periods are left out.
    """
    points = evaluable_points(series, newest=MAX_PERIODS)
    if len(points) < MIN_PERIODS:
        return None
    season = detect_season(points)
    stretch = points.deseasonalize(season.at(points.times)) if season else points
    start = 0 if started_at is None else int(np.searchsorted(points.times, to_datetime64(started_at)))
    # The first period alone is no level before a change: the line goes through it.
    stretch = stretch[start:] if start > 1 else stretch
    if len(stretch) < MIN_STRETCH:
        return None
    test = mann_kendall(stretch.values, times=stretch.days)
    line = theil_sen(stretch.days, stretch.values, widen=variance_correction(test.rho, len(stretch)))
    if line is None or test.p > MAX_P_VALUE or line.slope == 0:
        return None
    newest = float(stretch.values[-1])
    # From the newest value where that is worse than the line: rather early than late.
    line = replace(line, level=min(line.level, newest) if line.slope < 0 else max(line.level, newest))
    limit, crossed = _limits_around(line, series, limits)
    days = None if limit is None else _days_until(line.level, line.slope, limit)
    forecast = Forecast(line.slope, line.low, line.high, test.p, crossed=crossed)
    if limit is None or days is None or days > MAX_DAYS_AHEAD:
        return forecast
    others = (_days_until(line.level, slope, limit) for slope in (line.low, line.high))
    bounds = [bound for bound in others if bound is not None]
    at = to_datetime(stretch.times[-1]) + timedelta(days=math.floor(days))
    latest = max(bounds) if len(bounds) == 2 else None
    return replace(forecast, limit=limit, days=days, soonest=min(bounds), latest=latest, at=at)


def declines_from_first(series: Series, onset: np.datetime64) -> bool:
    """Return whether a series declines from its first period on, so that no stable level precedes a change.

    That is, all periods trend in the bad direction, and those before the onset do too or are too few for a baseline.
    """
    points = evaluable_points(series)
    before = int(np.searchsorted(points.times, onset))
    if not MIN_PERIODS <= len(points) <= MAX_PERIODS or not _worsens(points, series.better):
        return False
    return before < MIN_BASELINE or _worsens(points[:before], series.better)


def _worsens(points: Points, better: Direction) -> bool:
    # The sign of the covariance: the correlation divides by a variance, which may be smaller than any float.
    scale = float(np.ptp(points.values)) or 1.0
    trend = float((points.days - points.days.mean()) @ ((points.values - points.values.mean()) / scale))
    is_bad = trend != 0 if better is Direction.NEITHER else (trend < 0) is (better is Direction.HIGHER)
    return is_bad and mann_kendall(points.values, times=points.days).p <= MAX_P_WITHOUT_LEVEL


def _limits_around(line: TheilSenResult, series: Series, limits: Iterable[Limit]) -> tuple[float | None, float | None]:
    """Return the nearest limit ahead on the bad side, else the next multiple of 0.10, and the one crossed last."""
    falls = line.slope < 0
    if series.better is not Direction.NEITHER and falls is not (series.better is Direction.HIGHER):
        return None, None
    sides = [side for limit in limits if (side := limit.below if falls else limit.above) is not None]
    sides.sort(key=lambda side: abs(side - line.level))
    ahead = next((side for side in sides if side != line.level and (side < line.level) is falls), None)
    crossed = next((side for side in sides if side != line.level and (side > line.level) is falls), None)
    is_share = LIMIT_STEP < line.level <= 1 and bool((series.values[series.evaluable()] <= 1).all())
    if ahead is None and falls and is_share:
        ahead = round((math.ceil(round(line.level / LIMIT_STEP, 6)) - 1) * LIMIT_STEP, 6)
    return ahead, crossed


def _days_until(level: float, slope: float, limit: float) -> float | None:
    days = (limit - level) / slope if slope else -1.0
    return days if days >= 0 else None
