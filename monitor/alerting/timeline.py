"""Incidents told whole from the journal: fired, told, taken, worse, over, and what people wrote meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from modeltop.core.event import (
    Acknowledged,
    Delivery,
    Event,
    Expired,
    Followed,
    Noted,
    Sending,
    Sent,
    Silenced,
    Unacknowledged,
)
from modeltop.core.incident import Incident, Note, Silence
from modeltop.core.series import SeriesKey, Severity

_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened to an incident."""

    at: datetime
    what: str
    """A course such as `fired`; or `told`, `telling`, `given-up`, `acknowledged`, `given-back`, `silenced`,
    `silence-ended`, `noted`."""
    who: str
    """The person or the receiver; empty where it was the data. Foreign text."""
    text: str
    """Evidence, reason or note: foreign text."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One incident from its first line to its last."""

    id: str
    rule: str
    key: SeriesKey
    incident: Incident | None
    """As it was last seen; None where a person took what no watcher had seen."""
    lines: tuple[Line, ...]
    """In the order of time."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that the journal still says about one model."""

    chapters: tuple[Chapter, ...]
    """Oldest first."""
    notes: tuple[Note, ...]
    """Every note about it, within an incident or not, in the order of the moments that they are about."""


def tell(events: Iterable[Event], model: str) -> Story:
    """What happened to the incidents of a model.

    Args:
        events: Oldest first.
        model: Its name, exactly.
    """
    teller = _Teller(model)
    for event in events:
        teller.hear(event)
    notes = sorted(dict.fromkeys(teller.notes), key=lambda note: note.at)
    return Story(tuple(draft.done(teller) for draft in teller.drafts.values()), tuple(notes))


@dataclass
class _Draft:
    id: str
    rule: str
    key: SeriesKey
    incident: Incident | None = None
    lines: list[Line] = field(default_factory=list)
    trying: dict[tuple[str, str], Line] = field(default_factory=dict)
    """By receiver and key of the delivery, what was sent and of which nobody knows whether it arrived."""

    def done(self, teller: _Teller) -> Chapter:
        found = [*self.lines, *self.trying.values()]
        seen = min(line.at for line in found)
        begin = min(seen, self.incident.since) if self.incident else seen
        end = (self.incident.closed or _END) if self.incident else max(line.at for line in found)
        found += [Line(note.at, "noted", note.by, note.text) for note in teller.notes if begin <= note.at <= end]
        found += [line for silence in teller.silences.values() for line in self._hushed(silence, teller, seen, end)]
        # A stable sort: what happened in one moment stays in the order in which it was kept.
        return Chapter(self.id, self.rule, self.key, self.incident, tuple(sorted(found, key=lambda line: line.at)))

    def _hushed(self, silence: Silence, teller: _Teller, begin: datetime, end: datetime) -> Iterable[Line]:
        ended = teller.ended.get(silence.id)
        until = min(silence.end, ended.at) if ended else silence.end
        level = self.incident.worst if self.incident else Severity.CRITICAL
        if silence.start <= end and begin < until and silence.matchers.match_labels(self.rule, self.key, level):
            yield Line(max(silence.at, silence.start), "silenced", silence.by, silence.why)
            if ended:
                yield Line(ended.at, "silence-ended", ended.by, "")


class _Teller:
    def __init__(self, model: str) -> None:
        self.model = model
        self.drafts: dict[str, _Draft] = {}
        self.notes: list[Note] = []
        self.silences: dict[str, Silence] = {}
        self.ended: dict[str, Expired] = {}

    def hear(self, event: Event) -> None:
        """Take in what belongs to the model."""
        match event:
            case Followed(at, course, incident, message) if incident.key.model == self.model:
                draft = self._draft(incident.id, incident.rule, incident.key)
                draft.incident = incident
                draft.lines.append(Line(at, course.value, "", message))
            case Acknowledged(at, ack) if ack.key.model == self.model:
                draft = self._draft(ack.incident, ack.rule, ack.key)
                draft.lines.append(Line(at, "acknowledged", ack.by, ack.why))
            case Unacknowledged(at, name, by) if name in self.drafts:
                self.drafts[name].lines.append(Line(at, "given-back", by, ""))
            case Noted(_, note) if fnmatchcase(self.model, note.model):
                self.notes.append(note)
            case Silenced(_, silence):
                self.silences[silence.id] = silence
            case Expired():
                self.ended.setdefault(event.silence, event)
            case Sending() | Sent():
                self._sent(event)

    def _sent(self, event: Sending | Sent) -> None:
        for delivery in event.deliveries:
            if delivery.belief.key.model != self.model:
                continue
            one = delivery.receiver, delivery.key
            draft = self._draft(delivery.incident, delivery.belief.rule, delivery.belief.key)
            if isinstance(event, Sending):
                draft.trying.setdefault(one, _line(event.at, "telling", delivery))
                continue
            draft.trying.pop(one, None)
            what = "told" if event.given_up is None else "given-up"
            draft.lines.append(_line(event.at, what, delivery, event.given_up))

    def _draft(self, name: str, rule: str, key: SeriesKey) -> _Draft:
        return self.drafts.setdefault(name, _Draft(name, rule, key))


def _line(at: datetime, what: str, delivery: Delivery, why: str | None = None) -> Line:
    said = f"{delivery.kind.value}, {delivery.reason.value}, {delivery.level.name.lower()}"
    return Line(at, what, delivery.receiver, f"{said}: {why}" if why else said)
