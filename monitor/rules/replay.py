"""From history, rules and `now` to episodes: what went wrong, since when, until when.

Nothing here is stored, and only data time enters a condition: looking twice confirms nothing, and a late or
corrected row changes the past and the replay with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.series import (
    Alert,
    Breach,
    Condition,
    ReadProblem,
    Series,
    SeriesKey,
    Severity,
    State,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.robust import median
from modeltop.core.text import sanitize
from modeltop.rules.baselines.base import NO_SERIES
from modeltop.rules.rule import Rule, query_context
from modeltop.rules.state_machine import AlertStateMachine

if TYPE_CHECKING:
    from modeltop.core.series import Times

GAPS = 60
"""Newest gaps between periods that tell how regularly a model reports."""
MIN_GAPS = 3
MIN_WAIT = timedelta(minutes=10)
UNITS = (("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("m", 60))


@dataclass(slots=True)
class _Stretch:
    """Consecutive judged points during which the machine is not quiet: at most one episode."""

    first: int
    """Position, among the judged points, of the first one."""
    levels: list[int] = field(default_factory=list)
    active_levels: list[Severity] = field(default_factory=list)
    """What was active before each point."""
    since: datetime | None = None
    fired: datetime | None = None
    peak_level: Severity = Severity.OK

    def add_point(self, when: datetime, found: int, held: Severity, machine: AlertStateMachine) -> None:
        self.levels.append(found)
        self.active_levels.append(held)
        if self.fired is None:
            self.since = machine.since
            self.fired = when if machine.level else None
        self.peak_level = max(self.peak_level, machine.level)


class _Replay:
    """One rule's way through the judged points of one series."""

    def __init__(self, series: Series, rule: Rule, basis: Any) -> None:
        self.series, self.rule, self.basis = series, rule, basis
        self.points = np.flatnonzero(series.evaluable(rule.min_count))
        self.onsets = rule.detector.onsets(basis)
        self.levels = {
            held: rule.detector.levels(series, basis, held)[self.points].tolist()
            for held in (Severity.OK, Severity.WARNING, Severity.CRITICAL)
        }

    def alerts(self) -> list[Alert]:
        found: list[Alert] = []
        machine = AlertStateMachine(self.rule)
        starts = np.flatnonzero(self.levels[Severity.OK]).tolist()
        position = 0
        while (upcoming := bisect_left(starts, position)) < len(starts):
            # A quiet machine stays as it is until a point objects, so it need not see the points before.
            run = _Stretch(starts[upcoming])
            position = self._follow(run, machine)
            if run.fired or machine.state:
                found.append(self._episode(run, machine))
        return found

    def _follow(self, run: _Stretch, machine: AlertStateMachine) -> int:
        """Feed the machine until it is quiet again; the position after the last point fed."""
        for position in range(run.first, len(self.points)):
            when: datetime = self.series.times[self.points[position]].item()
            held = machine.level
            level = self.levels[held][position]
            machine.advance(when, Severity(level))
            run.add_point(when, level, held, machine)
            if machine.state is None:
                return position + 1
        return len(self.points)

    def _episode(self, run: _Stretch, machine: AlertStateMachine) -> Alert:
        last = run.first + len(run.levels) - 1
        ended = machine.state is None
        times = self.series.times[self.points]
        counted = int(np.searchsorted(times, np.datetime64(run.since, "us")))
        objecting = counted + np.flatnonzero(run.levels[counted - run.first :])
        since = self._begin(run, int(objecting[0]))
        begin = int(np.searchsorted(times, to_datetime64(since)))
        key, name = self.series.key, self.rule.name
        return Alert(
            id=alert_id(name, key, Condition.THRESHOLD, since) if run.fired else None,
            rule=name,
            key=key,
            condition=Condition.THRESHOLD,
            state=machine.state or State.RESOLVED,
            severity=run.peak_level if ended else machine.pending_level if run.fired is None else machine.level,
            since=since,
            fired=_aware(run.fired) if run.fired else None,
            resolved=to_datetime(self.series.times[self.points[last]]) if ended else None,
            worst_breach=self._evidence(run, self._worst(run, objecting)),
            breach=self._evidence(run, int(objecting[-1])),
            periods=last - begin + (not ended),
            count=_support(self.series, int(self.points[objecting[-1]])),
        )

    def _begin(self, run: _Stretch, first: int) -> datetime:
        """Where it began: before the first point that was objected to, where the check knows better."""
        if self.onsets is None:
            return _aware(run.since)
        return min(_aware(run.since), to_datetime(self.series.times[self.onsets[self.points[first]]]))

    def _worst(self, run: _Stretch, objecting: np.ndarray) -> int:
        """Position of the point furthest beyond the limit of the highest level that any point had."""
        top = max(run.levels[position - run.first] for position in objecting)
        beyond = self.rule.detector.excess(self.series, self.basis, Severity(top))[self.points[objecting]]
        return int(objecting[np.argmax(beyond)])

    def _evidence(self, run: _Stretch, position: int) -> Breach | None:
        part = slice(int(self.points[position]) + 1)
        return self.rule.detector(self.series[part], self.basis[part], run.active_levels[position - run.first])


