"""What each receiver is to be told now: what is true, reconciled with what it was last told. Pure.

A reconciler has no queue that could be lost: what could not be told is found again at the next look, from the
incidents and the beliefs alone. Choices where the specification leaves one:

- Whoever was told is told that it is over: at any hour, silenced or not, addressed still or not (a route was edited,
  its hours are over). A receiver that is not configured any more cannot be told.
- A receiver that wants no resolved messages believes silently that it is over.
- What got better is believed by all who were told, those whom a route no longer names among them.
- A trigger that failed for good is not believed: once the receiver works again it is told of what stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from modeltop.alerting.incidents import Pair
from modeltop.alerting.missed import owed
from modeltop.alerting.routing import Orders, Pace, addressed
from modeltop.alerting.suppression import Hush, taken_incidents
from modeltop.alerting.throttle import Bundle, Letter, paced
from modeltop.core.event import Believed, Delivery, Kind, Reason
from modeltop.core.incident import Belief, BeliefKey, Facts, Incident, Standing
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    bundles: tuple[Bundle, ...] = ()
    """Messages, per receiver in the order of sending: after a failure the rest of the receiver's waits for the next
    plan."""
    believed: tuple[Believed, ...] = ()
    """To be journaled before anything is sent: what needs no message."""
    held: Mapping[str, int] = field(default_factory=dict)
    """By receiver, events held back by its hourly cap."""
    wake: datetime | None = None
    """When the first receiver that is left alone after a failure, and has something to be told, may be tried again."""

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All that is told, in order."""
        return tuple(delivery for bundle in self.bundles for delivery in bundle.deliveries)


def plan(facts: Facts, orders: Orders, now: datetime) -> Plan:
    """Decide what each receiver is to be told.

    Args:
        facts: Incidents followed up to this look, beliefs, people's facts. A receiver that they do not know has its
            first cycle.
        orders: The configuration.
        now: The watcher's clock, never behind `facts.newest`.
    """
    bundles: list[Bundle] = []
    believed: list[Believed] = []
    held: dict[str, int] = {}
    waits: list[datetime] = []
    slots = _slots(facts, orders, now)
    for receiver, pace in orders.paces.items():
        state = facts.receivers.get(receiver)
        if state is not None and state.broken is not None:
            continue
        told = [slot.reconcile() for slot in slots.get(receiver, ())]
        believed += [silently for _, several in told for silently in several]
        letters = [letters for letters, _ in told if letters]
        if state is not None and state.retry_at is not None and now < state.retry_at:
            waits += [state.retry_at] if letters else []
            continue
        ready, rest = paced(receiver, letters, pace, state.sent if state else (), now)
        bundles += ready
        held |= {receiver: rest} if rest else {}
    return Plan(tuple(bundles), tuple(believed), held, min(waits, default=None))


def _slots(facts: Facts, orders: Orders, now: datetime) -> dict[str, list[_Slot]]:
    """By receiver, what there may be to tell it: the worst first, then what has been open longest."""
    hush, acks = Hush.of_incidents(facts, orders.mutes, now), taken_incidents(facts, now)
    broken = {name for name, state in facts.receivers.items() if state.broken is not None}
    late = owed(facts, orders, now)
    wanted = {key: False for key, belief in facts.beliefs.items() if belief.level}
    wanted |= dict.fromkeys(late, False)
    current: dict[Pair, Incident] = {}
    silent: set[str] = set()
    for incident in facts.incidents.values():
        if incident.standing is not Standing.OPEN:
            continue
        current[incident.rule, incident.key] = incident
        if hush.why(incident.rule, incident.key, incident.condition, incident.level) is not None:
            silent.add(incident.id)
        for name in addressed(incident, orders, now, broken=broken, acked=incident.id in acks):
            wanted[BeliefKey(name, incident.rule, incident.key)] = True
    slots: dict[str, list[_Slot]] = defaultdict(list)
    for key, meant in wanted.items():
        if (pace := orders.paces.get(key.receiver)) is not None:
            one = current.get((key.rule, key.key))
            name = one.id if one is not None else ""
            slots[key.receiver].append(
                _Slot(
                    key=key,
                    pace=pace,
                    now=now,
                    belief=facts.beliefs.get(key),
                    current=one,
                    meant=meant,
                    silent=name in silent,
                    acked=name in acks,
                    late=tuple(late.get(key, ())),
                    incidents=facts.incidents,
                )
            )
    for several in slots.values():
        several.sort(key=lambda slot: slot.precedence)
    return slots


