"""Application of events to the alerting state. Pure and total: any events in any order, each any number of times.

An event carries all that it changes, so that order matters only among events about the same thing. Nothing is removed
for its age here: `without_expired` does that, and is called when a checkpoint is written. The watcher's time may have
been wrong, and what was removed by it would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import get_args

from modeltop.core.event import (
    Acknowledged,
    BaselineRestarted,
    ClockAccepted,
    ClockAcceptRequested,
    Event,
    IncidentChanged,
    NoteAdded,
    Notification,
    NotificationAction,
    NotificationReason,
    NotificationSkipped,
    PersonalEvent,
    ReceiverChanged,
    ReceiverTested,
    SendFinished,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import (
    CLOCK_TOLERANCE,
    Acknowledgement,
    AlertingState,
    BaselineRestart,
    NotificationEntry,
    ReceiverState,
    Silence,
    TrackedIncident,
)
from modeltop.core.series import Severity

SILENCE_RETENTION = timedelta(days=5)
INCIDENT_RETENTION = timedelta(days=30)
"""Time for which closed incidents, expired acknowledgements and entries of resolved notifications are retained."""
SEND_RETENTION = timedelta(hours=1)
MAX_REJECTED_KEYS = 20
"""Rejected notifications that are remembered of one receiver and model."""
_PERSONAL_EVENTS = get_args(PersonalEvent)


def with_current_names(state: AlertingState, aliases: Mapping[str, str]) -> AlertingState:
    """Return the state with what is about an earlier name of a model under the name that it has now.

    Args:
        state: By the events, which have the names of their time.
        aliases: Earlier name of a model → the name it has now.
    """
    if not aliases:
        return state

    def incident(tracked: TrackedIncident) -> TrackedIncident:
        model = aliases.get(tracked.model, tracked.model)
        members = (
            replace(one, key=one.key._replace(model=aliases.get(one.key.model, one.key.model)))
            for one in tracked.members
        )
        return replace(tracked, model=model, members=tuple(members))

    notifications = {
        replace(key, model=aliases.get(key.model, key.model)): entry for key, entry in state.notifications.items()
    }
    baselines = {aliases.get(model, model): restarts for model, restarts in state.baselines.items()}
    return replace(
        state,
        acks=tuple(replace(ack, model=aliases.get(ack.model, ack.model)) for ack in state.acks),
        silences=tuple(
            replace(one, matchers=replace(one.matchers, model=aliases.get(one.matchers.model, one.matchers.model)))
            for one in state.silences
        ),
        notes=tuple(replace(note, model=aliases.get(note.model, note.model)) for note in state.notes),
        incidents=MappingProxyType({name: incident(one) for name, one in state.incidents.items()}),
        # What is known under the name of now counts.
        baselines=MappingProxyType(
            baselines | {m: all_of for m, all_of in state.baselines.items() if m not in aliases}
        ),
        notifications=MappingProxyType(
            notifications | {key: entry for key, entry in state.notifications.items() if key.model not in aliases}
        ),
    )


def apply_events(state: AlertingState, events: Iterable[Event]) -> AlertingState:
    """Return the state after some events; `state` is not changed."""
    draft = _MutableState(state)
    for event in events:
        if not isinstance(event, _PERSONAL_EVENTS):
            draft.last_event_at = event.at if draft.last_event_at is None else max(draft.last_event_at, event.at)
        draft.apply(event)
    return draft.freeze(state)


def without_expired(state: AlertingState) -> AlertingState:
    """Return the state without what is past its retention, by the watcher's own time."""
    if state.last_event_at is None:
        return state
    oldest = _clamped_subtract(state.last_event_at, INCIDENT_RETENTION)
    oldest_silence = _clamped_subtract(state.last_event_at, SILENCE_RETENTION)
    incidents = {
        name: incident
        for name, incident in state.incidents.items()
        if incident.closed_at is None or incident.closed_at >= oldest
    }
    entries = {key: entry for key, entry in state.notifications.items() if entry.level or entry.at >= oldest}
    return replace(
        state,
        acks=tuple(ack for ack in state.acks if ack.until >= oldest),
        silences=tuple(silence for silence in state.silences if silence.end >= oldest_silence),
        incidents=MappingProxyType(incidents),
        notifications=MappingProxyType(entries),
    )


