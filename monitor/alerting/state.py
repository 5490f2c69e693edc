"""Application of events to the alerting state. Pure and total: any events in any order, each any number of times.

An event carries all that it changes, so that order matters only among events about the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from modeltop.core.event import (
    Acknowledged,
    Event,
    IncidentChanged,
    NoteAdded,
    Notification,
    NotificationAction,
    NotificationSkipped,
    ReceiverChanged,
    SendFinished,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import AlertingState, NotificationEntry
from modeltop.core.series import Severity

SILENCE_RETENTION = timedelta(days=5)
"""Time after its end for which a silence is retained."""
INCIDENT_RETENTION = timedelta(days=30)
"""Time for which closed incidents, expired acknowledgements and entries of resolved notifications are retained."""
SEND_RETENTION = timedelta(hours=1)
"""Age up to which sends count toward the hourly cap."""


def apply_events(state: AlertingState, events: Iterable[Event]) -> AlertingState:
    """Return the state after some events; `state` is not changed."""
    draft = _MutableState(state)
    for event in events:
        draft.last_event_at = event.at if draft.last_event_at is None else max(draft.last_event_at, event.at)
        draft.apply(event)
    return draft.freeze(state)


class _MutableState:
    """A state while events are applied, so that no copy is made for each."""

    def __init__(self, state: AlertingState) -> None:
        self.last_event_at = state.last_event_at
        self.acks = {ack.incident: ack for ack in state.acks}
        self.silences = {silence.id: silence for silence in state.silences}
        self.notes = dict.fromkeys(state.notes)
        self.incidents = dict(state.incidents)
        self.notifications = dict(state.notifications)
        self.receivers = dict(state.receivers)

    def freeze(self, before: AlertingState) -> AlertingState:
        """Return the state without entries that are past their retention."""
        newest = self.last_event_at
        if newest is None:
            return before
        oldest = _clamped_subtract(newest, INCIDENT_RETENTION)
        oldest_silence = _clamped_subtract(newest, SILENCE_RETENTION)
        return replace(
            before,
            last_event_at=newest,
            acks=tuple(ack for ack in self.acks.values() if ack.until >= oldest),
            silences=tuple(silence for silence in self.silences.values() if silence.end >= oldest_silence),
            notes=tuple(self.notes),
            incidents=MappingProxyType(
                {
                    name: incident
                    for name, incident in self.incidents.items()
                    if incident.closed_at is None or incident.closed_at >= oldest
                }
            ),
            notifications=MappingProxyType(
                {key: entry for key, entry in self.notifications.items() if entry.level or entry.at >= oldest}
            ),
            receivers=MappingProxyType(self.receivers),
        )

    def apply(self, event: Event) -> None:
        """Apply one event; sends that start and changes of leader change nothing."""
        match event:
            case Acknowledged(_, ack):
                # Removed first, so that the newest comes last.
                self.acks.pop(ack.incident, None)
                self.acks[ack.incident] = ack
            case Unacknowledged(_, incident_id):
                self.acks.pop(incident_id, None)
            case SilenceCreated(_, silence):
                self.silences.pop(silence.id, None)
                self.silences[silence.id] = silence
            case SilenceExpired(at, silence_id) if silence_id in self.silences:
                silence = self.silences[silence_id]
                self.silences[silence_id] = replace(silence, end=min(silence.end, at))
            case NoteAdded(_, note):
                self.notes[note] = None
            case IncidentChanged():
                self._apply_incident(event)
            case NotificationSkipped(_, key, entry):
                self.notifications[key] = entry
            case ReceiverChanged(_, receiver, state):
                self.receivers[receiver] = state
            case SendFinished():
                self._apply_send(event)

    def _apply_incident(self, event: IncidentChanged) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        ack = self.acks.get(incident.id)
        # It ends for good, so that an incident that improves, or opens again, is not acknowledged by that.
        if ack is not None and ack.at <= event.at and (incident.closed_at is not None or incident.level > ack.level):
            del self.acks[incident.id]

    def _apply_send(self, event: SendFinished) -> None:
        abandoned = event.abandoned_reason is not None
        for notification in event.notifications:
            before = self.notifications.get(notification.entry_key)
            entry = _entry_after(notification, event.at, before, abandoned=abandoned)
            if entry is not None:
                self.notifications[notification.entry_key] = entry
        if abandoned:
            return
        for name in {notification.receiver for notification in event.notifications} & self.receivers.keys():
            receiver = self.receivers[name]
            oldest = _clamped_subtract(event.at, SEND_RETENTION)
            sends = sorted(moment for moment in {*receiver.recent_sends, event.at} if moment > oldest)
            self.receivers[name] = replace(receiver, recent_sends=tuple(sends))


def _entry_after(
    notification: Notification, at: datetime, before: NotificationEntry | None, *, abandoned: bool
) -> NotificationEntry | None:
    """Return the entry once a notification was accepted or abandoned; None if it does not change.

    An abandoned trigger leaves no entry, or a resolve would follow of what was never triggered; an abandoned resolve is
    not sent again.
    """
    is_same = before is not None and before.incident == notification.incident
    if notification.action is NotificationAction.RESOLVE:
        return NotificationEntry(notification.incident, Severity.OK, at) if is_same or not abandoned else None
    if abandoned:
        return None
    if notification.action is NotificationAction.TRIGGER:
        return NotificationEntry(notification.incident, notification.level, at)
    return replace(before, acknowledged=True) if before is not None and is_same else None


def _clamped_subtract(moment: datetime, span: timedelta) -> datetime:
    """Return the moment before another by a span, or the earliest datetime if that is out of range."""
    first = datetime.min.replace(tzinfo=moment.tzinfo)
    return moment - span if moment - first > span else first
