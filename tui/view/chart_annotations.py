"""What was found out about the selected model, and what of it a chart can show."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.incident import Note
from modeltop.core.series import Series
from modeltop.core.text import sanitize
from modeltop.diagnosis.timeseries.forecast import trend_line, usual_band
from modeltop_tui.chart.data import Annotations, ChartBand, ChartTrend, VerticalMarker
from modeltop_tui.view.state import SnapshotIndex

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.diagnosis import Forecast, SeriesPattern, TrendOutlook

DAY = 86_400.0
MICRO = 1e6
MAX_FORECAST_SHARE = 0.2
"""Share of the time shown by which a trend is drawn beyond the newest point at most."""
CAPTIONS = {"DECLINE": "decline", "DROP": "drop", "SPIKE": "spike", "RECOVERING": "recovery", "IMPROVING": "better"}
"""By the name of a pattern: those whose begin is worth a line."""
RISES = CAPTIONS | {"DECLINE": "rise", "DROP": "jump"}
"""The same where the metric got larger: of one that is better when it is low."""
LONGEST = 40


def model_notes(known: SnapshotIndex, model: str) -> tuple[Note, ...]:
    """The notes about a model, oldest first."""
    notes = (note for note in known.snapshot.alerting_state.notes if fnmatchcase(model, note.model))
    return tuple(sorted(notes, key=lambda note: note.at))


def chart_annotations(
    series: Series, told: TrendOutlook | None, notes: tuple[Note, ...], span: tuple[float, float], *, alone: bool = True
) -> Annotations:
    """The overlays of a chart.

    Args:
        series: The selected one.
        told: How it has gone; None where that is not known.
        notes: Oldest first.
        span: Both ends of the time that is shown.
        alone: False where other lines are drawn as well: then the band and the trend of one would only confuse.
    """
    course, forecast = told or (None, None)
    caption = _caption(course) if course is not None else None
    begin = course.started_at if course is not None and caption else None
    return Annotations(
        change=VerticalMarker(begin.timestamp(), caption) if begin is not None and caption else None,
        notes=tuple(VerticalMarker(note.at.timestamp(), sanitize(note.text, LONGEST)) for note in notes),
        band=_band(series, begin) if alone else None,
        trend=_trend(series, begin, forecast, span) if alone and forecast is not None else None,
    )


def _caption(course: SeriesPattern) -> str | None:
    rose = course.size is not None and course.size > 0
    return (RISES if rose else CAPTIONS).get(course.pattern.name)


def _band(series: Series, begin: datetime | None) -> ChartBand | None:
    found = usual_band(series, begin)
    return (
        None if found is None else ChartBand(_seconds(found.start), _seconds(series.times[-1]), found.low, found.high)
    )


def _trend(series: Series, begin: datetime | None, forecast: Forecast, span: tuple[float, float]) -> ChartTrend | None:
    """The line of that slope through the points since the change began, and on to the limit if it is not far."""
    line = trend_line(series, begin, forecast)
    if line is None:
        return None
    newest = _seconds(series.times[-1])
    ahead = MAX_FORECAST_SHARE * (span[1] - span[0])
    if forecast.days is not None and forecast.days >= 0:
        ahead = min(ahead, forecast.days * DAY)
    start, end = _seconds(line.start), newest + (ahead if span[1] >= newest else 0.0)
    return ChartTrend(start, end, line.level, line.value_at((end - start) / DAY))


def _seconds(stamp: np.datetime64) -> float:
    return float(stamp.astype(np.int64)) / MICRO
