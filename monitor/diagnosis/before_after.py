"""Comparison of the periods before a change with those after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from modeltop.core.diagnosis import BeforeAfter, Pattern, SeriesPattern
from modeltop.core.incident import Note
from modeltop.core.series import Condition, Flags, Floats, Series, SeriesKey, to_datetime, to_datetime64
from modeltop.core.stats.few_cases import BIASED
from modeltop.core.stats.intervals import newcombe
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.core.stats.spacing import typical_period
from modeltop.diagnosis.context import ALL, ModelContext
from modeltop.diagnosis.patterns import WEEK
from modeltop.diagnosis.timeseries.noise import significant_autocorrelations
from modeltop.diagnosis.timeseries.pattern import DECLINES
from modeltop.diagnosis.timeseries.points import DAY

Indices = NDArray[np.int64]

MAX_PERIODS = 60
"""Periods before: the window of `modeltop.rules.baselines`."""
MIN_OVERDISPERSION = 1.5
"""Ratio of the variance of periods to that of their counts from which it is not explained by them."""
MIN_BEFORE = 2
"""Periods before a change that are needed to compare with."""
MIN_USUAL = 8
"""Periods outside of earlier alerts from which these are left out of what was before."""
MAX_Z = 99.0
Z_95 = 1.96
MAX_NO_CHANGE_PROBABILITY = 0.1
"""Probability of no sustained change at which a fall may still explain an active alert."""
MAX_CHANCE = 0.2
"""Share of the time that is near a new version up to which one near a change is more than chance."""


@dataclass(frozen=True, slots=True)
class BeforeAfterWindows:
    """The periods before and after a change."""

    onset: np.datetime64
    """Start of the change: earlier periods are before."""
    after_start: np.datetime64
    """Start of the periods after; later than `onset` if the change was gradual, so that only its result counts."""
    end: np.datetime64 | None = None
    """Last period after; later ones are left out, as a spike is over."""
    excluded: tuple[tuple[np.datetime64, np.datetime64], ...] = ()
    """First and last period of earlier alerts: they are no baseline."""
    before_end: np.datetime64 | None = None
    """End of the periods before, excluded, if it is not the onset: a decline from the first period on has none before
    that, so that its first third stands in."""

    def before_indices(self, series: Series) -> Indices:
        """Return the indices of the newest `MAX_PERIODS` evaluable periods before."""
        end = self.onset if self.before_end is None else self.before_end
        mask = _has_square(series) & (series.times < end)
        usual = mask.copy()
        for first, last in self.excluded:
            usual &= (series.times < first) | (series.times >= last)
        # Where hardly anything else was before, even a bad time is something to compare with.
        return np.flatnonzero(usual if usual.sum() >= MIN_USUAL else mask)[-MAX_PERIODS:]

    def newest_of(self, series: Series) -> BeforeAfterWindows:
        """Return the windows with nothing but the newest evaluable period of a series after."""
        newest = series.times[_has_square(series)][-1]
        return replace(self, after_start=newest, end=newest)

    def after_indices(self, series: Series) -> Indices:
        """Return the indices of the evaluable periods after."""
        mask = _has_square(series) & (series.times >= self.after_start)
        return np.flatnonzero(mask if self.end is None else mask & (series.times <= self.end))


def _has_square(series: Series) -> Flags:
    return series.evaluable() & (np.abs(series.values) < MAX_MAGNITUDE)


def windows_around(series: Series, started_at: datetime, pattern: SeriesPattern | None) -> BeforeAfterWindows:
    """Return the windows around the start of a change of a series: of a gradual one the last third is after."""
    onset = to_datetime64(started_at)
    evaluable = series.times[series.evaluable()]
    times = evaluable[evaluable >= onset]
    kind = pattern.pattern if pattern else None
    if kind is Pattern.DECLINE and len(times) >= 3:
        third = max(3, len(times) // 3)
        before_end = times[third] if len(evaluable) - len(times) < MIN_BEFORE and len(times) >= 2 * third else None
        return BeforeAfterWindows(onset, times[len(times) - third], before_end=before_end)
    if kind is Pattern.SPIKE and len(times):
        return BeforeAfterWindows(onset, onset, times[0])
    return BeforeAfterWindows(onset, onset)


def earlier_alerts(context: ModelContext, started_at: datetime) -> tuple[tuple[np.datetime64, np.datetime64], ...]:
    """Return the first periods of earlier alerts over all rows, and of the first that was well again after each."""
    return tuple(
        (to_datetime64(alert.since), to_datetime64(alert.resolved))
        for alert in context.alerts
        if alert.condition is Condition.THRESHOLD
        and alert.key.segment == ALL
        and alert.resolved is not None
        and alert.since < started_at
    )


def compare(series: Series, windows: BeforeAfterWindows) -> BeforeAfter | None:
    """Compare the levels before and after; None with fewer than two periods before or none after."""
    before, after = windows.before_indices(series), windows.after_indices(series)
    if len(before) < MIN_BEFORE or not len(after):
        return None
    values, weights = _without_week(series, before, after), _weights(series)
    levels = [float(np.average(values[window], weights=weights[window])) for window in (before, after)]
    delta = levels[1] - levels[0]
    error, varies_more = _standard_error(series, values, before, after)
    interval = None
    if series.proportion and series.support is not None:
        old, new = (min(1.0, max(0.0, level)) for level in levels)
        interval = newcombe(new, float(weights[after].sum()), old, float(weights[before].sum()))
    if error and (interval is None or varies_more):
        interval = delta - Z_95 * error, delta + Z_95 * error
    bias = _bias_difference(series, levels, before, after)
    unexplained = delta - min(max(delta, min(bias, 0.0)), max(bias, 0.0))
    if interval is not None:
        interval = interval[0] - max(bias, 0.0), interval[1] - min(bias, 0.0)
    low, high = interval or (None, None)
    z = math.copysign(MAX_Z, delta) if abs(unexplained) > 1e-12 else 0.0
    if error > 0:
        z = max(-MAX_Z, min(MAX_Z, unexplained / error))
    cases = None if series.support is None else float(series.support[after].sum())
    return BeforeAfter(series.key, levels[0], levels[1], delta, low, high, z, len(after), cases)


def _bias_difference(series: Series, levels: Sequence[float], before: Indices, after: Indices) -> float:
    """Return by how much another number of cases may have changed the bias of the periods after; 0 if unbiased.

    The value of a calibrated model is all bias, and grows as 1 / √cases; that of any other grows less (Ferro and
    Fricker 2012, QJRMS 138). So what the change of cases may explain lies between 0 and this, whatever the bins are.
    """
    cases = series.effective_support()
    if series.key.metric not in BIASED or not (cases[before] > 0).all() or not (cases[after] > 0).all():
        return 0.0
    weights = _weights(series)
    root_before, root_after = (
        float(np.average(np.sqrt(1 / cases[window]), weights=weights[window])) for window in (before, after)
    )
    return levels[0] * (root_after / root_before - 1)


def _weights(series: Series) -> Floats:
    if series.support is None or not (np.isfinite(series.support) & (series.support > 0)).all():
        return np.ones(len(series))
    return series.support


def _standard_error(series: Series, values: Floats, before: Indices, after: Indices) -> tuple[float, bool]:
    """Compute the standard error of the difference, by the spread before or by the counts, whichever is larger.

    Also return whether periods vary by more than their counts explain.

    Periods weigh by their cases, so that a month of a handful of them does not pass for how far all months spread.
    """
    weights = _weights(series)
    mean = np.average(values[before], weights=weights[before])
    residuals = values[before] - mean
    unit_variance = float(weights[before] @ residuals**2) / (len(before) - 1)
    varies_more, cases = True, [float(weights[window].sum()) for window in (before, after)]
    if series.proportion and series.support is not None and weights is series.support:
        proportion = float(np.clip(mean, 0.0, 1.0))
        # A proportion of 0 or 1 has no spread of its own: half a case more keeps it from certainty.
        proportion = min(max(proportion, 0.5 / (cases[0] + 1)), 1 - 0.5 / (cases[0] + 1))
        varies_more = unit_variance > MIN_OVERDISPERSION * proportion * (1 - proportion)
        unit_variance = max(unit_variance, proportion * (1 - proportion))
    scaled = residuals * np.sqrt(weights[before])
    rho = float(significant_autocorrelations(scaled[None, :], np.array([1]))[0])
    factors = [_variance_factor(rho, len(window)) for window in (before, after)]
    error = math.sqrt(unit_variance * sum(factor / count for factor, count in zip(factors, cases, strict=True)))
    return error, varies_more


def _variance_factor(rho: float, periods: int) -> float:
    """Return how much the mean of so many periods varies more in an AR(1) process (Bayley and Hammersley 1946)."""
    return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**periods) / (periods * (1 - rho) ** 2)


def _without_week(series: Series, before: Indices, after: Indices) -> Floats:
    """Return the values without the weekday effects of the days before, if these explain half of their spread."""
    values = series.values
    if len(before) < 3 * WEEK or np.mean(np.diff(series.times[before]) == DAY) <= 0.5:
        return values
    weekdays = series.times.astype("datetime64[D]").astype(np.int64) % WEEK
    days, residuals = weekdays[before], values[before] - values[before].mean()
    effects = np.bincount(days, residuals, WEEK) / np.maximum(np.bincount(days, minlength=WEEK), 1)
    total = float(residuals @ residuals)
    if total <= 0 or float(((residuals - effects[days]) ** 2).sum()) > total / 2:
        return values
    out = values.copy()
    for window in (before, after):
        out[window] -= effects[weekdays[window]]
    return out


def incident_end(context: ModelContext) -> datetime | None:
    """Return the last period of an incident that is past its worst; None if it goes on."""
    incident = context.incident
    series = None if incident is None else context.find_series(incident.key)
    if incident is None or incident.last_bad_at is None or series is None:
        return None
    is_newest = to_datetime64(incident.last_bad_at) == series.times[-1]
    return None if incident.resolved_at is None and is_newest else incident.last_bad_at


def onset_of(context: ModelContext, key: SeriesKey, pattern: SeriesPattern | None) -> datetime | None:
    """Return the start of the incident; without one, of a certain fall, of the alert, or of a spike before it.

    An incident from the first period on, in which the series recovered, is explained from its newest alert on.
    """
    starts = [alert.since for alert in context.alerts if alert.key == key and alert.resolved is None][:1]
    if context.incident is not None:
        series = context.find_series(key)
        start = context.incident.started_at
        has_before = series is None or (series.times[series.evaluable()] < to_datetime64(start)).sum() >= MIN_BEFORE
        return start if has_before or context.incident.resolved_at is not None else max([start, *starts])
    starts += [concern.since for concern in context.concerns if concern.key == key][:1] if not starts else []
    if pattern is not None and pattern.started_at is not None:
        is_doubted = pattern.no_change_probability > MAX_NO_CHANGE_PROBABILITY
        if pattern.pattern in DECLINES and not (starts and is_doubted):
            return pattern.started_at
        if pattern.pattern is Pattern.SPIKE or not starts:
            starts.append(pattern.started_at)
    return min(starts, default=None)


def notes_about(context: ModelContext, series: Series, windows: BeforeAfterWindows) -> tuple[Note, ...]:
    """Return the notes from two periods, or two days, before the onset up to as long after it.

    Versions that the history names are no marked releases where they are so many that one would be near by chance.
    """
    margin = 2 * max(typical_period(series), timedelta(days=1))
    onset = to_datetime(windows.onset)
    versions = [note for note in context.notes if not note.by]
    are_frequent = len(versions) * 2 * margin > MAX_CHANCE * (series.newest - to_datetime(series.times[0]))
    return tuple(
        replace(note, is_release=False) if are_frequent and not note.by else note
        for note in context.notes
        if onset - margin <= note.at < onset + margin
    )
