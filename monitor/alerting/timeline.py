"""The history of incidents, from the event log: fired, sent, acknowledged, resolved, and notes meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain

from modeltop.alerting.grouping import usual_gap
from modeltop.alerting.incidents import as_tracked
from modeltop.alerting.suppression import ack_end_reason
from modeltop.core.event import (
    Acknowledged,
    BaselineRestarted,
    Event,
    IncidentChanged,
    NoteAdded,
    Notification,
    NotificationAction,
    NotificationReason,
    SendFinished,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import Acknowledgement, IncidentStatus, Note, Silence, TrackedIncident
from modeltop.core.series import Alert, Condition
from modeltop.core.text import format_day, format_minute, format_value
from modeltop.rules.snapshot import Snapshot

_END = datetime.max.replace(tzinfo=UTC)
SENT_WORDS = {
    NotificationReason.FIRST: "",
    NotificationReason.ESCALATED: "got worse",
    NotificationReason.JOINED: "new alert",
    NotificationReason.REPEAT: "reminder",
    NotificationReason.RESOLVED: "resolved",
}
"""What a receiver was notified of, if not by the word of the reason."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to an incident."""

    at: datetime
    event: str
    """A transition such as `fired`; or `notified`, `sending`, `abandoned`, `acknowledged`, `unacknowledged`,
    `ack-ended`, `silenced`, `silence-ended`, `noted`, `baseline-accepted`."""
    actor: str
    """The person or the receiver; empty for events of the data. Foreign text."""
    text: str


def _describe_crossing(alert: Alert) -> str:
    """Return what an alert is about, without its newest value, which is not that of the day on which it fired."""
    name = alert.key.metric if alert.key.segment == "all" else f"{alert.key.metric} [{alert.key.segment}]"
    breach = alert.breach
    if breach is None or breach.limit is None or alert.condition is not Condition.THRESHOLD:
        return f"{name} {'' if breach is None else breach.message}".removeprefix("*").strip()
    side = "below" if breach.value < breach.limit else "above"
    return f"{name} {side} {'baseline' if breach.is_baseline else format_value(breach.limit)}"


CurrentIncident = tuple[TrackedIncident, tuple[TimelineEntry, ...]]
"""An open incident by its data, and when which of its alerts fired."""


