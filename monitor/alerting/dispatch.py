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

from modeltop.alerting.incidents import RuleAndSeries
from modeltop.alerting.missed import missed_notifications
from modeltop.alerting.routing import NotificationPolicy, RoutingConfig, receivers_for
from modeltop.alerting.suppression import Suppressor, acknowledged_incidents
from modeltop.alerting.throttle import NotificationBatch, PendingNotification, throttle
from modeltop.core.event import Notification, NotificationAction, NotificationReason, NotificationSkipped
from modeltop.core.incident import AlertingState, Incident, IncidentStatus, NotificationEntry, NotificationKey
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class NotificationPlan:
    """What to do now."""

    batches: tuple[NotificationBatch, ...] = ()
    """Messages, per receiver in the order of sending: after a failure the rest of the receiver's waits for the next
    plan."""
    skipped: tuple[NotificationSkipped, ...] = ()
    """To be journaled before anything is sent: what needs no message."""
    throttled: Mapping[str, int] = field(default_factory=dict)
    """By receiver, events held back by its hourly cap."""
    retry_at: datetime | None = None
    """When the first receiver that is left alone after a failure, and has something to be told, may be tried again."""

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """All that is told, in order."""
        return tuple(delivery for bundle in self.batches for delivery in bundle.notifications)


def plan_notifications(facts: AlertingState, orders: RoutingConfig, now: datetime) -> NotificationPlan:
    """Decide what each receiver is to be told.

    Args:
        facts: Incidents followed up to this look, beliefs, people's facts. A receiver that they do not know has its
            first cycle.
        orders: The configuration.
        now: The watcher's clock, never behind `facts.newest`.
    """
    bundles: list[NotificationBatch] = []
    believed: list[NotificationSkipped] = []
    held: dict[str, int] = {}
    waits: list[datetime] = []
    slots = _slots(facts, orders, now)
    for receiver, pace in orders.policies.items():
        state = facts.receivers.get(receiver)
        if state is not None and state.disabled_reason is not None:
            continue
        told = [slot.run() for slot in slots.get(receiver, ())]
        believed += [silently for _, several in told for silently in several]
        letters = [letters for letters, _ in told if letters]
        if state is not None and state.retry_at is not None and now < state.retry_at:
            waits += [state.retry_at] if letters else []
            continue
        ready, rest = throttle(receiver, letters, pace, state.recent_sends if state else (), now)
        bundles += ready
        held |= {receiver: rest} if rest else {}
    return NotificationPlan(tuple(bundles), tuple(believed), held, min(waits, default=None))


def _slots(facts: AlertingState, orders: RoutingConfig, now: datetime) -> dict[str, list[_Reconciliation]]:
    """By receiver, what there may be to tell it: the worst first, then what has been open longest."""
    hush, acks = Suppressor.from_incidents(facts, orders.mutes, now), acknowledged_incidents(facts, now)
    broken = {name for name, state in facts.receivers.items() if state.disabled_reason is not None}
    late = missed_notifications(facts, orders, now)
    wanted = {key: False for key, belief in facts.notifications.items() if belief.level}
    wanted |= dict.fromkeys(late, False)
    current: dict[RuleAndSeries, Incident] = {}
    silent: set[str] = set()
    for incident in facts.incidents.values():
        if incident.status is not IncidentStatus.OPEN:
            continue
        current[incident.rule, incident.key] = incident
        if hush.reason(incident.rule, incident.key, incident.condition, incident.level) is not None:
            silent.add(incident.id)
        for name in receivers_for(incident, orders, now, disabled=broken, acked=incident.id in acks):
            wanted[NotificationKey(name, incident.rule, incident.key)] = True
    slots: dict[str, list[_Reconciliation]] = defaultdict(list)
    for key, meant in wanted.items():
        if (pace := orders.policies.get(key.receiver)) is not None:
            one = current.get((key.rule, key.key))
            name = one.id if one is not None else ""
            slots[key.receiver].append(
                _Reconciliation(
                    key=key,
                    policy=pace,
                    now=now,
                    last_notified=facts.notifications.get(key),
                    current=one,
                    is_wanted=meant,
                    is_suppressed=name in silent,
                    acked=name in acks,
                    missed=tuple(late.get(key, ())),
                    incidents=facts.incidents,
                )
            )
    for several in slots.values():
        several.sort(key=lambda slot: slot.precedence)
    return slots


