"""Incidents that ended before a receiver could be notified: due once, for a day. Pure.

There is no list that a crash could lose: it is derived from incidents, notification entries and silences. An incident
is due if a receiver would have been notified when it was opened, when it closed, or when a silence ended in between.
Escalation is not due, for nothing is left to be done; a fallback is sent only those that the disabled receiver was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modeltop.alerting.incidents import MISSED_LIMIT
from modeltop.alerting.routing import RoutingConfig
from modeltop.alerting.suppression import Suppressor, inhibitions, model_wide
from modeltop.core.incident import AlertingState, IncidentStatus, Member, NotificationKey, TrackedIncident


def missed_notifications(
    state: AlertingState, config: RoutingConfig, now: datetime
) -> dict[NotificationKey, list[TrackedIncident]]:
    """Return the resolved incidents that are still to be sent at an aware time, oldest first; none suppressed."""
    missed: dict[NotificationKey, list[TrackedIncident]] = {}
    disabled = {name for name, receiver in state.receivers.items() if receiver.disabled_reason}
    finder = _MissedFinder(state, config, now, disabled, model_wide(state))
    for incident in sorted(state.incidents.values(), key=lambda incident: incident.fired_at):
        if (
            incident.status is IncidentStatus.RESOLVED
            and incident.closed_at is not None
            and now - incident.closed_at < MISSED_LIMIT
        ):
            for receiver in finder.receivers_for(incident):
                missed.setdefault(NotificationKey(receiver, incident.model), []).append(incident)
    return missed


@dataclass(frozen=True, slots=True, eq=False)
class _MissedFinder:
    state: AlertingState
    config: RoutingConfig
    now: datetime
    disabled: set[str]
    model_wide: list[tuple[TrackedIncident, Member]]

    def receivers_for(self, incident: TrackedIncident) -> dict[str, None]:
        working: dict[str, str] = {}
        # Asked first because it costs least and settles most incidents.
        for name in self.names_at(incident, self.now, all_members=True):
            receiver = self.config.fallback_for(name, self.disabled)
            if receiver is not None and not any(self.was_notified(other, incident) for other in (name, receiver)):
                working[name] = receiver
        if not working or incident.closed_at is None:
            return {}
        now = self.names_at(incident, self.now)
        # The moments at which it could have become due.
        start, end = min(incident.opened_at, incident.closed_at), incident.closed_at
        silence_ends = {silence.end for silence in self.state.silences if start < silence.end <= end}
        due = {name for moment in {start, end} | silence_ends for name in self.names_at(incident, moment)}
        return dict.fromkeys(receiver for name, receiver in working.items() if name in due & now.keys())

    def names_at(self, incident: TrackedIncident, moment: datetime, *, all_members: bool = False) -> dict[str, None]:
        inhibited = inhibitions(self.model_wide, moment)
        suppressor = Suppressor.at(self.state, self.config.mutes, moment, inhibited, present=self.now)
        return {
            name: None
            for member in incident.members
            if all_members or suppressor.reason(member.rule, member.key, member.condition, member.severity) is None
            for name in self.config.receivers_for(member, moment)
        }

    def was_notified(self, receiver: str, incident: TrackedIncident) -> bool:
        """Return whether a receiver was sent it or something later of its model, or is newer than it."""
        receiver_state = self.state.receivers.get(receiver)
        first_seen_at = receiver_state.first_seen_at if receiver_state is not None else self.now
        if incident.closed_at is None or max(incident.opened_at, incident.closed_at) <= first_seen_at:
            return True
        entry = self.state.notifications.get(NotificationKey(receiver, incident.model))
        if entry is None:
            return False
        if entry.incident == incident.id:
            # Of an incident that was opened again, only messages sent after that count.
            return bool(entry.level) or entry.at >= incident.opened_at
        last = self.state.incidents.get(entry.incident)
        return last is not None and last.fired_at > incident.fired_at
