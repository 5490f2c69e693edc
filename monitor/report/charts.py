"""What the chart of one series shows: limits, alerts, notes, what is usual, and when its course changed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from monitor.explain.drawn import DAY, sloping, usual
from monitor.explain.words import pattern_words
from monitor.facts import Note
from monitor.findings import Course, Diagnosis, Forecast, Pattern
from monitor.records import Series, SeriesKey, Severity, to_stamp
from monitor.report.people import note_words
from monitor.report.svg import Line, Slope
from monitor.report.text import series_name
from monitor.rules import asked
from monitor.snapshot import Snapshot
from monitor.text import day, plural, safe

if TYPE_CHECKING:
    from datetime import datetime

CALM = (Pattern.STEADY, Pattern.SEASONAL, Pattern.TOO_LITTLE)
"""Courses that have no begin."""


def chart(series: Series, snapshot: Snapshot, found: Diagnosis | None = None) -> Line:
    """What is drawn of a series.

    Args:
        series: At least one period.
        snapshot: Has its rules, alerts and notes.
        found: The diagnosis of its model, where it was explained.
    """
    key, metric = series.key, snapshot.catalog.of(series.key.metric)
    course = _course(key, found)
    begin = course.begin if course is not None else None
    return Line(
        title=f"{series_name(key)} of {safe(key.model, 60)}, {plural(len(series), 'period')}, "
        f"latest {metric.show(series.latest)}",
        times=series.times,
        values=series.values,
        show=metric.show,
        low=series.low,
        high=series.high,
        limits=_limits(series, snapshot),
        spans=[
            (tone(one.severity), to_stamp(one.since), to_stamp(one.resolved or series.newest))
            for one in snapshot.episodes
            if one.key == key and one.fired is not None
        ],
        marks=_marks(series, snapshot),
        usual=usual(series, begin),
        trend=_fitted_trend(series, begin, found.forecast) if found is not None and found.key == key else None,
        begin=None
        if course is None or begin is None
        else (to_stamp(begin), f"{pattern_words(course)} since {day(begin)}"),
    )


def tone(severity: Severity) -> str:
    """The class of the style sheet that colours it."""
    return severity.name.lower()


def notes(model: str, snapshot: Snapshot) -> list[Note]:
    """What people wrote down about a model."""
    return [note for note in snapshot.facts.notes if fnmatchcase(model, note.model)]


def _course(key: SeriesKey, found: Diagnosis | None) -> Course | None:
    """The course of the series, where it changed."""
    known = () if found is None else (found.course, *found.courses)
    return next((one for one in known if one is not None and one.key == key and one.pattern not in CALM), None)


def _limits(series: Series, snapshot: Snapshot) -> list[tuple[str, float]]:
    return [
        (tone(severity), side)
        for rule in asked(snapshot.rules, series.key)
        if not _is_left_out(rule.name, series, snapshot)
        for severity, limit in rule.check.limits()
        for side in (limit.below, limit.above)
        if side is not None
    ]


def _is_left_out(rule: str, series: Series, snapshot: Snapshot) -> bool:
    return any(one.rule == rule and one.key == series.key and one.left_out for one in snapshot.standings)


def _marks(series: Series, snapshot: Snapshot) -> list[tuple[np.datetime64, str]]:
    """The notes within its time."""
    first, last = series.times[0], series.times[-1]
    known = [(to_stamp(note.at), note) for note in notes(series.key.model, snapshot)]
    return [(at, note_words(note, snapshot.clock)) for at, note in known if first <= at <= last]


def _fitted_trend(series: Series, begin: datetime | None, forecast: Forecast | None) -> Slope | None:
    line = sloping(series, begin, forecast) if begin is not None else None
    if line is None:
        return None
    return Slope(line.start, line.end, (line.level, line.at(float((line.end - line.start) / DAY))))
