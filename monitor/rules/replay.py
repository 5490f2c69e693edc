"""Replay of history through rules to alerts, with their start and end.

Only data time enters a condition: evaluating twice confirms nothing, and a late row changes the replay with the past.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np

from modeltop.core.series import (
    Alert,
    Breach,
    Condition,
    Levels,
    ReadProblem,
    Series,
    SeriesKey,
    Severity,
    State,
    Times,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.robust import median
from modeltop.core.text import TIME_UNITS, sanitize
from modeltop.rules.baselines.base import NO_SERIES
from modeltop.rules.detectors.base import Scan
from modeltop.rules.rule import Rule
from modeltop.rules.state_machine import AlertStateMachine

GAPS = 60
"""Newest gaps between periods that show how regularly a model reports."""
MIN_GAPS = 3
MIN_WAIT = timedelta(minutes=10)
MAX_ERROR_WIDTH = 400
"""Maximum terminal cells of why a source cannot be read, with the command to run."""


@dataclass(slots=True)
class _Stretch:
    """Consecutive evaluable points during which the state machine is not idle: at most one alert."""

    first: int
    """Position, among the evaluable points, of the first one."""
    levels: Levels = field(init=False)
    """Of its points."""
    since: datetime | None = None
    fired: datetime | None = None
    peak_level: Severity = Severity.OK


class _Replay:
    """One rule over the evaluable points of one series."""

    def __init__(self, series: Series, rule: Rule, scan: Scan) -> None:
        self.series, self.rule, self.scan = series, rule, scan
        self.points = np.flatnonzero(series.evaluable(rule.min_count))
        self.times = series.times[self.points]
        self.weights = scan.weights[self.points].tolist() if len(scan.weights) else None
        self.levels = {
            active: scan.levels_while(active)[self.points]
            for active in (Severity.OK, Severity.WARNING, Severity.CRITICAL)
        }
        self.ends = {
            active: [*(np.flatnonzero(levels[1:] != levels[:-1]) + 1).tolist(), len(levels)]
            for active, levels in self.levels.items()
        }
        """By active level the index behind each run of equal levels."""

    def alerts(self) -> list[Alert]:
        alerts: list[Alert] = []
        machine = AlertStateMachine(self.rule)
        starts = np.flatnonzero(self.levels[Severity.OK]).tolist()
        position = 0
        while (upcoming := bisect_left(starts, position)) < len(starts):
            # An idle machine stays as it is until a point breaches, so it need not see the points before.
            stretch = _Stretch(starts[upcoming])
            position = self._follow(stretch, machine)
            if stretch.fired or machine.state:
                alerts.append(self._alert(stretch, machine, alerts[-1].resolved if alerts else None))
        return alerts

    def _follow(self, stretch: _Stretch, machine: AlertStateMachine) -> int:
        """Feed the machine until it is idle again; return the position after the last point fed."""
        position = stretch.first
        parts: list[Levels] = []
        while position < len(self.points) and (not parts or machine.state is not None):
            levels = self.levels[machine.level]
            level = int(levels[position])
            # What would leave the machine as it is need not be fed point by point.
            is_settled = machine.is_settled_at(level)
            ends = self.ends[machine.level]
            end = ends[bisect_right(ends, position)] if is_settled else position + 1
            count = end - position if is_settled or self.weights is None else self.weights[position]
            machine.advance(self.times[end - 1].item(), Severity(level), points=count)
            parts.append(levels[position:end])
            if stretch.fired is None:
                stretch.since = machine.since
                stretch.fired = self.times[end - 1].item() if machine.level else None
            stretch.peak_level = max(stretch.peak_level, machine.level)
            position = end
        stretch.levels = np.concatenate(parts)
        return position

    def _alert(self, stretch: _Stretch, machine: AlertStateMachine, previous_end: datetime | None) -> Alert:
        last = stretch.first + len(stretch.levels) - 1
        is_over = machine.state is None
        counted = int(np.searchsorted(self.times, np.datetime64(stretch.since, "us")))
        breached = counted + np.flatnonzero(stretch.levels[counted - stretch.first :])
        since = self._since(stretch, int(breached[0]), previous_end)
        first = int(np.searchsorted(self.times, to_datetime64(since)))
        key, name = self.series.key, self.rule.name
        latest, worst = int(breached[-1]), self._worst(breached)
        breach = self._breach(stretch, latest)
        severity = machine.level if stretch.fired else machine.pending_level
        return Alert(
            id=alert_id(name, key, Condition.THRESHOLD, since) if stretch.fired else None,
            rule=name,
            key=key,
            condition=Condition.THRESHOLD,
            state=machine.state or State.RESOLVED,
            severity=severity if machine.state else stretch.peak_level,
            since=since,
            fired=_aware(stretch.fired) if stretch.fired else None,
            resolved=to_datetime(self.times[last]) if is_over else None,
            worst_breach=breach if worst == latest else self._breach(stretch, worst),
            breach=breach,
            periods=last - first + (not is_over),
            count=self.series.support_at(int(self.points[latest])),
        )

    def _since(self, stretch: _Stretch, first: int, previous_end: datetime | None) -> datetime:
        """Return its start: before the first breached point, if the detector knows an earlier onset.

        Never before the end of the previous alert: of two with one start, and so one id, only one is seen.
        """
        if not len(self.scan.start):
            return _aware(stretch.since)
        onset = to_datetime(self.series.times[self.scan.start[self.points[first]]])
        return min(_aware(stretch.since), onset if previous_end is None else max(onset, previous_end))

    def _worst(self, breached: np.ndarray) -> int:
        """Return the position of the point furthest beyond what is normal."""
        if len(breached) == 1:
            return int(breached[0])
        return int(breached[np.argmax(np.nan_to_num(self.scan.excess[self.points[breached]], nan=-np.inf))])

    def _breach(self, stretch: _Stretch, position: int) -> Breach:
        rows = slice(int(self.points[position]) + 1)
        level = Severity(int(stretch.levels[position - stretch.first]))
        return self.rule.detector.breach(self.series[rows], self.scan[rows], level)


def replay(
    series_batch: Sequence[Series], rule: Rule, other_series: Mapping[SeriesKey, Series] = NO_SERIES
) -> list[list[Alert]]:
    """Return the alerts of a rule on each series, in order of time; one that is still pending comes last.

    `severity` of a resolved alert is the highest level it reached, because readers of the past ask how bad it got.

    Args:
        series_batch: Series that the rule applies to.
        rule: The rule.
        other_series: The series among which a baseline that is another series is found: `history.series`.
    """
    scans = rule.detector.prepare(series_batch, rule.query_context(other_series))
    return [
        [] if scan is None else _Replay(series, rule, scan).alerts()
        for series, scan in zip(series_batch, scans, strict=True)
    ]


def no_data_alert(
    model: str,
    periods: Times,
    now: datetime,
    *,
    stale_after: timedelta | None = None,
    severity: Severity = Severity.UNKNOWN,
) -> Alert | None:
    """Return the alert that a model has stopped reporting; None if it has not, or with too little history to know.

    Args:
        model: Its name.
        periods: Starts of all its periods, sorted, without repeats.
        now: The moment for which it is evaluated.
        stale_after: Age of the newest period from which on the model is overdue. By default 1.5 × the longest of
            the last 60 gaps, at least 2.5 × their median, at least 10 minutes; with fewer than 3 gaps there is none.
        severity: How bad that is; OK: not at all.
    """
    wait = stale_after if stale_after is not None else expected_gap(periods)
    if wait is None or severity is Severity.OK or not len(periods):
        return None
    newest = to_datetime(periods[-1])
    age = now - newest
    if age <= wait:
        return None
    breach = Breach(severity, age.total_seconds(), wait.total_seconds(), describe_lateness("no rows", age, wait))
    return fired_alert("no-data", SeriesKey(model, "*"), Condition.NO_DATA, newest + wait, breach=breach)


def expected_gap(periods: Times) -> timedelta | None:
    """Return how long a model that reports in these periods may be silent; None with fewer than 3 gaps.

    Long enough that neither weekends nor a summer break that it had before alert.
    """
    gaps = np.diff(periods[-GAPS - 1 :]).astype(np.float64)
    if len(gaps) < MIN_GAPS:
        return None
    longest = max(1.5 * float(gaps.max()), 2.5 * float(median(gaps)))
    return max(timedelta(microseconds=longest), MIN_WAIT)


def source_error_alert(problem: ReadProblem, now: datetime, severity: Severity = Severity.UNKNOWN) -> Alert:
    """Return the alert that a source cannot be read at all; the source is named where a model would be.

    Args:
        problem: Why; the breach carries its message sanitized.
        now: When the source was first unreadable, if that is known, else the moment of evaluation: `id` follows it.
        severity: How bad that is.
    """
    breach = Breach(severity, float("nan"), None, sanitize(problem.message, MAX_ERROR_WIDTH))
    return fired_alert("error", SeriesKey(problem.source, "*"), Condition.ERROR, now, breach=breach)


def alert_id(rule: str, key: SeriesKey, condition: Condition, since: datetime) -> str:
    """Return the name of an alert: 8 hexadecimal digits that are the same in any process, for the same data.

    Args:
        rule: Name of the rule.
        key: The series, or the model or source if it is not about a series.
        condition: The condition of the alert.
        since: Start of the first breached period; aware.
    """
    parts = (rule, key.model, key.metric, key.segment, condition.value, since.isoformat())
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def fired_alert(
    rule: str, key: SeriesKey, condition: Condition, since: datetime, *, breach: Breach, name: str | None = None
) -> Alert:
    """Return an alert that needs no confirmation.

    Args:
        rule: Name of the rule.
        key: The series; a metric of `*` represents all of the model, or of the source.
        condition: The subject.
        since: Start of the first breached period; aware.
        breach: Its reason and severity.
        name: The alert's id if it does not depend on `since`.
    """
    return Alert(
        id=name or alert_id(rule, key, condition, since),
        rule=rule,
        key=key,
        condition=condition,
        state=State.FIRING,
        severity=breach.severity,
        since=since,
        fired=since,
        worst_breach=breach,
        breach=breach,
    )


def _aware(moment: datetime | None) -> datetime:
    assert moment is not None, "an alert has a beginning"
    return moment.replace(tzinfo=UTC)


def describe_lateness(missing: str, age: timedelta, wait: timedelta) -> str:
    """Return how long something is missing, with as many decimals as are needed to distinguish age and wait."""
    actual = expected = ""
    for digits in (1, 2, 4, 6, 9):
        actual, expected = _format_span(age, digits), _format_span(wait, digits)
        if actual != expected:
            break
    return f"{missing} for {actual}, expected within {expected}"


def _format_span(span: timedelta, digits: int) -> str:
    """Format a length of time in its largest unit, with one decimal only below 10: `2.5 days`, `76 days`."""
    seconds = span.total_seconds()
    unit, size = next((pair for pair in TIME_UNITS if seconds >= pair[1]), ("second", 1))
    count = seconds / size
    number = f"{count:.{digits}f}".rstrip("0").rstrip(".") if count < 10 or digits > 1 else str(int(count))
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