def replay(series: Series, rule: Rule, others: Mapping[SeriesKey, Series] = NO_SERIES) -> list[Alert]:
    """The episodes of a rule on a series, in order of time; one that is still pending comes last.

    Args:
        series: The series.
        rule: One that asks about it.
        others: Where a reference that is another series is looked for: `history.series`.

    A series in which no judged point objects costs one look at its arrays. `severity` of a resolved episode is the
    highest level it reached: who reads the past asks how bad it got, not in which state it ended.
    """
    return replay_many([series], rule, others)[0]


def replay_many(
    many: Sequence[Series], rule: Rule, others: Mapping[SeriesKey, Series] = NO_SERIES
) -> list[list[Alert]]:
    """`replay` of several series, which costs a rule that follows them point by point little more than one."""
    bases = rule.detector.prepare(many, query_context(rule, others))
    return [
        [] if basis is None else _Replay(series, rule, basis).alerts()
        for series, basis in zip(many, bases, strict=True)
    ]


def no_data_alert(
    model: str,
    periods: Times,
    now: datetime,
    *,
    stale_after: timedelta | None = None,
    severity: Severity = Severity.UNKNOWN,
) -> Alert | None:
    """The alert that a model has stopped reporting; None if it has not, or if nothing tells how often it should.

    Args:
        model: Its name.
        periods: Starts of all its periods, sorted, without repeats.
        now: The moment for which it is judged.
        stale_after: Age of the newest period from which on the model is overdue. By default 1.5 × the longest of
            the last 60 gaps, at least 2.5 × their median, at least 10 minutes; with fewer than 3 gaps there is none.
        severity: How bad that is; OK: not at all.
    """
    wait = stale_after if stale_after is not None else expected_gap(periods)
    if wait is None or severity is Severity.OK or not len(periods):
        return None
    newest = to_datetime(periods[-1])
    old = now - newest
    if old <= wait:
        return None
    due = newest + wait
    evidence = Breach(severity, old.total_seconds(), wait.total_seconds(), _lateness(old, wait))
    return _at_once("no-data", SeriesKey(model, "*"), Condition.NO_DATA, due, evidence)


def expected_gap(periods: Times) -> timedelta | None:
    """How long a model that reports in these periods may be silent, so that neither weekends nor one known summer
    alarm anyone; None with fewer than 3 gaps.
    """  # noqa: D205  one sentence
    gaps = np.diff(periods[-GAPS - 1 :]).astype(np.float64)
    if len(gaps) < MIN_GAPS:
        return None
    longest = max(1.5 * float(gaps.max()), 2.5 * float(median(gaps)))
    return max(timedelta(microseconds=longest), MIN_WAIT)


def source_error_alert(problem: ReadProblem, now: datetime, severity: Severity = Severity.UNKNOWN) -> Alert:
    """The alert that a source cannot be read at all; the source stands where a model would.

    Args:
        problem: What was met; the evidence carries its message made safe, so that every list says the reason.
        now: When the source was first found unreadable, if that is known, else the moment of the look: `id` follows it.
        severity: How bad that is.
    """
    evidence = Breach(severity, float("nan"), None, sanitize(problem.message))
    return _at_once("error", SeriesKey(problem.source, "*"), Condition.ERROR, now, evidence)


def alert_id(rule: str, key: SeriesKey, condition: Condition, since: datetime) -> str:
    """The name of an alert: 8 hexadecimal digits that any process finds again from the same data."""
    parts = (rule, key.model, key.metric, key.segment, condition.value, since.isoformat())
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _at_once(rule: str, key: SeriesKey, condition: Condition, since: datetime, evidence: Breach) -> Alert:
    return Alert(
        id=alert_id(rule, key, condition, since),
        rule=rule,
        key=key,
        condition=condition,
        state=State.FIRING,
        severity=evidence.severity,
        since=since,
        fired=since,
        worst_breach=evidence,
        breach=evidence,
    )


def _aware(moment: datetime | None) -> datetime:
    assert moment is not None, "an episode has a beginning"
    return moment.replace(tzinfo=UTC)


def _support(series: Series, index: int) -> float | None:
    if series.support is None or not np.isfinite(series.support[index]):
        return None
    return float(series.support[index])


def _lateness(old: timedelta, wait: timedelta) -> str:
    """Age against wait, with as many decimals as it takes to tell the two apart."""
    said = expected = ""
    for digits in (1, 2, 4, 6, 9):
        said, expected = _span(old, digits), _span(wait, digits)
        if said != expected:
            break
    return f"no rows for {said}, expected within {expected}"


def _span(span: timedelta, digits: int) -> str:
    """A length of time in its largest unit; a tenth is said only of few.

    >>> _span(timedelta(hours=60), 1), _span(timedelta(days=76, hours=12), 1), _span(timedelta(minutes=10), 1)
    ('2.5d', '76d', '10m')
    """
    seconds = span.total_seconds()
    unit, size = next((pair for pair in UNITS if seconds >= pair[1]), ("s", 1))
    few = seconds / size < 10 or digits > 1
    return f"{seconds / size:.{digits}f}".rstrip("0").rstrip(".") + unit if few else f"{int(seconds / size)}{unit}"