@dataclass(frozen=True, slots=True, eq=False)
class _Slot:
    """What one receiver believes of one rule and series, beside what is true."""

    key: BeliefKey
    pace: Pace
    now: datetime
    belief: Belief | None
    current: Incident | None
    """The open one."""
    meant: bool
    """Whether this receiver is to be told of it."""
    silent: bool
    """Nobody is to be told of it now."""
    acked: bool
    late: tuple[Incident, ...]
    """Those that ended untold, oldest first."""
    incidents: Mapping[str, Incident]

    @property
    def precedence(self) -> tuple[int, datetime]:
        """Worst first, then oldest."""
        if self.current is None:
            return (0, self.now)
        return (-self.current.level, self.current.opened)

    def reconcile(self) -> tuple[list[Letter], list[Believed]]:
        """What is to be told, in order, and what is believed without."""
        letters, silently = self._over()
        letters += [self._late(incident) for incident in self.late]
        if self.current is not None and not self.silent:
            known = self.belief if self.belief is not None and self.belief.incident == self.current.id else None
            if known is None or not known.level:
                letters += [self._trigger(self.current, Reason.FIRST)] if self.meant else []
            else:
                letters += self._still(self.current, known)
                if self.current.level < known.level:
                    silently.append(Believed(self.now, self.key, replace(known, level=self.current.level)))
        return letters, silently

    def _over(self) -> tuple[list[Letter], list[Believed]]:
        """What it believes to be firing is not, or is not what fires now."""
        belief = self.belief
        if belief is None or not belief.level or (self.current is not None and self.current.id == belief.incident):
            return [], []
        if not self.pace.resolved:
            return [], [Believed(self.now, self.key, Belief(belief.incident, Severity.OK, self.now))]
        incident = self.incidents.get(belief.incident)
        withdrawn = incident is not None and incident.standing is Standing.WITHDRAWN
        reason = Reason.WITHDRAWN if withdrawn else Reason.OVER
        return [Letter((self._say(Kind.RESOLVE, reason, belief.incident, belief.level),))], []

    def _still(self, incident: Incident, known: Belief) -> list[Letter]:
        """It fires, and the receiver knows."""
        if self.meant and incident.level > known.level:
            return [self._trigger(incident, Reason.WORSE)]
        if self.acked:
            news = self.pace.acknowledges and not known.taken
            return [Letter((self._say(Kind.ACKNOWLEDGE, Reason.TAKEN, incident.id, incident.level),))] if news else []
        waited = self.pace.repeat is not None and self.now - known.at >= self.pace.repeat
        again = self.meant and waited and incident.level == known.level
        return [self._trigger(incident, Reason.REPEAT)] if again else []

    def _trigger(self, incident: Incident, reason: Reason) -> Letter:
        return Letter((self._say(Kind.TRIGGER, reason, incident.id, incident.level),))

    def _late(self, incident: Incident) -> Letter:
        """Begin and end in one message; the begin alone for who wants no resolved messages."""
        kinds = (Kind.TRIGGER, Kind.RESOLVE) if self.pace.resolved else (Kind.TRIGGER,)
        return Letter(tuple(self._say(kind, Reason.LATE, incident.id, incident.worst) for kind in kinds))

    def _say(self, kind: Kind, reason: Reason, incident: str, level: Severity) -> Delivery:
        return Delivery(
            receiver=self.key.receiver,
            kind=kind,
            reason=reason,
            incident=incident,
            level=level,
            belief=self.key,
            key=self._name(kind, reason, incident, level),
        )

    def _name(self, kind: Kind, reason: Reason, incident: str, level: Severity) -> str:
        """The idempotency key: of what does not change until the delivery is known to have arrived.

        That is when the incident was opened (a second opening is told anew) and, for what is told again and again of
        one opening, when the receiver was last told. An end is one end, for whatever reason it is told.
        """
        known = self.incidents.get(incident)
        parts = [self.key.receiver, incident, kind.value, known.opened.isoformat() if known is not None else ""]
        if kind is not Kind.RESOLVE:
            parts += [reason.value, level.name]
        if reason in (Reason.WORSE, Reason.REPEAT, Reason.TAKEN) and self.belief is not None:
            parts.append(self.belief.at.isoformat())
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
