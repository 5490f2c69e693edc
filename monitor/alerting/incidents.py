"""Incidents: alerts tracked over time, whose identity survives late rows, corrected rows and edited rules. Pure.

An open alert has no end yet: if it ended and fired again between two evaluations, the same incident continues.

Past incidents are distinguished from missed ones by data time alone: by the newest period of each model at the last
evaluation. A resolved alert that was never seen open is a missed incident if the row that ended it is newer than that
and its period ended less than a day ago; `ALREADY_OVER` if it ended earlier; else past (the first evaluation, late or
imported rows, an edited rule), which is not even journaled, for a replay finds it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from modeltop.core.event import IncidentChanged, IncidentTransition
from modeltop.core.incident import AlertingState, IncidentStatus, TrackedAlert
from modeltop.core.series import (
    Alert,
    Condition,
    History,
    RuleStatus,
    SeriesKey,
    is_model_wide,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.robust import median
from modeltop.rules.rule import Rule

MISSED_LIMIT = timedelta(hours=24)
"""Time after the end of an incident within which it is still sent to a receiver that was not notified of it."""
LOST_AFTER = timedelta(hours=24)
"""Time for which an incident whose rows disappeared stays unchanged."""
RETENTION = timedelta(days=30)
"""Age of an end beyond which an incident is not journaled, for the event log would not retain it."""
GAPS = 60
"""Newest gaps between periods from which their usual length is computed."""
_MATCH_ORDER = (IncidentStatus.WITHDRAWN, IncidentStatus.RESOLVED, IncidentStatus.OPEN)
_END = datetime.max.replace(tzinfo=UTC)
RuleAndSeries = tuple[str, SeriesKey]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationScope:
    """The series and rules that one evaluation covered; alerts outside of it are not considered ended."""

    history: History
    evaluated: frozenset[RuleAndSeries]
    """Pairs of rule and series that were evaluated."""
    rules: frozenset[str]
    """Names of the rules in force."""

    @classmethod
    def from_statuses(cls, history: History, statuses: Iterable[RuleStatus], rules: Iterable[Rule]) -> EvaluationScope:
        """Build the scope of a snapshot from its rows, statuses (not those skipped) and rules in force."""
        evaluated = frozenset((status.rule, status.key) for status in statuses if status.skip_reason is None)
        return cls(history, evaluated, frozenset(rule.name for rule in rules))

    def newest_periods(self, now: datetime) -> dict[str, datetime]:
        """Return by model its newest period that is not after `now`, for the next evaluation."""
        stamp = to_datetime64(now)
        newest: dict[str, datetime] = {}
        for model, times in self.history.periods.items():
            if index := int(np.searchsorted(times, stamp, "right")):
                newest[model] = to_datetime(times[index - 1])
        return newest

    def end_of(self, alert: Alert) -> datetime:
        """Return the end of the period that resolved an alert: its start and the usual gap between periods."""
        assert alert.resolved is not None, "only a resolved alert has an end"
        gaps = np.diff(self.history.periods.get(alert.key.model, np.array([], "datetime64[us]"))[-GAPS - 1 :])
        usual = timedelta(microseconds=float(median(gaps.astype(np.float64)))) if len(gaps) else timedelta()
        return alert.resolved + usual

    @property
    def failing_sources(self) -> frozenset[str]:
        """Sources that cannot be read, whether or not that is an alert yet."""
        return frozenset(problem.source for problem in self.history.problems if problem.fatal)

    def includes(self, incident: TrackedAlert) -> bool:
        """Return whether the rows that led to the incident are within the periods that were read."""
        if incident.condition is Condition.UNREADABLE:
            sources = {file.source for file in self.history.files}
            return incident.key.model in {*self.history.periods, *sources, *self.rules}
        if is_model_wide(incident.condition, incident.key):
            return incident.key.model in self.history.periods
        series = self.history.series.get(incident.key)
        return (
            series is not None
            and len(series) > 0
            and to_datetime(series.times[0]) <= incident.fired_at <= series.newest
        )


def track_incidents(
    alerts: Iterable[Alert],
    state: AlertingState,
    now: datetime,
    *,
    scope: EvaluationScope,
    previous_newest: Mapping[str, datetime],
) -> tuple[IncidentChanged, ...]:
    """Return the changes to incidents since the last evaluation, to be journaled before any notification.

    Args:
        alerts: All alerts of the evaluation, resolved ones among them.
        state: The incidents so far; once the result is applied to it, calling again returns nothing.
        now: The watcher's clock, aware, never before `state.last_event_at`.
        scope: The series and rules that were evaluated.
        previous_newest: `EvaluationScope.newest_periods` of the last evaluation, including that of an earlier process;
            empty at the first one, where every resolved alert is past.
    """
    tracker = _Tracker(now, scope, previous_newest)
    alerts_by_pair: dict[RuleAndSeries, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.fired is not None and alert.id is not None:
            alerts_by_pair[alert.rule, alert.key].append(alert)
    incidents_by_pair: dict[RuleAndSeries, list[TrackedAlert]] = defaultdict(list)
    for incident in state.incidents.values():
        incidents_by_pair[incident.rule, incident.key].append(incident)
    events: list[IncidentChanged] = []
    for pair in dict.fromkeys([*alerts_by_pair, *incidents_by_pair]):
        events += tracker.match(alerts_by_pair.get(pair, ()), incidents_by_pair.get(pair, ()), state)
    return tuple(events)


def find_incident(alert: Alert, state: AlertingState) -> TrackedAlert | None:
    """Return the incident that an alert is; None if the watcher has not seen it.

    Of several that overlap it: for an active alert the open one, for a resolved alert a closed one; else the latest.
    """
    if alert.fired is None:
        return None
    candidates = [
        incident
        for incident in state.incidents.values()
        if (incident.rule, incident.key) == (alert.rule, alert.key) and overlaps(incident, alert)
    ]
    return max(
        candidates,
        key=lambda incident: ((incident.status is IncidentStatus.OPEN) == alert.is_active, incident.since),
        default=None,
    )


def is_open(alert: Alert, state: AlertingState) -> bool:
    """Return whether an alert belongs to an open incident."""
    incident = find_incident(alert, state)
    return incident is not None and incident.status is IncidentStatus.OPEN


def overlaps(incident: TrackedAlert, alert: Alert) -> bool:
    """Return whether incident and alert overlap in time; open ones have no end yet."""
    return incident.since <= (alert.resolved or _END) and alert.since <= (incident.resolved_at or _END)


@dataclass(frozen=True, slots=True)
class _Tracker:
    now: datetime
    scope: EvaluationScope
    previous_newest: Mapping[str, datetime]

    def match(
        self, alerts: Sequence[Alert], incidents: Sequence[TrackedAlert], state: AlertingState
    ) -> list[IncidentChanged]:
        """Return the changes to the incidents of one rule and series."""
        owners: dict[str, TrackedAlert] = {}
        matched: set[str | None] = set()
        events: list[IncidentChanged | None] = []
        # Open incidents are matched first, then the latest: current alerts matter more than past ones. Withdrawn
        # incidents are last, for a merged incident may have been moved to the start of the one it was merged into.
        for incident in sorted(
            incidents, key=lambda incident: (_MATCH_ORDER.index(incident.status), incident.since), reverse=True
        ):
            overlapping = [alert for alert in alerts if overlaps(incident, alert)]
            free = (alert for alert in overlapping if alert.id not in owners)
            chosen = max(free, key=lambda alert: (alert.resolved is None, alert.since), default=None)
            if chosen is not None:
                owners[str(chosen.id)] = incident
                events.append(self._update(incident, chosen))
            elif not overlapping:
                events.append(self._handle_absence(incident))
            elif incident.status is not IncidentStatus.WITHDRAWN:
                reason = f"it became part of {owners[str(overlapping[-1].id)].id}"
                events.append(self._withdraw(incident, reason, IncidentTransition.MERGED))
            # All alerts into which an incident was split belong to it.
            matched |= {alert.id for alert in overlapping}
        for alert in alerts:
            if alert.id not in matched and alert.id not in state.incidents:
                events += self._open(alert)
        return [event for event in events if event is not None]

    def _open(self, alert: Alert) -> list[IncidentChanged]:
        incident = _incident_from(alert, self.now)
        if alert.resolved is None:
            return [IncidentChanged(self.now, IncidentTransition.FIRED, incident, _evidence(alert))]
        newest = self.previous_newest.get(alert.key.model)
        if newest is None or alert.resolved <= newest:
            return []
        ended_at = min(self.scope.end_of(alert), self.now)
        if self.now - ended_at >= RETENTION:
            return []
        closed = replace(incident, resolved_at=alert.resolved, closed_at=ended_at, status=IncidentStatus.RESOLVED)
        if self.now - ended_at >= MISSED_LIMIT:
            return [IncidentChanged(self.now, IncidentTransition.ALREADY_OVER, closed, _evidence(alert))]
        return [
            IncidentChanged(self.now, IncidentTransition.FIRED, incident, _evidence(alert)),
            IncidentChanged(self.now, IncidentTransition.RESOLVED, closed, _evidence(alert)),
        ]

    def _update(self, incident: TrackedAlert, alert: Alert) -> IncidentChanged | None:
        """Bring an incident up to date with its alert."""
        is_over = alert.resolved is not None
        was_open = incident.status is IncidentStatus.OPEN
        after = replace(
            incident,
            since=alert.since,
            fired_at=alert.fired or alert.since,
            condition=alert.condition,
            level=incident.level if is_over else alert.severity,
            peak_severity=alert.severity if is_over else max(alert.severity, incident.peak_severity),
            resolved_at=alert.resolved,
            status=IncidentStatus.RESOLVED if is_over else IncidentStatus.OPEN,
            missing_since=None,
        )
        if is_over and was_open:
            ended_at = self.scope.end_of(alert)
            after = replace(after, closed_at=self.now if self.now - ended_at < MISSED_LIMIT else ended_at)
            return IncidentChanged(self.now, IncidentTransition.RESOLVED, after, _evidence(alert))
        if not is_over and not was_open:
            after = replace(after, opened_at=self.now, closed_at=None)
            return IncidentChanged(self.now, IncidentTransition.FIRED, after, _evidence(alert))
        if after == incident:
            return None
        return IncidentChanged(self.now, _transition(incident, after), after, _evidence(alert))

    def _handle_absence(self, incident: TrackedAlert) -> IncidentChanged | None:
        """Return the changes to an incident without an alert."""
        if incident.condition is not Condition.THRESHOLD:
            return self._recover(incident)
        if incident.status is IncidentStatus.WITHDRAWN:
            return None
        if incident.rule not in self.scope.rules:
            return self._withdraw(incident, "the rule was removed")
        if not self.scope.includes(incident):
            return self._miss(incident) if incident.status is IncidentStatus.OPEN else None
        if (incident.rule, incident.key) not in self.scope.evaluated:
            return self._withdraw(incident, "the rule no longer asks about this series")
        reason = "by what is known now it was not wrong: a row came late or was corrected, or the rule was edited"
        return self._withdraw(incident, reason)

    def _recover(self, incident: TrackedAlert) -> IncidentChanged | None:
        """Resolve an incident about a model or a source, whose alert leaves no trace in the data once it is over."""
        if incident.status is not IncidentStatus.OPEN:
            return None
        if incident.condition is Condition.ERROR:
            if incident.key.model in self.scope.failing_sources:
                return None
            message = "the source can be read again"
        elif not self.scope.includes(incident):
            return self._miss(incident)
        elif incident.condition is Condition.UNREADABLE:
            if self.scope.failing_sources:
                return None  # its file may be the one that cannot be opened now
            message = "it can be read again"
        else:
            message = "rows came again" if incident.key.metric == "*" else "values came again"
        after = replace(
            incident, resolved_at=self.now, closed_at=self.now, status=IncidentStatus.RESOLVED, missing_since=None
        )
        return IncidentChanged(self.now, IncidentTransition.RESOLVED, after, message)

    def _miss(self, incident: TrackedAlert) -> IncidentChanged | None:
        """Record that the rows of an incident disappeared, which is no recovery.

        Only after a day, with all sources readable, the incident is withdrawn.
        """
        if self.scope.failing_sources:
            return None
        if incident.missing_since is None:
            after, reason = replace(incident, missing_since=self.now), "its rows are gone; it stays as it was for a day"
            return IncidentChanged(self.now, IncidentTransition.MISSING, after, reason)
        if self.now - incident.missing_since < LOST_AFTER:
            return None
        return self._withdraw(incident, "its rows have been gone for a day")

    def _withdraw(
        self, incident: TrackedAlert, reason: str, transition: IncidentTransition = IncidentTransition.WITHDRAWN
    ) -> IncidentChanged:
        closed_at = incident.closed_at or self.now
        after = replace(incident, closed_at=closed_at, status=IncidentStatus.WITHDRAWN, missing_since=None)
        return IncidentChanged(self.now, transition, after, reason)


def _transition(before: TrackedAlert, after: TrackedAlert) -> IncidentTransition:
    if after.status is IncidentStatus.OPEN and after.level != before.level:
        return IncidentTransition.ESCALATED if after.level > before.level else IncidentTransition.DEESCALATED
    if before.missing_since is not None and (before.since, before.fired_at) == (after.since, after.fired_at):
        return IncidentTransition.MISSING
    return IncidentTransition.MOVED


def _incident_from(alert: Alert, now: datetime) -> TrackedAlert:
    assert alert.id is not None, "a pending alert is no incident"
    return TrackedAlert(
        id=alert.id,
        rule=alert.rule,
        key=alert.key,
        condition=alert.condition,
        since=alert.since,
        fired_at=alert.fired or alert.since,
        level=alert.severity,
        peak_severity=alert.severity,
        opened_at=now,
    )


def _evidence(alert: Alert) -> str:
    breach = alert.breach if alert.is_active else alert.worst_breach or alert.breach
    return breach.message if breach is not None else ""
