"""What was found out about the selected model, and what of it a chart can show."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.incident import Note
from modeltop.core.series import Series
from modeltop.core.text import safe
from modeltop.diagnosis.timeseries.forecast import sloping, usual
from modeltop_tui.chart.data import Band, Moment, Overlays, Trend
from modeltop_tui.view.state import Board

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.diagnosis import Course, Forecast, Outlook

DAY = 86_400.0
MICRO = 1e6
AHEAD = 0.2
"""Share of the time shown by which a trend is drawn beyond the newest point at most."""
CAPTIONS = {"DECLINE": "decline", "DROP": "drop", "SPIKE": "spike", "RECOVERING": "recovery", "IMPROVING": "better"}
"""By the name of a pattern: those whose begin is worth a line."""
RISES = CAPTIONS | {"DECLINE": "rise", "DROP": "jump"}
"""The same where the metric got larger: of one that is better when it is low."""
LONGEST = 40


def notes_about(known: Board, model: str) -> tuple[Note, ...]:
    """The notes about a model, oldest first."""
    notes = (note for note in known.snapshot.facts.notes if fnmatchcase(model, note.model))
    return tuple(sorted(notes, key=lambda note: note.at))


def overlays_of(
    series: Series, told: Outlook | None, notes: tuple[Note, ...], span: tuple[float, float], *, alone: bool = True
) -> Overlays:
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
    begin = course.begin if course is not None and caption else None
    return Overlays(
        begin=Moment(begin.timestamp(), caption) if begin is not None and caption else None,
        notes=tuple(Moment(note.at.timestamp(), safe(note.text, LONGEST)) for note in notes),
        band=_band(series, begin) if alone else None,
        trend=_trend(series, begin, forecast, span) if alone and forecast is not None else None,
    )


def _caption(course: Course) -> str | None:
    rose = course.size is not None and course.size > 0
    return (RISES if rose else CAPTIONS).get(course.pattern.name)


def _band(series: Series, begin: datetime | None) -> Band | None:
    found = usual(series, begin)
    return None if found is None else Band(_seconds(found.start), _seconds(series.times[-1]), found.low, found.high)


def _trend(series: Series, begin: datetime | None, forecast: Forecast, span: tuple[float, float]) -> Trend | None:
    """The line of that slope through the points since the change began, and on to the limit if it is not far."""
    line = sloping(series, begin, forecast)
    if line is None:
        return None
    newest = _seconds(series.times[-1])
    ahead = AHEAD * (span[1] - span[0])
    if forecast.days is not None and forecast.days >= 0:
        ahead = min(ahead, forecast.days * DAY)
    start, end = _seconds(line.start), newest + (ahead if span[1] >= newest else 0.0)
    return Trend(start, end, line.level, line.at((end - start) / DAY))


def _seconds(stamp: np.datetime64) -> float:
    return float(stamp.astype(np.int64)) / MICRO
