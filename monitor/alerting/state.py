"""What each event changes. Pure and total: any events in any order give facts, and the same event twice no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import singledispatchmethod
from types import MappingProxyType

from modeltop.core.event import (
    Acknowledged,
    Believed,
    Delivery,
    Event,
    Expired,
    Followed,
    Kind,
    Noted,
    ReceiverChanged,
    Sent,
    Silenced,
    Unacknowledged,
)
from modeltop.core.incident import Ack, Belief, BeliefKey, Facts, Incident, Note, ReceiverState, Silence
from modeltop.core.series import Severity

SILENCES_KEPT = timedelta(days=5)
"""After their end."""
INCIDENTS_KEPT = timedelta(days=30)
"""After they were closed; acknowledgements and beliefs that say nothing any more likewise."""
SENT_KEPT = timedelta(hours=1)


def fold(facts: Facts, event: Event) -> Facts:
    """The facts after one event."""
    return fold_all(facts, (event,))


def fold_all(facts: Facts, events: Iterable[Event]) -> Facts:
    """The facts after many events: the same as after one by one, but no copy is made for each."""
    draft = _Draft.of(facts)
    for event in events:
        draft.newest = event.at if draft.newest is None else max(draft.newest, event.at)
        draft.apply(event)
    return draft.done(facts)


@dataclass
class _Draft:
    """Facts that are being written; only `fold_all` holds one."""

    newest: datetime | None
    acks: dict[str, Ack]
    silences: dict[str, Silence]
    notes: dict[Note, None]
    incidents: dict[str, Incident] = field(default_factory=dict)
    beliefs: dict[BeliefKey, Belief] = field(default_factory=dict)
    receivers: dict[str, ReceiverState] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Facts) -> _Draft:
        return cls(
            facts.newest,
            {ack.incident: ack for ack in facts.acks},
            {silence.id: silence for silence in facts.silences},
            dict.fromkeys(facts.notes),
            dict(facts.incidents),
            dict(facts.beliefs),
            dict(facts.receivers),
        )

    def done(self, before: Facts) -> Facts:
        """The facts, without what nobody asks for any more."""
        newest = self.newest
        if newest is None:
            return before
        old = before_by(newest, INCIDENTS_KEPT)
        ended = before_by(newest, SILENCES_KEPT)
        return replace(
            before,
            newest=newest,
            acks=tuple(ack for ack in self.acks.values() if ack.until >= old),
            silences=tuple(silence for silence in self.silences.values() if silence.end >= ended),
            notes=tuple(self.notes),
            incidents=MappingProxyType(
                {name: one for name, one in self.incidents.items() if one.closed is None or one.closed >= old}
            ),
            beliefs=MappingProxyType({key: one for key, one in self.beliefs.items() if one.level or one.at >= old}),
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
    def _(self, event: Silenced) -> None:
        self.silences.pop(event.silence.id, None)
        self.silences[event.silence.id] = event.silence

    @apply.register
    def _(self, event: Expired) -> None:
        if found := self.silences.get(event.silence):
            self.silences[found.id] = replace(found, end=min(found.end, event.at))

    @apply.register
    def _(self, event: Noted) -> None:
        self.notes[event.note] = None

    @apply.register
    def _(self, event: Followed) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        ack = self.acks.get(incident.id)
        # An acknowledgement ends for good where it got worse, or is over: neither better nor again makes it hold.
        if ack is not None and ack.at <= event.at and (incident.closed is not None or incident.level > ack.level):
            del self.acks[incident.id]

    @apply.register
    def _(self, event: Believed) -> None:
        self.beliefs[event.key] = event.belief

    @apply.register
    def _(self, event: ReceiverChanged) -> None:
        self.receivers[event.receiver] = event.state

    @apply.register
    def _(self, event: Sent) -> None:
        for delivery in event.deliveries:
            before = self.beliefs.get(delivery.belief)
            if (belief := believed(delivery, event.at, before, given_up=event.given_up is not None)) is not None:
                self.beliefs[delivery.belief] = belief
        if event.given_up is None:
            for name in {delivery.receiver for delivery in event.deliveries} & self.receivers.keys():
                state = self.receivers[name]
                self.receivers[name] = replace(state, sent=_hour({*state.sent, event.at}, event.at))


def believed(delivery: Delivery, at: datetime, before: Belief | None, *, given_up: bool = False) -> Belief | None:
    """What a receiver believes once it took the delivery; None where that changes nothing.

    A trigger that was given up is not believed, or an end would be told of what was never begun; an end that was given
    up is not told again.
    """
    heard = before is not None and before.incident == delivery.incident
    if delivery.kind is Kind.RESOLVE:
        return Belief(delivery.incident, Severity.OK, at) if heard or not given_up else None
    if given_up:
        return None
    if delivery.kind is Kind.TRIGGER:
        return Belief(delivery.incident, delivery.level, at)
    return replace(before, taken=True) if before is not None and heard else None


def _hour(moments: Iterable[datetime], at: datetime) -> tuple[datetime, ...]:
    begin = before_by(at, SENT_KEPT)
    return tuple(sorted(moment for moment in moments if moment > begin))


def before_by(moment: datetime, span: timedelta) -> datetime:
    """The moment so long before; the first of all time where there is none."""
    first = datetime.min.replace(tzinfo=moment.tzinfo)
    return moment - span if moment - first > span else first
