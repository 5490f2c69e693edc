"""What each event changes. Pure and total: any events in any order give facts, and the same event twice no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import singledispatchmethod
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
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    Incident,
    Note,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    Silence,
)
from modeltop.core.series import Severity

SILENCE_RETENTION = timedelta(days=5)
"""After their end."""
INCIDENT_RETENTION = timedelta(days=30)
"""After they were closed; acknowledgements and beliefs that say nothing any more likewise."""
SEND_RETENTION = timedelta(hours=1)


def apply_event(facts: AlertingState, event: Event) -> AlertingState:
    """The facts after one event."""
    return apply_events(facts, (event,))


def apply_events(facts: AlertingState, events: Iterable[Event]) -> AlertingState:
    """The facts after many events: the same as after one by one, but no copy is made for each."""
    draft = _MutableState.from_state(facts)
    for event in events:
        draft.newest = event.at if draft.newest is None else max(draft.newest, event.at)
        draft.apply(event)
    return draft.freeze(facts)


@dataclass
class _MutableState:
    """Facts that are being written; only `fold_all` holds one."""

    newest: datetime | None
    acks: dict[str, Acknowledgement]
    silences: dict[str, Silence]
    notes: dict[Note, None]
    incidents: dict[str, Incident] = field(default_factory=dict)
    notifications: dict[NotificationKey, NotificationEntry] = field(default_factory=dict)
    receivers: dict[str, ReceiverState] = field(default_factory=dict)

    @classmethod
    def from_state(cls, facts: AlertingState) -> _MutableState:
        return cls(
            facts.last_event_at,
            {ack.incident: ack for ack in facts.acks},
            {silence.id: silence for silence in facts.silences},
            dict.fromkeys(facts.notes),
            dict(facts.incidents),
            dict(facts.notifications),
            dict(facts.receivers),
        )

    def freeze(self, before: AlertingState) -> AlertingState:
        """The facts, without what nobody asks for any more."""
        newest = self.newest
        if newest is None:
            return before
        old = clamped_subtract(newest, INCIDENT_RETENTION)
        ended = clamped_subtract(newest, SILENCE_RETENTION)
        return replace(
            before,
            last_event_at=newest,
            acks=tuple(ack for ack in self.acks.values() if ack.until >= old),
            silences=tuple(silence for silence in self.silences.values() if silence.end >= ended),
            notes=tuple(self.notes),
            incidents=MappingProxyType(
                {name: one for name, one in self.incidents.items() if one.closed_at is None or one.closed_at >= old}
            ),
            notifications=MappingProxyType(
                {key: one for key, one in self.notifications.items() if one.level or one.at >= old}
            ),
            receivers=MappingProxyType(self.receivers),
        )

    @singledispatchmethod
    def apply(self, event: Event) -> None:
        """Take the event in. What is about to be sent, and who watches, changes nothing that is remembered."""

    @apply.register
    def _(self, event: Acknowledged) -> None:
        self.acks.pop(event.ack.incident, None)
        self.acks[event.ack.incident] = event.ack

    @apply.register
    def _(self, event: Unacknowledged) -> None:
        self.acks.pop(event.incident, None)

    @apply.register
    def _(self, event: SilenceCreated) -> None:
        self.silences.pop(event.silence.id, None)
        self.silences[event.silence.id] = event.silence

    @apply.register
    def _(self, event: SilenceExpired) -> None:
        if found := self.silences.get(event.silence):
            self.silences[found.id] = replace(found, end=min(found.end, event.at))

    @apply.register
    def _(self, event: NoteAdded) -> None:
        self.notes[event.note] = None

    @apply.register
    def _(self, event: IncidentChanged) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        ack = self.acks.get(incident.id)
        # An acknowledgement ends for good where it got worse, or is over: neither better nor again makes it hold.
        if ack is not None and ack.at <= event.at and (incident.closed_at is not None or incident.level > ack.level):
            del self.acks[incident.id]

    @apply.register
    def _(self, event: NotificationSkipped) -> None:
        self.notifications[event.key] = event.entry

    @apply.register
    def _(self, event: ReceiverChanged) -> None:
        self.receivers[event.receiver] = event.state

    @apply.register
    def _(self, event: SendFinished) -> None:
        for delivery in event.notifications:
            before = self.notifications.get(delivery.entry_key)
            if (
                belief := entry_after(delivery, event.at, before, given_up=event.abandoned_reason is not None)
            ) is not None:
                self.notifications[delivery.entry_key] = belief
        if event.abandoned_reason is None:
            for name in {delivery.receiver for delivery in event.notifications} & self.receivers.keys():
                state = self.receivers[name]
                self.receivers[name] = replace(state, recent_sends=_hour({*state.recent_sends, event.at}, event.at))


def entry_after(
    delivery: Notification, at: datetime, before: NotificationEntry | None, *, given_up: bool = False
) -> NotificationEntry | None:
    """What a receiver believes once it took the delivery; None where that changes nothing.

    A trigger that was given up is not believed, or an end would be told of what was never begun; an end that was given
    up is not told again.
    """
    heard = before is not None and before.incident == delivery.incident
    if delivery.action is NotificationAction.RESOLVE:
        return NotificationEntry(delivery.incident, Severity.OK, at) if heard or not given_up else None
    if given_up:
        return None
    if delivery.action is NotificationAction.TRIGGER:
        return NotificationEntry(delivery.incident, delivery.level, at)
    return replace(before, acknowledged=True) if before is not None and heard else None


def _hour(moments: Iterable[datetime], at: datetime) -> tuple[datetime, ...]:
    begin = clamped_subtract(at, SEND_RETENTION)
    return tuple(sorted(moment for moment in moments if moment > begin))


def clamped_subtract(moment: datetime, span: timedelta) -> datetime:
    """The moment so long before; the first of all time where there is none."""
    first = datetime.min.replace(tzinfo=moment.tzinfo)
    return moment - span if moment - first > span else first