@dataclass(frozen=True, slots=True, eq=False)
class _Reconciliation:
    """What one receiver believes of one rule and series, beside what is true."""

    key: NotificationKey
    policy: NotificationPolicy
    now: datetime
    last_notified: NotificationEntry | None
    current: Incident | None
    """The open one."""
    is_wanted: bool
    """Whether this receiver is to be told of it."""
    is_suppressed: bool
    """Nobody is to be told of it now."""
    acked: bool
    missed: tuple[Incident, ...]
    """Those that ended untold, oldest first."""
    incidents: Mapping[str, Incident]

    @property
    def precedence(self) -> tuple[int, datetime]:
        """Worst first, then oldest."""
        if self.current is None:
            return (0, self.now)
        return (-self.current.level, self.current.opened_at)

    def run(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        """What is to be told, in order, and what is believed without."""
        letters, silently = self._over()
        letters += [self._late(incident) for incident in self.missed]
        if self.current is not None and not self.is_suppressed:
            known = (
                self.last_notified
                if self.last_notified is not None and self.last_notified.incident == self.current.id
                else None
            )
            if known is None or not known.level:
                letters += [self._trigger(self.current, NotificationReason.FIRST)] if self.is_wanted else []
            else:
                letters += self._still(self.current, known)
                if self.current.level < known.level:
                    silently.append(NotificationSkipped(self.now, self.key, replace(known, level=self.current.level)))
        return letters, silently

    def _over(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        """What it believes to be firing is not, or is not what fires now."""
        belief = self.last_notified
        if belief is None or not belief.level or (self.current is not None and self.current.id == belief.incident):
            return [], []
        if not self.policy.resolved:
            return [], [
                NotificationSkipped(self.now, self.key, NotificationEntry(belief.incident, Severity.OK, self.now))
            ]
        incident = self.incidents.get(belief.incident)
        withdrawn = incident is not None and incident.status is IncidentStatus.WITHDRAWN
        reason = NotificationReason.WITHDRAWN if withdrawn else NotificationReason.RESOLVED
        return [
            PendingNotification((self._say(NotificationAction.RESOLVE, reason, belief.incident, belief.level),))
        ], []

    def _still(self, incident: Incident, known: NotificationEntry) -> list[PendingNotification]:
        """It fires, and the receiver knows."""
        if self.is_wanted and incident.level > known.level:
            return [self._trigger(incident, NotificationReason.ESCALATED)]
        if self.acked:
            news = self.policy.acknowledges and not known.acknowledged
            return (
                [
                    PendingNotification(
                        (
                            self._say(
                                NotificationAction.ACKNOWLEDGE,
                                NotificationReason.ACKNOWLEDGED,
                                incident.id,
                                incident.level,
                            ),
                        )
                    )
                ]
                if news
                else []
            )
        waited = self.policy.repeat is not None and self.now - known.at >= self.policy.repeat
        again = self.is_wanted and waited and incident.level == known.level
        return [self._trigger(incident, NotificationReason.REPEAT)] if again else []

    def _trigger(self, incident: Incident, reason: NotificationReason) -> PendingNotification:
        return PendingNotification((self._say(NotificationAction.TRIGGER, reason, incident.id, incident.level),))

    def _late(self, incident: Incident) -> PendingNotification:
        """Begin and end in one message; the begin alone for who wants no resolved messages."""
        kinds = (
            (NotificationAction.TRIGGER, NotificationAction.RESOLVE)
            if self.policy.resolved
            else (NotificationAction.TRIGGER,)
        )
        return PendingNotification(
            tuple(self._say(kind, NotificationReason.MISSED, incident.id, incident.peak_severity) for kind in kinds)
        )

    def _say(
        self, kind: NotificationAction, reason: NotificationReason, incident: str, level: Severity
    ) -> Notification:
        return Notification(
            receiver=self.key.receiver,
            action=kind,
            reason=reason,
            incident=incident,
            level=level,
            entry_key=self.key,
            idempotency_key=self._name(kind, reason, incident, level),
        )

    def _name(self, kind: NotificationAction, reason: NotificationReason, incident: str, level: Severity) -> str:
        """The idempotency key: of what does not change until the delivery is known to have arrived.

        That is when the incident was opened (a second opening is told anew) and, for what is told again and again of
        one opening, when the receiver was last told. An end is one end, for whatever reason it is told.
        """
        known = self.incidents.get(incident)
        parts = [self.key.receiver, incident, kind.value, known.opened_at.isoformat() if known is not None else ""]
        if kind is not NotificationAction.RESOLVE:
            parts += [reason.value, level.name]
        if (
            reason in (NotificationReason.ESCALATED, NotificationReason.REPEAT, NotificationReason.ACKNOWLEDGED)
            and self.last_notified is not None
        ):
            parts.append(self.last_notified.at.isoformat())
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
