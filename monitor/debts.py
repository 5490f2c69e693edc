"""What ended before a receiver could be told of it: owed once, for a day. Pure.

Nobody keeps a list of debts that a crash could lose: they follow from incidents, beliefs and silences. An incident is
owed where a receiver would have been told of it when it was opened, when it closed, or when a silence ended in
between. Escalation is not owed, for nothing is left to be done; and who takes over from a broken receiver owes only
what that one was not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.facts import BeliefKey, Facts, Incident, Standing
from monitor.incidents import OWED
from monitor.records import Condition
from monitor.routing import Orders
from monitor.suppress import Hush


def owed(facts: Facts, orders: Orders, now: datetime) -> dict[BeliefKey, list[Incident]]:
    """By receiver, rule and series: what is over and still to be told, oldest first; nothing that is silenced now."""
    found: dict[BeliefKey, list[Incident]] = {}
    broken = {name for name, state in facts.receivers.items() if state.broken is not None}
    # Each moment of each incident asks what covered its model then: only few incidents can.
    covering = {name: one for name, one in facts.incidents.items() if one.condition is not Condition.THRESHOLD}
    lean = replace(facts, incidents=covering)
    for incident in sorted(facts.incidents.values(), key=lambda one: one.since):
        if incident.standing is not Standing.RESOLVED or incident.closed is None or now - incident.closed >= OWED:
            continue
        if all(_knows(name, incident, facts, now) for name in orders.paces):
            continue
        for name in _meant(incident, lean, orders, now):
            receiver = orders.stand_in(name, broken)
            if receiver is None or any(_knows(one, incident, facts, now) for one in (name, receiver)):
                continue
            of_receiver = found.setdefault(BeliefKey(receiver, incident.rule, incident.key), [])
            if incident not in of_receiver:
                of_receiver.append(incident)
    return found


def _meant(incident: Incident, facts: Facts, orders: Orders, now: datetime) -> Iterator[str]:
    """The receivers that are to be told now, and were to be told while it lasted; of `facts`, silences and covers."""
    today = _told_at(incident, facts, orders, now)
    if today:
        then = {name for moment in _moments(incident, facts) for name in _told_at(incident, facts, orders, moment)}
        yield from (name for name in today if name in then)


def _told_at(incident: Incident, facts: Facts, orders: Orders, moment: datetime) -> Sequence[str]:
    hush = Hush.of_incidents(facts, orders.mutes, moment)
    if hush.why(incident.rule, incident.key, incident.condition, incident.worst) is not None:
        return ()
    return orders.named(incident, incident.worst, moment, acked=True)


def _moments(incident: Incident, facts: Facts) -> set[datetime]:
    """When it could have come to be told."""
    assert incident.closed is not None, "it is over"
    begin = min(incident.opened, incident.closed)
    ends = {silence.end for silence in facts.silences if begin < silence.end <= incident.closed}
    return {begin, incident.closed} | ends


def _knows(receiver: str, incident: Incident, facts: Facts, now: datetime) -> bool:
    """Whether a receiver was told of it, or of something later of the same rule and series, or is newer than it."""
    state = facts.receivers.get(receiver)
    known_since = state.known_since if state is not None else now
    if incident.closed is None or max(incident.opened, incident.closed) <= known_since:
        return True
    belief = facts.beliefs.get(BeliefKey(receiver, incident.rule, incident.key))
    if belief is None:
        return False
    if belief.incident == incident.id:
        # One that was opened again has been told of only if that was after it.
        return bool(belief.level) or belief.at >= incident.opened
    last = facts.incidents.get(belief.incident)
    return last is not None and last.since > incident.since
