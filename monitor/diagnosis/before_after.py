"""What is compared with what: the periods before a change began, and those after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import BeforeAfter, Pattern, SeriesPattern
from modeltop.core.incident import Note
from modeltop.core.series import Series, SeriesKey, to_datetime, to_datetime64
from modeltop.core.stats.intervals import newcombe
from modeltop.core.stats.robust import median
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.patterns import DECLINES, no_change_probability
from modeltop.diagnosis.timeseries.noise import significant_autocorrelation

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from modeltop.core.series import Floats

    Places = NDArray[np.int64]


MAX_PERIODS = 60
"""Periods before: the window of `modeltop.rules.baselines`."""
MIN_Z = 2.6
"""Standard errors from which a difference is more than chance: p < 0.01, two-sided."""
SINGLE_PERIOD_MIN_Z = 3.4
"""The same of a single period: it was picked out of many, as one of 60 is beyond 2.6 by chance every other time."""
MAX_Z = 99.0
WEEK = 7
DAY = np.timedelta64(1, "D")
FELT = 1.96


@dataclass(frozen=True, slots=True)
class BeforeAfterWindows:
    """Two stretches of time."""

    onset: np.datetime64
    """What starts before is before."""
    after_start: np.datetime64
    """From here on is after: later than `begin` where the change was gradual, so that its end is seen, not its way."""
    end: np.datetime64 | None = None
    """What starts later is not looked at: a spike is over."""

    def before_indices(self, series: Series) -> Places:
        """Places of the judged periods before, the newest `MOST`."""
        return np.flatnonzero(series.evaluable() & (series.times < self.onset))[-MAX_PERIODS:]

    def after_indices(self, series: Series) -> Places:
        """Places of the judged periods after."""
        on = series.evaluable() & (series.times >= self.after_start)
        return np.flatnonzero(on if self.end is None else on & (series.times <= self.end))


def windows_around(series: Series, begin: datetime, course: SeriesPattern | None) -> BeforeAfterWindows:
    """The stretches around the begin of a change: of a gradual one the last third counts as after."""
    start = to_datetime64(begin)
    times = series.times[series.evaluable() & (series.times >= start)]
    pattern = course.pattern if course else None
    if pattern is Pattern.DECLINE and len(times) >= 3:
        return BeforeAfterWindows(start, times[len(times) - max(3, len(times) // 3)])
    if pattern is Pattern.SPIKE and len(times):
        return BeforeAfterWindows(start, start, times[0])
    return BeforeAfterWindows(start, start)


def compare(series: Series, span: BeforeAfterWindows) -> BeforeAfter | None:
    """Levels before and after, and how surely they differ; None with fewer than two periods before or none after."""
    early, late = span.before_indices(series), span.after_indices(series)
    if len(early) < 2 or not len(late):
        return None
    values = _without_week(series, early, late)
    weights = _weights(series)
    before, after = (float(np.average(values[at], weights=weights[at])) for at in (early, late))
    delta = after - before
    error = _error(series, values, early, late)
    low, high = _interval(series, (before, after), weights, early, late) or (
        (delta - FELT * error, delta + FELT * error) if error else (None, None)
    )
    z = _surely(delta, error)
    word = (
        "as before"
        if abs(z) < (SINGLE_PERIOD_MIN_Z if len(late) == 1 else MIN_Z)
        else ("rose" if delta > 0 else "fell")
    )
    return BeforeAfter(series.key, before, after, delta, low, high, z, word, len(late))


def _surely(delta: float, error: float) -> float:
    if error > 0:
        return max(-MAX_Z, min(MAX_Z, delta / error))
    return math.copysign(MAX_Z, delta) if abs(delta) > 1e-12 else 0.0


def _weights(series: Series) -> Floats:
    """The support where all of it is known, else each period alike."""
    if series.support is None or not (np.isfinite(series.support) & (series.support > 0)).all():
        return np.ones(len(series))
    return series.support


def _error(series: Series, values: Floats, early: Places, late: Places) -> float:
    """Standard error of the difference: what the periods before say, or what their counts say, if that is more.

    Periods weigh by their cases, so that a month of a handful of them does not pass for how far all months spread.
    """
    weights = _weights(series)
    known = weights[early]
    beside = values[early] - np.average(values[early], weights=known)
    unit = float(known @ beside**2) / (len(early) - 1)
    cases = [float(weights[at].sum()) for at in (early, late)]
    if series.proportion and series.support is not None and weights is series.support:
        share = float(np.clip(np.average(values[early], weights=known), 0.0, 1.0))
        # A share of 0 or 1 has no spread of its own: half a case more keeps it from certainty.
        share = min(max(share, 0.5 / (cases[0] + 1)), 1 - 0.5 / (cases[0] + 1))
        unit = max(unit, share * (1 - share))
    rho = significant_autocorrelation(beside * np.sqrt(known), fitted=1)
    return math.sqrt(unit * sum(_copies(rho, len(at)) / one for at, one in zip((early, late), cases, strict=True)))


def _copies(rho: float, periods: int) -> float:
    """By what an autocorrelation makes the mean of so many periods vary more: of an AR(1) (Bayley, Hammersley 1946)."""
    return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**periods) / (periods * (1 - rho) ** 2)


def _interval(
    series: Series, levels: tuple[float, float], weights: Floats, early: Places, late: Places
) -> tuple[float, float] | None:
    if not series.proportion or series.support is None:
        return None
    before, after = (min(1.0, max(0.0, level)) for level in levels)
    return newcombe(after, float(weights[late].sum()), before, float(weights[early].sum()))


def _without_week(series: Series, early: Places, late: Places) -> Floats:
    """The values without the rhythm of the week, where the days before have one that explains half of their spread."""
    values = series.values
    if len(early) < 3 * WEEK or np.mean(np.diff(series.times[early]) == DAY) <= 0.5:
        return values
    weekday = (series.times.astype("datetime64[D]").astype(np.int64) % WEEK).astype(np.int64)
    days, known = weekday[early], values[early]
    beside = known - known.mean()
    effect = np.bincount(days, beside, WEEK) / np.maximum(np.bincount(days, minlength=WEEK), 1)
    total = float(beside @ beside)
    if total <= 0 or float(((beside - effect[days]) ** 2).sum()) > total / 2:
        return values
    out = values.copy()
    for at in (early, late):
        out[at] -= effect[weekday[at]]
    return out


MAX_NO_CHANGE_PROBABILITY = 0.1
"""How likely a fall may be none and still explain an alert that stands."""


def onset_of(case: ModelContext, key: SeriesKey, course: SeriesPattern | None) -> datetime | None:
    """Of the fall, if one is sure; else of the alert, or of what came and went before it, whichever is earlier.

    A fall explains more than the alert that stands: one may stand since long, or for a reason of its own.
    """
    known = [one.since for one in case.alerts if one.key == key and one.resolved is None][:1]
    if course is not None and course.started_at is not None:
        if course.pattern in DECLINES and not (known and no_change_probability(course) > MAX_NO_CHANGE_PROBABILITY):
            return course.started_at
        if course.pattern is Pattern.SPIKE or not known:
            known.append(course.started_at)
    return min(known, default=None)


def notes_about(case: ModelContext, series: Series, span: BeforeAfterWindows) -> tuple[Note, ...]:
    """Notes from two periods, at least a day, before the begin up to one period after it."""
    period = max(typical_period(series), timedelta(days=1))
    begin = to_datetime(span.onset)
    return tuple(
        note
        for note in case.notes
        if fnmatchcase(case.model, note.model) and begin - 2 * period <= note.at < begin + 2 * period
    )


def typical_period(series: Series) -> timedelta:
    """The usual distance of two periods; a day where there is only one."""
    if len(series) < 2:
        return timedelta(days=1)
    return timedelta(microseconds=int(median(np.diff(series.times)) / np.timedelta64(1, "us")))
