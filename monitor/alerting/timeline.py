"""Incidents told whole from the journal: fired, told, taken, worse, over, and what people wrote meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from modeltop.core.event import (
    Acknowledged,
    Event,
    IncidentChanged,
    NoteAdded,
    Notification,
    SendFinished,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import Incident, Note, Silence
from modeltop.core.series import SeriesKey, Severity

_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to an incident."""

    at: datetime
    event: str
    """A course such as `fired`; or `told`, `telling`, `given-up`, `acknowledged`, `given-back`, `silenced`,
    `silence-ended`, `noted`."""
    actor: str
    """The person or the receiver; empty where it was the data. Foreign text."""
    text: str
    """Evidence, reason or note: foreign text."""


@dataclass(frozen=True, slots=True)
class IncidentTimeline:
    """One incident from its first line to its last."""

    id: str
    rule: str
    key: SeriesKey
    incident: Incident | None
    """As it was last seen; None where a person took what no watcher had seen."""
    entries: tuple[TimelineEntry, ...]
    """In the order of time."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that the journal still says about one model."""

    incidents: tuple[IncidentTimeline, ...]
    """Oldest first."""
    notes: tuple[Note, ...]
    """Every note about it, within an incident or not, in the order of the moments that they are about."""


def build_timeline(events: Iterable[Event], model: str) -> Timeline:
    """What happened to the incidents of a model.

    Args:
        events: Oldest first.
        model: Its name, exactly.
    """
    teller = _TimelineBuilder(model)
    for event in events:
        teller.add_event(event)
    notes = sorted(dict.fromkeys(teller.notes), key=lambda note: note.at)
    return Timeline(tuple(draft.build(teller) for draft in teller.incidents.values()), tuple(notes))


@dataclass
class _IncidentTimelineBuilder:
    id: str
    rule: str
    key: SeriesKey
    incident: Incident | None = None
    entries: list[TimelineEntry] = field(default_factory=list)
    pending_sends: dict[tuple[str, str], TimelineEntry] = field(default_factory=dict)
    """By receiver and key of the delivery, what was sent and of which nobody knows whether it arrived."""

    def build(self, teller: _TimelineBuilder) -> IncidentTimeline:
        found = [*self.entries, *self.pending_sends.values()]
        seen = min(line.at for line in found)
        begin = min(seen, self.incident.since) if self.incident else seen
        end = (self.incident.closed_at or _END) if self.incident else max(line.at for line in found)
        found += [
            TimelineEntry(note.at, "noted", note.by, note.text) for note in teller.notes if begin <= note.at <= end
        ]
        found += [line for silence in teller.silences.values() for line in self._hushed(silence, teller, seen, end)]
        # A stable sort: what happened in one moment stays in the order in which it was kept.
        return IncidentTimeline(
            self.id, self.rule, self.key, self.incident, tuple(sorted(found, key=lambda line: line.at))
        )

    def _hushed(
        self, silence: Silence, teller: _TimelineBuilder, begin: datetime, end: datetime
    ) -> Iterable[TimelineEntry]:
        ended = teller.ended.get(silence.id)
        until = min(silence.end, ended.at) if ended else silence.end
        level = self.incident.peak_severity if self.incident else Severity.CRITICAL
        if silence.start <= end and begin < until and silence.matchers.match_labels(self.rule, self.key, level):
            yield TimelineEntry(max(silence.created_at, silence.start), "silenced", silence.by, silence.reason)
            if ended:
                yield TimelineEntry(ended.at, "silence-ended", ended.by, "")


class _TimelineBuilder:
    def __init__(self, model: str) -> None:
        self.model = model
        self.incidents: dict[str, _IncidentTimelineBuilder] = {}
        self.notes: list[Note] = []
        self.silences: dict[str, Silence] = {}
        self.ended: dict[str, SilenceExpired] = {}

    def add_event(self, event: Event) -> None:
        """Take in what belongs to the model."""
        match event:
            case IncidentChanged(at, course, incident, message) if incident.key.model == self.model:
                draft = self._draft(incident.id, incident.rule, incident.key)
                draft.incident = incident
                draft.entries.append(TimelineEntry(at, course.value, "", message))
            case Acknowledged(at, ack) if ack.key.model == self.model:
                draft = self._draft(ack.incident, ack.rule, ack.key)
                draft.entries.append(TimelineEntry(at, "acknowledged", ack.by, ack.reason))
            case Unacknowledged(at, name, by) if name in self.incidents:
                self.incidents[name].entries.append(TimelineEntry(at, "given-back", by, ""))
            case NoteAdded(_, note) if fnmatchcase(self.model, note.model):
                self.notes.append(note)
            case SilenceCreated(_, silence):
                self.silences[silence.id] = silence
            case SilenceExpired():
                self.ended.setdefault(event.silence, event)
            case SendStarted() | SendFinished():
                self._sent(event)

    def _sent(self, event: SendStarted | SendFinished) -> None:
        for delivery in event.notifications:
            if delivery.entry_key.key.model != self.model:
                continue
            one = delivery.receiver, delivery.idempotency_key
            draft = self._draft(delivery.incident, delivery.entry_key.rule, delivery.entry_key.key)
            if isinstance(event, SendStarted):
                draft.pending_sends.setdefault(one, _line(event.at, "telling", delivery))
                continue
            draft.pending_sends.pop(one, None)
            what = "told" if event.abandoned_reason is None else "given-up"
            draft.entries.append(_line(event.at, what, delivery, event.abandoned_reason))

    def _draft(self, name: str, rule: str, key: SeriesKey) -> _IncidentTimelineBuilder:
        return self.incidents.setdefault(name, _IncidentTimelineBuilder(name, rule, key))


def _line(at: datetime, what: str, delivery: Notification, why: str | None = None) -> TimelineEntry:
    said = f"{delivery.action.value}, {delivery.reason.value}, {delivery.level.name.lower()}"
    return TimelineEntry(at, what, delivery.receiver, f"{said}: {why}" if why else said)
