"""What ended before a receiver could be told of it: owed once, for a day. Pure.

Nobody keeps a list of debts that a crash could lose: they follow from incidents, beliefs and silences. An incident is
owed where a receiver would have been told of it when it was opened, when it closed, or when a silence ended in
between. Escalation is not owed, for nothing is left to be done; and who takes over from a broken receiver owes only
what that one was not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modeltop.alerting.incidents import MISSED_LIMIT
from modeltop.alerting.routing import RoutingConfig
from modeltop.alerting.suppression import Suppressor, inhibitions, model_wide
from modeltop.core.incident import AlertingState, Incident, IncidentStatus, NotificationKey


def missed_notifications(
    facts: AlertingState, orders: RoutingConfig, now: datetime
) -> dict[NotificationKey, list[Incident]]:
    """By receiver, rule and series: what is over and still to be told, oldest first; nothing that is silenced now."""
    found: dict[NotificationKey, list[Incident]] = {}
    desk = _MissedFinder(
        facts,
        orders,
        now,
        {name for name, state in facts.receivers.items() if state.disabled_reason},
        model_wide(facts),
    )
    for incident in sorted(facts.incidents.values(), key=lambda one: one.since):
        if (
            incident.status is IncidentStatus.RESOLVED
            and incident.closed_at is not None
            and now - incident.closed_at < MISSED_LIMIT
        ):
            for receiver in desk.receivers_for(incident):
                found.setdefault(NotificationKey(receiver, incident.rule, incident.key), []).append(incident)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _MissedFinder:
    state: AlertingState
    orders: RoutingConfig
    now: datetime
    disabled: set[str]
    model_wide: list[Incident]

    def receivers_for(self, incident: Incident) -> dict[str, None]:
        """The receivers that are to be told now, and were to be told while it lasted."""
        untold: dict[str, str] = {}
        # Most are known to everybody: that is asked first, for it costs least.
        for name in self.orders.receivers_for(incident, incident.peak_severity, self.now, acked=True):
            receiver = self.orders.fallback_for(name, self.disabled)
            if receiver is not None and not any(self.was_notified(one, incident) for one in (name, receiver)):
                untold[name] = receiver
        if not untold or self.was_suppressed(incident, self.now):
            return {}
        due: set[str] = set()
        for moment in _moments(incident, self.state):
            if not self.was_suppressed(incident, moment):
                due.update(self.orders.receivers_for(incident, incident.peak_severity, moment, acked=True))
        return dict.fromkeys(receiver for name, receiver in untold.items() if name in due)

    def was_suppressed(self, incident: Incident, moment: datetime) -> bool:
        """Whether nobody was to be told of it at a moment."""
        hush = Suppressor.at(self.state, self.orders.mutes, moment, inhibitions(self.model_wide, moment))
        return hush.reason(incident.rule, incident.key, incident.condition, incident.peak_severity) is not None

    def was_notified(self, receiver: str, incident: Incident) -> bool:
        """Whether a receiver was told of it, or of something later of the same rule and series, or is newer than it."""
        state = self.state.receivers.get(receiver)
        known_since = state.first_seen_at if state is not None else self.now
        if incident.closed_at is None or max(incident.opened_at, incident.closed_at) <= known_since:
            return True
        belief = self.state.notifications.get(NotificationKey(receiver, incident.rule, incident.key))
        if belief is None:
            return False
        if belief.incident == incident.id:
            # One that was opened again has been told of only if that was after it.
            return bool(belief.level) or belief.at >= incident.opened_at
        last = self.state.incidents.get(belief.incident)
        return last is not None and last.since > incident.since


def _moments(incident: Incident, facts: AlertingState) -> set[datetime]:
    """When it could have come to be told."""
    assert incident.closed_at is not None, "it is over"
    begin = min(incident.opened_at, incident.closed_at)
    ends = {silence.end for silence in facts.silences if begin < silence.end <= incident.closed_at}
    return {begin, incident.closed_at} | ends
