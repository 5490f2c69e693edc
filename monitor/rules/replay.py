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
    Condition,
    Episode,
    Evidence,
    Problem,
    Series,
    SeriesKey,
    Severity,
    State,
    to_datetime,
    to_stamp,
)
from modeltop.core.text import safe
from modeltop.rules.baselines.base import NOTHING
from modeltop.rules.rule import Rule, asking
from modeltop.rules.state_machine import Machine

if TYPE_CHECKING:
    from modeltop.core.series import Times

GAPS = 60
"""Newest gaps between periods that tell how regularly a model reports."""
FEWEST_GAPS = 3
SHORTEST_WAIT = timedelta(minutes=10)
UNITS = (("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("m", 60))


@dataclass(slots=True)
class _Run:
    """Consecutive judged points during which the machine is not quiet: at most one episode."""

    first: int
    """Position, among the judged points, of the first one."""
    found: list[int] = field(default_factory=list)
    held: list[Severity] = field(default_factory=list)
    """What was active before each point."""
    since: datetime | None = None
    fired: datetime | None = None
    reached: Severity = Severity.OK

    def take(self, when: datetime, found: int, held: Severity, machine: Machine) -> None:
        self.found.append(found)
        self.held.append(held)
        if self.fired is None:
            self.since = machine.since
            self.fired = when if machine.level else None
        self.reached = max(self.reached, machine.level)


class _Walk:
    """One rule's way through the judged points of one series."""

    def __init__(self, series: Series, rule: Rule, basis: Any) -> None:
        self.series, self.rule, self.basis = series, rule, basis
        self.points = np.flatnonzero(series.judged(rule.min_count))
        self.begins = rule.check.begins(basis)
        self.levels = {
            held: rule.check.levels(series, basis, held)[self.points].tolist()
            for held in (Severity.OK, Severity.WARNING, Severity.CRITICAL)
        }

    def episodes(self) -> list[Episode]:
        found: list[Episode] = []
        machine = Machine(self.rule)
        starts = np.flatnonzero(self.levels[Severity.OK]).tolist()
        position = 0
        while (upcoming := bisect_left(starts, position)) < len(starts):
            # A quiet machine stays as it is until a point objects, so it need not see the points before.
            run = _Run(starts[upcoming])
            position = self._follow(run, machine)
            if run.fired or machine.state:
                found.append(self._episode(run, machine))
        return found

    def _follow(self, run: _Run, machine: Machine) -> int:
        """Feed the machine until it is quiet again; the position after the last point fed."""
        for position in range(run.first, len(self.points)):
            when: datetime = self.series.times[self.points[position]].item()
            held = machine.level
            level = self.levels[held][position]
            machine.feed(when, Severity(level))
            run.take(when, level, held, machine)
            if machine.state is None:
                return position + 1
        return len(self.points)

    def _episode(self, run: _Run, machine: Machine) -> Episode:
        last = run.first + len(run.found) - 1
        ended = machine.state is None
        times = self.series.times[self.points]
        counted = int(np.searchsorted(times, np.datetime64(run.since, "us")))
        objecting = counted + np.flatnonzero(run.found[counted - run.first :])
        since = self._begin(run, int(objecting[0]))
        begin = int(np.searchsorted(times, to_stamp(since)))
        key, name = self.series.key, self.rule.name
        return Episode(
            id=identify(name, key, Condition.THRESHOLD, since) if run.fired else None,
            rule=name,
            key=key,
            condition=Condition.THRESHOLD,
            state=machine.state or State.RESOLVED,
            severity=run.reached if ended else machine.reaching if run.fired is None else machine.level,
            since=since,
            fired=_aware(run.fired) if run.fired else None,
            resolved=to_datetime(self.series.times[self.points[last]]) if ended else None,
            worst=self._evidence(run, self._worst(run, objecting)),
            evidence=self._evidence(run, int(objecting[-1])),
            periods=last - begin + (not ended),
            count=_support(self.series, int(self.points[objecting[-1]])),
        )

    def _begin(self, run: _Run, first: int) -> datetime:
        """Where it began: before the first point that was objected to, where the check knows better."""
        if self.begins is None:
            return _aware(run.since)
        return min(_aware(run.since), to_datetime(self.series.times[self.begins[self.points[first]]]))

    def _worst(self, run: _Run, objecting: np.ndarray) -> int:
        """Position of the point furthest beyond the limit of the highest level that any point had."""
        top = max(run.found[position - run.first] for position in objecting)
        beyond = self.rule.check.beyond(self.series, self.basis, Severity(top))[self.points[objecting]]
        return int(objecting[np.argmax(beyond)])

    def _evidence(self, run: _Run, position: int) -> Evidence | None:
        part = slice(int(self.points[position]) + 1)
        return self.rule.check(self.series[part], self.basis[part], run.held[position - run.first])


def replay(series: Series, rule: Rule, others: Mapping[SeriesKey, Series] = NOTHING) -> list[Episode]:
    """The episodes of a rule on a series, in order of time; one that is still pending comes last.

    Args:
        series: The series.
        rule: One that asks about it.
        others: Where a reference that is another series is looked for: `history.series`.

    A series in which no judged point objects costs one look at its arrays. `severity` of a resolved episode is the
    highest level it reached: who reads the past asks how bad it got, not in which state it ended.
    """
    return replays([series], rule, others)[0]


def replays(many: Sequence[Series], rule: Rule, others: Mapping[SeriesKey, Series] = NOTHING) -> list[list[Episode]]:
    """`replay` of several series, which costs a rule that follows them point by point little more than one."""
    bases = rule.check.bases(many, asking(rule, others))
    return [
        [] if basis is None else _Walk(series, rule, basis).episodes()
        for series, basis in zip(many, bases, strict=True)
    ]


def no_data(
    model: str,
    periods: Times,
    now: datetime,
    *,
    stale_after: timedelta | None = None,
    severity: Severity = Severity.UNKNOWN,
) -> Episode | None:
    """The alert that a model has stopped reporting; None if it has not, or if nothing tells how often it should.

    Args:
        model: Its name.
        periods: Starts of all its periods, sorted, without repeats.
        now: The moment for which it is judged.
        stale_after: Age of the newest period from which on the model is overdue. By default 1.5 × the longest of
            the last 60 gaps, at least 2.5 × their median, at least 10 minutes; with fewer than 3 gaps there is none.
        severity: How bad that is; OK: not at all.
    """
    wait = stale_after if stale_after is not None else usual_wait(periods)
    if wait is None or severity is Severity.OK or not len(periods):
        return None
    newest = to_datetime(periods[-1])
    old = now - newest
    if old <= wait:
        return None
    due = newest + wait
    evidence = Evidence(severity, old.total_seconds(), wait.total_seconds(), _lateness(old, wait))
    return _at_once("no-data", SeriesKey(model, "*"), Condition.NO_DATA, due, evidence)


def usual_wait(periods: Times) -> timedelta | None:
    """How long a model that reports in these periods may be silent, so that neither weekends nor one known summer
    alarm anyone; None with fewer than 3 gaps.
    """  # noqa: D205  one sentence
    gaps = np.diff(periods[-GAPS - 1 :]).astype(np.float64)
    if len(gaps) < FEWEST_GAPS:
        return None
    longest = max(1.5 * float(gaps.max()), 2.5 * float(np.median(gaps)))
    return max(timedelta(microseconds=longest), SHORTEST_WAIT)


def source_error(problem: Problem, now: datetime, severity: Severity = Severity.UNKNOWN) -> Episode:
    """The alert that a source cannot be read at all; the source stands where a model would.

    Args:
        problem: What was met; the evidence carries its message made safe, so that every list says the reason.
        now: When the source was first found unreadable, if that is known, else the moment of the look: `id` follows it.
        severity: How bad that is.
    """
    evidence = Evidence(severity, float("nan"), None, safe(problem.message))
    return _at_once("error", SeriesKey(problem.source, "*"), Condition.ERROR, now, evidence)


def identify(rule: str, key: SeriesKey, condition: Condition, since: datetime) -> str:
    """The name of an alert: 8 hexadecimal digits that any process finds again from the same data."""
    parts = (rule, key.model, key.metric, key.segment, condition.value, since.isoformat())
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _at_once(rule: str, key: SeriesKey, condition: Condition, since: datetime, evidence: Evidence) -> Episode:
    return Episode(
        id=identify(rule, key, condition, since),
        rule=rule,
        key=key,
        condition=condition,
        state=State.FIRING,
        severity=evidence.severity,
        since=since,
        fired=since,
        worst=evidence,
        evidence=evidence,
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
