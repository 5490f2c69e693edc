"""Annotations of the chart: where a change started, the trend, and people's notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeltop.core.series import Condition, Series, to_datetime
from modeltop.core.text import format_day, sanitize
from modeltop.report.trend_line import trend_line
from modeltop_tui.chart.data import Annotations, ChartTrend, VerticalMarker
from modeltop_tui.view.state import SnapshotIndex

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

    from modeltop.core.diagnosis import Forecast, TrendOutlook

DAY_SECONDS = 86_400.0
MAX_FORECAST_RATIO = 0.2
"""Ratio of the time span by which a trend is drawn beyond the newest point at most."""
NOTABLE_PATTERNS = ("DECLINE", "DROP", "SPIKE", "RECOVERING", "IMPROVING")
"""Names of the patterns whose start is marked."""
MAX_CAPTION_LENGTH = 40


def chart_annotations(
    index: SnapshotIndex,
    series: Series,
    outlook: TrendOutlook | None,
    span: tuple[float, float],
    *,
    alone: bool = True,
) -> Annotations:
    """Return the annotations of a chart.

    Args:
        index: Has the incident of the model and the notes about it.
        series: The selected series.
        outlook: Its pattern and forecast; None until they are known.
        span: Both ends of the time axis, in seconds since 1970, UTC.
        alone: False if other series are drawn as well: the trend of one would only confuse.
    """
    pattern, forecast = outlook or (None, None)
    incident = index.incidents.get(series.key.model)
    started_at = pattern.started_at if pattern is not None and pattern.pattern.name in NOTABLE_PATTERNS else None
    if incident is not None and incident.condition is Condition.THRESHOLD:
        started_at = incident.started_at
    notes = index.snapshot.notes_about(series.key.model)
    return Annotations(
        change=_start_marker(started_at, series.newest) if started_at is not None else None,
        notes=tuple(VerticalMarker(note.at.timestamp(), sanitize(note.text, MAX_CAPTION_LENGTH)) for note in notes),
        trend=_trend(series, started_at, forecast, span) if alone and forecast is not None else None,
    )


def _start_marker(started_at: datetime, newest: datetime) -> VerticalMarker:
    clock = f"{started_at:%H:%M}"
    short = f"{started_at.day} {started_at:%b}" if clock == "00:00" else clock
    return VerticalMarker(started_at.timestamp(), format_day(started_at, newest), short)


def _timestamp(time: np.datetime64) -> float:
    return to_datetime(time).timestamp()


def _trend(
    series: Series, started_at: datetime | None, forecast: Forecast, span: tuple[float, float]
) -> ChartTrend | None:
    """Return the forecast's line through the points since the change started, and on to the limit if that is near.

    Where the axis ends before the newest point, so does the line; None if it would start there.
    """
    line = trend_line(series, started_at, forecast)
    if line is None:
        return None
    newest = _timestamp(series.times[-1])
    extension = MAX_FORECAST_RATIO * (span[1] - span[0])
    if forecast.days is not None and forecast.days >= 0:
        extension = min(extension, forecast.days * DAY_SECONDS)
    start, end = _timestamp(line.start), newest + extension if span[1] >= newest else span[1]
    return None if start >= end else ChartTrend(start, end, line.level, line.value_at((end - start) / DAY_SECONDS))
