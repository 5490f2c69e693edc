"""Incidents tracked over time, whose identity survives late rows, corrected rows and edited rules. Pure.

Past incidents are distinguished from missed ones by data time alone: by the newest period of each model at the last
evaluation. A resolved incident that was never seen open is a missed one if the row that ended it is newer than that
and its period ended less than a day ago; `ALREADY_OVER` if it ended earlier; else past (the first evaluation, late or
imported rows, an edited rule), which is not even journaled, for a replay finds it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from modeltop.alerting.grouping import Restarts, meets, settle_time, usual_gap
from modeltop.core.event import IncidentChanged, IncidentTransition
from modeltop.core.incident import (
    AlertingState,
    Incident,
    IncidentStatus,
    Member,
    TrackedIncident,
)
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
from modeltop.rules.rule import Rule

MISSED_LIMIT = timedelta(hours=24)
"""Time after the end of an incident within which it is still sent to a receiver that was not notified of it."""
LOST_AFTER = timedelta(hours=24)
"""Time for which an incident whose rows disappeared stays unchanged."""
RETENTION = timedelta(days=30)
"""Age of an end beyond which an incident is not journaled, for the event log would not retain it."""
NEW_BASELINE = "new baseline accepted"
"""Why an incident is over whose values did not come back."""
NEW_BASELINE_PERIODS = 120
"""Periods after which a sustained drop is the baseline (`modeltop.core.stats.cusum`)."""
MAX_BREACHES = 3
"""Alerts whose breaches one event of the log names."""
RuleAndSeries = tuple[str, SeriesKey]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationScope:
    """The series and rules that one evaluation covered; alerts outside of it are not considered ended."""

    history: History
    evaluated: frozenset[RuleAndSeries]
    rules: frozenset[str]

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

    @property
    def failing_sources(self) -> frozenset[str]:
        """Sources that cannot be read, whether or not that is an alert yet."""
        return frozenset(problem.source for problem in self.history.problems if problem.fatal)

    def includes(self, member: Member) -> bool:
        """Return whether the rows that led to an alert are within the periods that were read."""
        if member.condition is Condition.UNREADABLE:
            sources = {file.source for file in self.history.files}
            return member.key.model in {*self.history.periods, *sources, *self.rules}
        if is_model_wide(member.condition, member.key):
            return member.key.model in self.history.periods
        series = self.history.series.get(member.key)
        return series is not None and len(series) > 0 and to_datetime(series.times[0]) <= member.fired <= series.newest


def track_incidents(
    incidents: Iterable[Incident],
    alerts: Iterable[Alert],
    state: AlertingState,
    now: datetime,
    *,
    scope: EvaluationScope,
    previous_newest: Mapping[str, datetime],
) -> tuple[IncidentChanged, ...]:
    """Return the changes to incidents since the last evaluation, to be journaled before any notification.

    Args:
        incidents: All of the evaluation by `group_incidents`, resolved ones among them.
        alerts: The alerts that they consist of.
        state: The incidents so far; once the result is applied to it, calling again returns nothing.
        now: The watcher's clock, aware, never before `state.last_event_at`.
        scope: The series and rules that were evaluated.
        previous_newest: `EvaluationScope.newest_periods` of the last evaluation, including that of an earlier process;
            empty at the first one, where every resolved incident is past.
    """
    tracker = _Tracker(now, scope, previous_newest, state.baselines)
    by_id = {alert.id: alert for alert in alerts if alert.id is not None}
    found: dict[str, dict[str, Incident]] = defaultdict(dict)
    for incident in incidents:
        found[incident.model][incident.id] = incident
    groups = {
        name: [by_id[one] for one in each.alerts] for of_model in found.values() for name, each in of_model.items()
    }
    events: list[IncidentChanged | None] = []
    parts: set[str] = set()
    for tracked in state.incidents.values():
        of_model = found[tracked.model]
        settle = settle_time(scope.history.periods.get(tracked.model), tracked.fired_at)
        restarts = state.baselines.get(tracked.model, ())
        met = [name for name in of_model if meets(tracked, groups[name], settle, restarts)]
        # Those into which a known one was split belong to it.
        parts.update(met)
        if tracked.id in of_model or not met:
            events.append(tracker.follow(tracked, of_model.get(tracked.id), groups.get(tracked.id, ())))
        elif tracked.status is not IncidentStatus.WITHDRAWN:
            reason = f"it became part of {met[0]}"
            events.append(tracker.withdraw(tracked, reason, IncidentTransition.MERGED))
    for of_model in found.values():
        for name, incident in of_model.items():
            if name not in state.incidents and name not in parts:
                events += tracker.open(incident, groups[name])
    return tuple(event for event in events if event is not None)


def is_known(alert: Alert, state: AlertingState) -> bool:
    """Return whether an alert is an active one of an open incident."""
    return any(
        (member.rule, member.key) == (alert.rule, alert.key)
        for incident in state.incidents.values()
        if incident.status is IncidentStatus.OPEN and incident.model == alert.key.model
        for member in incident.active_members
    )


def member_of(alert: Alert) -> Member:
    """Return an alert as a member of its incident."""
    assert alert.id is not None, "a pending alert has no id"
    assert alert.fired is not None, "a pending alert is not part of an incident"
    about = alert.id, alert.rule, alert.key, alert.condition, alert.severity
    return Member(*about, alert.since, alert.fired, alert.resolved)


def as_tracked(incident: Incident, alerts: Iterable[Alert], gap: timedelta, now: datetime) -> TrackedIncident:
    """Return an incident as it is tracked from now on.

    Args:
        incident: One of the evaluation.
        alerts: Those that it consists of, in the order in which they fired.
        gap: Usual gap between two periods of the model.
        now: When it was first seen, aware.
    """
    return TrackedIncident(
        id=incident.id,
        model=incident.model,
        members=tuple(map(member_of, alerts)),
        lead=incident.lead,
        started_at=incident.started_at,
        gap_seconds=int(gap.total_seconds()),
        level=incident.severity,
        peak_severity=incident.severity,
        opened_at=now,
    )


@dataclass(frozen=True, slots=True)
class _Absent:
    """What becomes of the members that are no alerts any more."""

    kept: list[Member]
    is_missing: bool = False
    reason: str = ""
    """Why the others are gone, or how they ended."""


@dataclass(frozen=True, slots=True)
class _Tracker:
    now: datetime
    scope: EvaluationScope
    previous_newest: Mapping[str, datetime]
    baselines: Mapping[str, Restarts]

    def open(self, incident: Incident, alerts: Sequence[Alert]) -> list[IncidentChanged]:
        gap = usual_gap(self.scope.history.periods.get(incident.model), alerts[0].fired or alerts[0].since)
        tracked = as_tracked(incident, alerts, gap, self.now)
        message = describe_breaches(alerts)
        if incident.resolved_at is None:
            return [IncidentChanged(self.now, IncidentTransition.FIRED, tracked, message)]
        newest = self.previous_newest.get(incident.model)
        if newest is None or incident.resolved_at <= newest:
            return []
        ended_at = min(incident.resolved_at + gap, self.now)
        if self.now - ended_at >= RETENTION:
            return []
        over = {"resolved_at": incident.resolved_at, "closed_at": ended_at, "status": IncidentStatus.RESOLVED}
        closed = replace(tracked, **over)  # type: ignore[arg-type]
        if self.now - ended_at >= MISSED_LIMIT:
            return [IncidentChanged(self.now, IncidentTransition.ALREADY_OVER, closed, message)]
        return [
            IncidentChanged(self.now, IncidentTransition.FIRED, tracked, message),
            IncidentChanged(self.now, IncidentTransition.RESOLVED, closed, message),
        ]

    def follow(
        self, tracked: TrackedIncident, incident: Incident | None, alerts: Sequence[Alert]
    ) -> IncidentChanged | None:
        current = [member_of(alert) for alert in alerts]
        absent = self._absent_members(tracked, current)
        members = tuple(sorted([*current, *absent.kept], key=lambda member: (member.fired, member.since, member.key)))
        if not members:
            is_known = tracked.status is not IncidentStatus.WITHDRAWN
            return self.withdraw(tracked, absent.reason) if is_known else None
        if incident is None and tracked.status is IncidentStatus.WITHDRAWN:
            return None
        after = self._updated(tracked, incident, members, is_missing=absent.is_missing)
        if after == tracked:
            return None
        transition = _transition(tracked, after)
        if transition is IncidentTransition.MISSING and absent.is_missing:
            message = "its rows are gone; it stays as it was for a day"
        elif transition is IncidentTransition.RESOLVED and ends_as_baseline(alerts, self.baselines):
            message = NEW_BASELINE
        elif transition is IncidentTransition.JOINED:
            known = {(member.rule, member.key) for member in tracked.members}
            message = describe_breaches([alert for alert in alerts if (alert.rule, alert.key) not in known])
        else:
            active = [alert for alert in alerts if alert.is_active]
            message = describe_breaches(active or alerts) or absent.reason
        return IncidentChanged(self.now, transition, after, message)

    def _updated(
        self, tracked: TrackedIncident, incident: Incident | None, members: tuple[Member, ...], *, is_missing: bool
    ) -> TrackedIncident:
        active = [member.severity for member in members if member.resolved is None]
        highest = max(member.severity for member in members)
        after = replace(
            tracked,
            members=members,
            lead=tracked.lead if incident is None else incident.lead,
            started_at=tracked.started_at if incident is None else incident.started_at,
            level=max(active) if active else tracked.level,
            peak_severity=max(*active, tracked.peak_severity) if active else highest,
            resolved_at=None if active else max(member.resolved or self.now for member in members),
            status=IncidentStatus.OPEN if active else IncidentStatus.RESOLVED,
            missing_since=(tracked.missing_since or self.now) if is_missing else None,
        )
        if active and tracked.status is not IncidentStatus.OPEN:
            return replace(after, opened_at=self.now, closed_at=None)
        if not active and tracked.status is IncidentStatus.OPEN:
            ended_at = (after.resolved_at or self.now) + timedelta(seconds=tracked.gap_seconds)
            return replace(after, closed_at=self.now if self.now - ended_at < MISSED_LIMIT else ended_at)
        return after

    def _absent_members(self, tracked: TrackedIncident, current: Sequence[Member]) -> _Absent:
        absent = _Absent([])
        for member in tracked.members:
            if any(is_same_alert(member, other) for other in current):
                continue
            outcome, is_missing, reason = self._outcome(tracked, member)
            kept = absent.kept if outcome is None else [*absent.kept, outcome]
            absent = _Absent(kept, absent.is_missing or is_missing, reason or absent.reason)
        return absent

    def _outcome(self, tracked: TrackedIncident, member: Member) -> tuple[Member | None, bool, str]:
        """Return a member that is no alert any more as it is now, None if it never was one; if it is missing; why."""
        if member.condition is not Condition.THRESHOLD:
            return self._recovered(tracked, member)
        if member.rule not in self.scope.rules:
            return None, False, "the rule was removed"
        if not self.scope.includes(member):
            return self._missing(tracked, member)
        for restart in (one for one in self.baselines.get(tracked.model, ()) if member.fired <= one.newest):
            return replace(member, resolved=member.resolved or restart.ended_at), False, NEW_BASELINE
        if (member.rule, member.key) not in self.scope.evaluated:
            return None, False, "the rule no longer applies to this series"
        return None, False, "no longer a breach: a row came late or was corrected, or the rule was edited"

    def _recovered(self, tracked: TrackedIncident, member: Member) -> tuple[Member | None, bool, str]:
        """Resolve an alert about a model or a source, which leaves no trace in the data once it is over."""
        if member.resolved is not None:
            return member, False, ""
        if member.condition is Condition.ERROR:
            if member.key.model in self.scope.failing_sources:
                return member, False, ""
            message = "the source can be read again"
        elif not self.scope.includes(member):
            return self._missing(tracked, member)
        elif member.condition is Condition.UNREADABLE:
            if self.scope.failing_sources:
                return member, False, ""  # its file may be the one that cannot be opened now
            message = "it can be read again"
        else:
            message = "rows came again" if member.key.metric == "*" else "values came again"
        return replace(member, resolved=self.now), False, message

    def _missing(self, tracked: TrackedIncident, member: Member) -> tuple[Member | None, bool, str]:
        """Keep an alert whose rows disappeared, which is no recovery: for a day, or while a source cannot be read."""
        if member.resolved is not None:
            return member, False, ""
        if self.scope.failing_sources:
            return member, tracked.missing_since is not None, ""
        if tracked.missing_since is not None and self.now - tracked.missing_since >= LOST_AFTER:
            return None, False, "its rows have been gone for a day"
        return member, True, ""

    def withdraw(
        self, tracked: TrackedIncident, reason: str, transition: IncidentTransition = IncidentTransition.WITHDRAWN
    ) -> IncidentChanged:
        closed_at = tracked.closed_at or self.now
        after = replace(tracked, closed_at=closed_at, status=IncidentStatus.WITHDRAWN, missing_since=None)
        return IncidentChanged(self.now, transition, after, reason)


def ends_as_baseline(alerts: Sequence[Alert], baselines: Mapping[str, Restarts]) -> bool:
    """Return whether the last alerts of an incident ended because their values are the baseline now."""
    ends = [alert.resolved for alert in alerts if alert.resolved is not None]
    last = [alert for alert in alerts if alert.resolved == max(ends, default=None)]
    return bool(last) and all(
        any(alert.resolved == restart.ended_at for restart in baselines.get(alert.key.model, ()))
        or (alert.breach is not None and alert.breach.is_baseline and alert.periods >= NEW_BASELINE_PERIODS)
        for alert in last
    )


def is_same_alert(member: Member, other: Member) -> bool:
    """Return whether two alerts of one rule and series are one: they overlap; open ones have no end yet."""
    if (member.rule, member.key, member.condition) != (other.rule, other.key, other.condition):
        return False
    is_earlier = member.resolved is not None and member.resolved < other.since
    is_later = other.resolved is not None and other.resolved < member.since
    return not is_earlier and not is_later


def _transition(before: TrackedIncident, after: TrackedIncident) -> IncidentTransition:
    if after.status is not before.status:
        is_over = after.status is IncidentStatus.RESOLVED
        return IncidentTransition.RESOLVED if is_over else IncidentTransition.FIRED
    if after.status is IncidentStatus.OPEN and after.level != before.level:
        return IncidentTransition.ESCALATED if after.level > before.level else IncidentTransition.DEESCALATED
    if {(member.rule, member.key) for member in after.members} - {(one.rule, one.key) for one in before.members}:
        return IncidentTransition.JOINED
    if len(after.active_members) < len(before.active_members):
        return IncidentTransition.ALERT_RESOLVED
    if before.members == after.members and before.missing_since != after.missing_since:
        return IncidentTransition.MISSING
    return IncidentTransition.MOVED


def describe_breaches(alerts: Sequence[Alert]) -> str:
    """Return what is wrong, by the breaches of the first alerts."""
    texts = []
    for alert in alerts[:MAX_BREACHES]:
        breach = alert.breach if alert.is_active else alert.worst_breach or alert.breach
        name = "" if alert.key.metric == "*" else alert.key.metric
        name = name if alert.key.segment == "all" else f"{name} [{alert.key.segment}]"
        texts.append(f"{name} {breach.message if breach is not None else ''}".strip())
    if len(alerts) > MAX_BREACHES:
        texts.append(f"and {len(alerts) - MAX_BREACHES} more")
    return "; ".join(texts)