def reenabled(state: ReceiverState, now: datetime) -> ReceiverState:
    """Return the state of a receiver that accepted a message: neither failing nor disabled."""
    return ReceiverState(
        state.first_seen_at,
        recent_sends=state.recent_sends,
        settings_fingerprint=state.settings_fingerprint,
        recovered_at=state.recovered_at if state.disabled_reason is None else now,
    )


class _MutableState:
    """A state while events are applied, so that no copy is made for each."""

    def __init__(self, state: AlertingState) -> None:
        self.last_event_at = state.last_event_at
        self.clock_accept_requested = state.clock_accept_requested
        self.acks = {ack.incident: ack for ack in state.acks}
        self.silences = {silence.id: silence for silence in state.silences}
        self.notes = dict.fromkeys(state.notes)
        self.baselines = dict(state.baselines)
        self.incidents = dict(state.incidents)
        self.notifications = dict(state.notifications)
        self.receivers = dict(state.receivers)

    def freeze(self, before: AlertingState) -> AlertingState:
        return replace(
            before,
            last_event_at=self.last_event_at,
            clock_accept_requested=self.clock_accept_requested,
            acks=tuple(self.acks.values()),
            silences=tuple(self.silences.values()),
            notes=tuple(self.notes),
            baselines=MappingProxyType(self.baselines),
            incidents=MappingProxyType(self.incidents),
            notifications=MappingProxyType(self.notifications),
            receivers=MappingProxyType(self.receivers),
        )

    def apply(self, event: Event) -> None:
        """Apply one event; changes of leader change nothing."""
        match event:
            case IncidentChanged():
                self._apply_incident(event)
            case NotificationSkipped(_, key, entry):
                self.notifications[key] = entry
            case ReceiverChanged(_, receiver, state):
                self.receivers[receiver] = state
            case SendStarted(_, notifications):
                self._start_resolves(notifications)
            case SendFinished():
                self._apply_send(event)
            case ClockAccepted(at):
                self._accept_clock(at)
            case _:
                self._apply_personal(event)

    def _apply_personal(self, event: Event) -> None:
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
                self.silences[silence_id] = replace(
                    silence, end=min(silence.end, at), expired_at=min(silence.expired_at or at, at)
                )
            case NoteAdded(_, note):
                self.notes[note] = None
            case BaselineRestarted(_, model, restart):
                self._add_baseline(model, restart)
            case ReceiverTested(at, receiver) if receiver in self.receivers:
                self.receivers[receiver] = reenabled(self.receivers[receiver], self.last_event_at or at)
            case ClockAcceptRequested():
                self.clock_accept_requested = True

    def _add_baseline(self, model: str, restart: BaselineRestart) -> None:
        known = self.baselines.get(model, ())
        if restart not in known:
            known = known[:-1] if known and known[-1].newest == restart.newest else known
            self.baselines[model] = (*known, restart)

    def _accept_clock(self, now: datetime) -> None:
        """Set the watcher's time: nothing that it remembers is later, and what a person set lasts as long as before."""
        self.last_event_at, self.clock_accept_requested = now, False
        self.incidents = {name: _not_after(incident, now) for name, incident in self.incidents.items()}
        self.notifications = {
            key: replace(
                entry,
                at=min(entry.at, now),
                joined_at=_earlier(entry.joined_at, now),
                rejected_at=_earlier(entry.rejected_at, now),
            )
            for key, entry in self.notifications.items()
        }
        self.receivers = {name: _receiver_at(receiver, now) for name, receiver in self.receivers.items()}
        self.acks = {name: _ack_at(ack, now) for name, ack in self.acks.items()}
        self.silences = {name: _silence_at(silence, now) for name, silence in self.silences.items()}

    def _apply_incident(self, event: IncidentChanged) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        ack = self.acks.get(incident.id)
        if ack is None:
            return
        # By a clock that is ahead, an acknowledgement is later than everything: then the order of events decides.
        is_earlier = ack.at <= event.at or not ack.is_credible(event.at)
        # It ends for good, so that an incident that improves, or opens again, is not acknowledged by that.
        if is_earlier and (incident.closed_at is not None or incident.level > ack.level):
            del self.acks[incident.id]

    def _start_resolves(self, notifications: Iterable[Notification]) -> None:
        for notification in notifications:
            entry = self.notifications.get(notification.entry_key)
            is_same = entry is not None and entry.incident == notification.incident
            if entry is not None and is_same and notification.action is NotificationAction.RESOLVE:
                self.notifications[notification.entry_key] = replace(entry, resolve_started=bool(entry.level))

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

    An abandoned trigger leaves an entry of level OK, or a resolve would follow of what was never triggered; its key is
    in it, or it would be sent again at once. An abandoned resolve is not sent again.
    """
    is_same = before is not None and before.incident == notification.incident
    if notification.action is NotificationAction.RESOLVE:
        return NotificationEntry(notification.incident, Severity.OK, at) if is_same or not abandoned else None
    if abandoned:
        keys = dict.fromkeys((*(before.rejected_keys if before is not None else ()), notification.idempotency_key))
        # What the receiver was notified of, and is still to be resolved, stays.
        kept = before if before is not None and before.level else None
        kept = kept or NotificationEntry(notification.incident, Severity.OK, at)
        return replace(kept, rejected_keys=tuple(keys)[-MAX_REJECTED_KEYS:], rejected_at=at)
    if notification.action is NotificationAction.TRIGGER:
        joined_at = before.joined_at if before is not None and is_same else None
        joined_at = at if notification.reason is NotificationReason.JOINED else joined_at
        about = notification.incident, notification.level, at, notification.members, joined_at
        return NotificationEntry(*about, pager_incident=notification.pager_incident)
    return replace(before, acknowledged=True) if before is not None and is_same else None


def _earlier(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _not_after(incident: TrackedIncident, now: datetime) -> TrackedIncident:
    return replace(
        incident,
        opened_at=min(incident.opened_at, now),
        closed_at=_earlier(incident.closed_at, now),
        missing_since=_earlier(incident.missing_since, now),
    )


def _receiver_at(receiver: ReceiverState, now: datetime) -> ReceiverState:
    return replace(
        receiver,
        first_seen_at=min(receiver.first_seen_at, now),
        retry_at=_earlier(receiver.retry_at, now),
        recovered_at=_earlier(receiver.recovered_at, now),
        recent_sends=tuple(moment for moment in receiver.recent_sends if moment <= now),
    )


def _ack_at(ack: Acknowledgement, now: datetime) -> Acknowledgement:
    ahead = ack.at - now
    return replace(ack, at=now, until=_clamped_subtract(ack.until, ahead)) if ahead > CLOCK_TOLERANCE else ack


def _silence_at(silence: Silence, now: datetime) -> Silence:
    if silence.is_credible(now):
        return silence
    if silence.expired_at is not None:
        return replace(silence, end=min(silence.end, now), expired_at=now)
    ahead = silence.created_at - now
    start, end = _clamped_subtract(silence.start, ahead), _clamped_subtract(silence.end, ahead)
    return replace(silence, created_at=now, start=start, end=end)


def _clamped_subtract(moment: datetime, span: timedelta) -> datetime:
    """Return the moment before another by a span, or the earliest datetime if that is out of range."""
    first = datetime.min.replace(tzinfo=moment.tzinfo)
    return moment - span if moment - first > span else first