@dataclass(frozen=True, slots=True)
class IncidentTimeline:
    """One incident from its first entry to its last."""

    id: str
    incident: TrackedIncident | None
    """Its newest state; None if a person acknowledged what no watcher had seen."""
    entries: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that the event log still holds about one model."""

    incidents: tuple[IncidentTimeline, ...]
    notes: tuple[Note, ...]
    """Every note about it, within an incident or not, in the order of the moments that they are about."""
    silences: tuple[TimelineEntry, ...] = ()
    """The silences of it that are in no incident, in the order of time."""


def build_timeline(
    events: Iterable[Event],
    model: str,
    now: datetime | None = None,
    *,
    current: CurrentIncident | None = None,
) -> Timeline:
    """Return the timeline of the incidents of a model.

    Args:
        events: All events, oldest first.
        model: Its exact name.
        now: What ended by its time is part of it up to this moment, aware; None for the time of the newest event.
        current: The open incident of the model by its data, and its entries: part of it if no watcher recorded one.
    """
    builder = _TimelineBuilder(model)
    for event in events:
        builder.add_event(event)
        builder.now = max(builder.now or event.at, event.at)
    builder.now = now or builder.now
    if current is not None:
        builder.add_unrecorded(*current)
    notes = sorted(dict.fromkeys(builder.notes), key=lambda note: note.at)
    incidents = tuple(draft.build(builder) for draft in builder.incidents.values())
    return Timeline(incidents, tuple(notes), builder.other_silences())


def open_incident(snapshot: Snapshot, model: str) -> CurrentIncident | None:
    """Return the open incident of a model by its data, and when which alerts fired; None without one."""
    if (incident := snapshot.incident_of(model)) is None:
        return None
    by_id = {alert.id: alert for alert in snapshot.alerts}
    alerts = [by_id[name] for name in incident.alerts]
    gap = usual_gap(snapshot.history.periods.get(model), incident.started_at)
    fired: dict[datetime, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda one: one.fired or one.since):
        fired.setdefault(alert.fired or alert.since, []).append(alert)
    entries = [
        TimelineEntry(at, "joined" if number else "fired", "", "; ".join(map(_describe_crossing, group)))
        for number, (at, group) in enumerate(fired.items())
    ]
    return as_tracked(incident, alerts, gap, snapshot.clock), tuple(entries)


@dataclass
class _IncidentTimelineBuilder:
    id: str
    incident: TrackedIncident | None = None
    entries: list[TimelineEntry] = field(default_factory=list)
    pending_sends: dict[tuple[str, str], TimelineEntry] = field(default_factory=dict)
    """By receiver and idempotency key, sends that may or may not have arrived."""
    ack: Acknowledgement | None = None
    acknowledged_until: datetime | None = None
    """The end that the last acknowledgement was given."""

    @property
    def is_open(self) -> bool:
        return self.incident is not None and self.incident.status is IncidentStatus.OPEN

    def build(self, timeline: _TimelineBuilder) -> IncidentTimeline:
        if timeline.now is not None:
            self.end_ack(timeline.now)
        entries = [*self.entries, *self.pending_sends.values()]
        first_seen = min(entry.at for entry in entries)
        start = min(first_seen, self.incident.started_at) if self.incident else first_seen
        last_seen = max(self.acknowledged_until or first_seen, *(entry.at for entry in entries))
        end = (self.incident.closed_at or _END) if self.incident else last_seen
        entries += [
            TimelineEntry(note.at, "noted", note.by, note.text) for note in timeline.notes if start <= note.at <= end
        ]
        for silence in timeline.silences.values():
            overlaps = silence.start <= end and first_seen < timeline.end_of(silence)
            if overlaps and self._matches(silence, timeline.model):
                timeline.listed_silences.add(silence.id)
                entries += timeline.silence_entries(silence, end)
        # A stable sort: simultaneous events stay in the order in which it was journaled.
        ordered = tuple(sorted(entries, key=lambda entry: entry.at))
        return IncidentTimeline(self.id, self.incident, ordered)

    def _matches(self, silence: Silence, model: str) -> bool:
        if self.incident is None:
            return fnmatchcase(model, silence.matchers.model)
        return any(silence.matchers.match_labels(one.rule, one.key, one.severity) for one in self.incident.members)

    def end_ack(self, now: datetime, incident: TrackedIncident | None = None) -> None:
        """End the acknowledgement if it is over by a moment, or by a new state of the incident."""
        if self.ack is None:
            return
        if self.ack.until <= now:
            self._end_ack_at(self.ack.until, "it expired")
        elif incident is not None and incident.status is not IncidentStatus.OPEN:
            self.ack = None
        elif incident is not None and (reason := ack_end_reason(self.ack, incident)):
            self._end_ack_at(now, reason)

    def _end_ack_at(self, moment: datetime, reason: str) -> None:
        if self.ack is not None:
            self.entries.append(TimelineEntry(moment, "ack-ended", self.ack.by, reason))
            self.ack = None


class _TimelineBuilder:
    def __init__(self, model: str) -> None:
        self.model = model
        self.now: datetime | None = None
        self.incidents: dict[str, _IncidentTimelineBuilder] = {}
        self.notes: list[Note] = []
        self.silences: dict[str, Silence] = {}
        self.expirations: dict[str, SilenceExpired] = {}
        self.listed_silences = set[str]()

    def add_event(self, event: Event) -> None:
        match event:
            case IncidentChanged(at, transition, incident, message) if incident.model == self.model:
                draft = self._draft(incident.id)
                draft.incident = incident
                draft.entries.append(TimelineEntry(at, transition.value, "", message))
                draft.end_ack(at, incident)
            case Acknowledged(at, ack) if ack.model == self.model:
                draft = self._draft(ack.incident)
                draft.ack, draft.acknowledged_until = ack, ack.until
                draft.entries.append(TimelineEntry(at, "acknowledged", ack.by, ack.reason))
            case Unacknowledged(at, incident_id, by) if incident_id in self.incidents:
                self.incidents[incident_id].ack = None
                self.incidents[incident_id].entries.append(TimelineEntry(at, "unacknowledged", by, ""))
            case BaselineRestarted(at, model, restart, by) if model == self.model:
                self._add_baseline(at, restart.start, by)
            case NoteAdded(_, note) if fnmatchcase(self.model, note.model):
                self.notes.append(note)
            case SilenceCreated(_, silence):
                self.silences[silence.id] = silence
            case SilenceExpired():
                self.expirations.setdefault(event.silence, event)
            case SendStarted() | SendFinished():
                self._add_send(event)

    def add_unrecorded(self, incident: TrackedIncident, entries: Sequence[TimelineEntry]) -> None:
        """Add the open incident of the data, unless a watcher recorded one: its id may be of an earlier start."""
        if not any(draft.is_open for draft in self.incidents.values()):
            draft = self._draft(incident.id)
            draft.incident = incident
            draft.entries[:0] = entries

    def end_of(self, silence: Silence) -> datetime:
        expiration = self.expirations.get(silence.id)
        return min(silence.end, expiration.at) if expiration else silence.end

    def silence_entries(self, silence: Silence, end: datetime = _END) -> Iterator[TimelineEntry]:
        text = f"until {format_minute(silence.end, silence.start)}: {silence.reason}"
        yield TimelineEntry(max(silence.created_at, silence.start), "silenced", silence.by, text)
        expiration = self.expirations.get(silence.id)
        if expiration or (self.now is not None and self.end_of(silence) <= min(self.now, end)):
            yield TimelineEntry(self.end_of(silence), "silence-ended", expiration.by if expiration else "", "")

    def other_silences(self) -> tuple[TimelineEntry, ...]:
        others = (one for one in self.silences.values() if one.id not in self.listed_silences)
        entries = (self.silence_entries(one) for one in others if fnmatchcase(self.model, one.matchers.model))
        return tuple(sorted(chain.from_iterable(entries), key=lambda entry: entry.at))

    def _add_baseline(self, at: datetime, start: datetime, by: str) -> None:
        text = f"from {format_day(start)} on"
        is_open = [draft for draft in self.incidents.values() if draft.is_open]
        for draft in is_open:
            draft.entries.append(TimelineEntry(at, "baseline-accepted", by, text))
        if not is_open:
            self.notes.append(Note(self.model, f"new baseline accepted {text}", by, at))

    def _add_send(self, event: SendStarted | SendFinished) -> None:
        for notification in event.notifications:
            if notification.entry_key.model != self.model:
                continue
            send_key = notification.receiver, notification.idempotency_key
            draft = self._draft(notification.incident)
            if isinstance(event, SendStarted):
                draft.pending_sends.setdefault(send_key, _send_entry(event.at, "sending", notification))
                continue
            draft.pending_sends.pop(send_key, None)
            name = "notified" if event.abandoned_reason is None else "abandoned"
            draft.entries.append(_send_entry(event.at, name, notification, event.abandoned_reason))

    def _draft(self, incident_id: str) -> _IncidentTimelineBuilder:
        return self.incidents.setdefault(incident_id, _IncidentTimelineBuilder(incident_id))


def _send_entry(at: datetime, event: str, notification: Notification, reason: str | None = None) -> TimelineEntry:
    level = notification.level.name.lower() if notification.action is NotificationAction.TRIGGER else ""
    text = ", ".join(filter(None, (level, SENT_WORDS.get(notification.reason, notification.reason.value))))
    return TimelineEntry(at, event, notification.receiver, f"{text}: {reason}" if reason else text)
