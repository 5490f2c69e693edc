"""Annotations of the chart: where a change started, the usual band, the trend, and people's notes."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from modeltop.core.incident import Note
from modeltop.core.series import Series, to_datetime
from modeltop.core.text import sanitize
from modeltop.diagnosis.timeseries.forecast import trend_line, usual_band
from modeltop_tui.chart.data import Annotations, ChartBand, ChartTrend, VerticalMarker
from modeltop_tui.view.state import SnapshotIndex

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

    from modeltop.core.diagnosis import Forecast, SeriesPattern, TrendOutlook

DAY_SECONDS = 86_400.0
MAX_FORECAST_RATIO = 0.2
"""Ratio of the time span by which a trend is drawn beyond the newest point at most."""
CAPTIONS = {"DECLINE": "decline", "DROP": "drop", "SPIKE": "spike", "RECOVERING": "recovery", "IMPROVING": "better"}
"""Captions of the patterns whose start is marked, by the name of the pattern."""
RISING_CAPTIONS = CAPTIONS | {"DECLINE": "rise", "DROP": "jump"}
"""The same for a metric that got larger, and is better when it is low."""
MAX_CAPTION_LENGTH = 40


def model_notes(index: SnapshotIndex, model: str) -> tuple[Note, ...]:
    """Return the notes about a model, oldest first."""
    notes = (note for note in index.snapshot.alerting_state.notes if fnmatchcase(model, note.model))
    return tuple(sorted(notes, key=lambda note: note.at))


def chart_annotations(
    series: Series,
    outlook: TrendOutlook | None,
    notes: tuple[Note, ...],
    span: tuple[float, float],
    *,
    alone: bool = True,
) -> Annotations:
    """Return the annotations of a chart.

    Args:
        series: The selected series.
        outlook: Its pattern and forecast; None until they are known.
        notes: Notes about the model, oldest first.
        span: Both ends of the time axis, in seconds since 1970, UTC.
        alone: False if other series are drawn as well: the band and the trend of one would only confuse.
    """
    pattern, forecast = outlook or (None, None)
    caption = _caption(pattern) if pattern is not None else None
    started_at = pattern.started_at if pattern is not None and caption else None
    return Annotations(
        change=VerticalMarker(started_at.timestamp(), caption) if started_at is not None and caption else None,
        notes=tuple(VerticalMarker(note.at.timestamp(), sanitize(note.text, MAX_CAPTION_LENGTH)) for note in notes),
        band=_band(series, started_at) if alone else None,
        trend=_trend(series, started_at, forecast, span) if alone and forecast is not None else None,
    )


def _caption(pattern: SeriesPattern) -> str | None:
    rose = pattern.size is not None and pattern.size > 0
    return (RISING_CAPTIONS if rose else CAPTIONS).get(pattern.pattern.name)


def _timestamp(time: np.datetime64) -> float:
    return to_datetime(time).timestamp()


def _band(series: Series, started_at: datetime | None) -> ChartBand | None:
    band = usual_band(series, started_at)
    if band is None:
        return None
    return ChartBand(_timestamp(band.start), _timestamp(series.times[-1]), band.low, band.high)


def _trend(
    series: Series, started_at: datetime | None, forecast: Forecast, span: tuple[float, float]
) -> ChartTrend | None:
    """Return the forecast's line through the points since the change started, and on to the limit if that is near."""
    line = trend_line(series, started_at, forecast)
    if line is None:
        return None
    newest = _timestamp(series.times[-1])
    extension = MAX_FORECAST_RATIO * (span[1] - span[0])
    if forecast.days is not None and forecast.days >= 0:
        extension = min(extension, forecast.days * DAY_SECONDS)
    start, end = _timestamp(line.start), newest + (extension if span[1] >= newest else 0.0)
    return ChartTrend(start, end, line.level, line.value_at((end - start) / DAY_SECONDS))
