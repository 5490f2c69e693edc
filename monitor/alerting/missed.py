"""What ended before a receiver could be told of it: owed once, for a day. Pure.

Nobody keeps a list of debts that a crash could lose: they follow from incidents, beliefs and silences. An incident is
owed where a receiver would have been told of it when it was opened, when it closed, or when a silence ended in
between. Escalation is not owed, for nothing is left to be done; and who takes over from a broken receiver owes only
what that one was not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modeltop.alerting.incidents import OWED
from modeltop.alerting.routing import Orders
from modeltop.alerting.suppression import Hush, covers, whole
from modeltop.core.incident import BeliefKey, Facts, Incident, Standing


def owed(facts: Facts, orders: Orders, now: datetime) -> dict[BeliefKey, list[Incident]]:
    """By receiver, rule and series: what is over and still to be told, oldest first; nothing that is silenced now."""
    found: dict[BeliefKey, list[Incident]] = {}
    desk = _Desk(facts, orders, now, {name for name, state in facts.receivers.items() if state.broken}, whole(facts))
    for incident in sorted(facts.incidents.values(), key=lambda one: one.since):
        if incident.standing is Standing.RESOLVED and incident.closed is not None and now - incident.closed < OWED:
            for receiver in desk.who(incident):
                found.setdefault(BeliefKey(receiver, incident.rule, incident.key), []).append(incident)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    facts: Facts
    orders: Orders
    now: datetime
    broken: set[str]
    whole: list[Incident]

    def who(self, incident: Incident) -> dict[str, None]:
        """The receivers that are to be told now, and were to be told while it lasted."""
        untold: dict[str, str] = {}
        # Most are known to everybody: that is asked first, for it costs least.
        for name in self.orders.named(incident, incident.worst, self.now, acked=True):
            receiver = self.orders.stand_in(name, self.broken)
            if receiver is not None and not any(self.knows(one, incident) for one in (name, receiver)):
                untold[name] = receiver
        if not untold or self.hushed(incident, self.now):
            return {}
        due: set[str] = set()
        for moment in _moments(incident, self.facts):
            if not self.hushed(incident, moment):
                due.update(self.orders.named(incident, incident.worst, moment, acked=True))
        return dict.fromkeys(receiver for name, receiver in untold.items() if name in due)

    def hushed(self, incident: Incident, moment: datetime) -> bool:
        """Whether nobody was to be told of it at a moment."""
        hush = Hush.at(self.facts, self.orders.mutes, moment, covers(self.whole, moment))
        return hush.why(incident.rule, incident.key, incident.condition, incident.worst) is not None

    def knows(self, receiver: str, incident: Incident) -> bool:
        """Whether a receiver was told of it, or of something later of the same rule and series, or is newer than it."""
        state = self.facts.receivers.get(receiver)
        known_since = state.known_since if state is not None else self.now
        if incident.closed is None or max(incident.opened, incident.closed) <= known_since:
            return True
        belief = self.facts.beliefs.get(BeliefKey(receiver, incident.rule, incident.key))
        if belief is None:
            return False
        if belief.incident == incident.id:
            # One that was opened again has been told of only if that was after it.
            return bool(belief.level) or belief.at >= incident.opened
        last = self.facts.incidents.get(belief.incident)
        return last is not None and last.since > incident.since


def _moments(incident: Incident, facts: Facts) -> set[datetime]:
    """When it could have come to be told."""
    assert incident.closed is not None, "it is over"
    begin = min(incident.opened, incident.closed)
    ends = {silence.end for silence in facts.silences if begin < silence.end <= incident.closed}
    return {begin, incident.closed} | ends
