"""When it began, and what was noted about that day."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import numpy as np

from monitor.diagnosis.case import Case
from monitor.diagnosis.courses import TROUBLE, doubt
from monitor.diagnosis.windows import Span
from monitor.facts import Note
from monitor.findings import Course, Pattern
from monitor.records import Series, SeriesKey, to_datetime

DOUBT = 0.1
"""How likely a fall may be none and still explain an alert that stands."""


def begin_of(case: Case, key: SeriesKey, course: Course | None) -> datetime | None:
    """Of the fall, if one is sure; else of the alert, or of what came and went before it, whichever is earlier.

    A fall explains more than the alert that stands: one may stand since long, or for a reason of its own.
    """
    known = [one.since for one in case.episodes if one.key == key and one.resolved is None][:1]
    if course is not None and course.begin is not None:
        if course.pattern in TROUBLE and not (known and doubt(course) > DOUBT):
            return course.begin
        if course.pattern is Pattern.SPIKE or not known:
            known.append(course.begin)
    return min(known, default=None)


def notes_about(case: Case, series: Series, span: Span) -> tuple[Note, ...]:
    """Notes from two periods, at least a day, before the begin up to one period after it."""
    period = max(period_of(series), timedelta(days=1))
    begin = to_datetime(span.begin)
    return tuple(
        note
        for note in case.notes
        if fnmatchcase(case.model, note.model) and begin - 2 * period <= note.at < begin + 2 * period
    )


def period_of(series: Series) -> timedelta:
    """The usual distance of two periods; a day where there is only one."""
    if len(series) < 2:
        return timedelta(days=1)
    return timedelta(microseconds=int(np.median(np.diff(series.times)) / np.timedelta64(1, "us")))
