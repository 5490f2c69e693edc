"""What the chart of one series shows: limits, alerts, notes, what is usual, and when its course changed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from monitor.facts import Note
from monitor.findings import Course, Diagnosis, Forecast, Pattern
from monitor.records import Series, SeriesKey, Severity, to_stamp
from monitor.reference.past import earlier
from monitor.report.people import note_words
from monitor.report.svg import LARGEST, Line, Slope, Usual
from monitor.report.text import series_name
from monitor.rules import asked
from monitor.snapshot import Snapshot
from monitor.text import day, plural, safe

if TYPE_CHECKING:
    from datetime import datetime

WIDTH = 2.0
"""Standard deviations of the reference within which a value is usual: 19 of 20, if they are normal."""
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
        usual=_usual(series, begin),
        trend=_trend(series, begin, found.forecast) if found is not None and found.key == key else None,
        begin=None
        if course is None or begin is None
        else (to_stamp(begin), f"{course.pattern.value} since {day(begin)}"),
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


def _usual(series: Series, begin: datetime | None) -> Usual | None:
    """Where the values before the change were usual, else those before the newest; None with too little history."""
    at = len(series) - 1 if begin is None else int(np.searchsorted(series.times, to_stamp(begin)))
    window = earlier(series[: at + 1])
    if window is None or np.abs(window.values).max() >= LARGEST:
        return None
    mean, spread = float(window.values.mean()), float(window.values.std(ddof=1))
    return Usual(window.times[0], mean - WIDTH * spread, mean + WIDTH * spread)


def _trend(series: Series, begin: datetime | None, forecast: Forecast | None) -> Slope | None:
    """The line of the forecast's slope through the periods since the change began.

    It runs through the median of what is left of them (the intercept of Theil and Sen: Sen 1968).
    """
    if forecast is None or begin is None:
        return None
    on = np.flatnonzero(series.judged() & (series.times >= to_stamp(begin)))
    if len(on) < 2:
        return None
    days = (series.times[on] - series.times[on[0]]) / np.timedelta64(1, "D")
    level = float(np.median(series.values[on] - forecast.slope * days))
    return Slope(series.times[on[0]], series.times[on[-1]], (level, level + forecast.slope * float(days[-1])))
