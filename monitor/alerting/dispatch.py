"""Computes which notifications are due by comparing open incidents with what each receiver was last sent. Pure.

A reconciler has no queue that could be lost: a message that could not be sent is due again in the next cycle. Each
trigger is followed by its resolve: at any hour, silenced or not, even if no route leads to the receiver any more. A
disabled receiver is probed when its time has come, by one message with all that is to be sent to it, or that it is used
again; meanwhile its fallback has its messages, also those of the probe, which may fail. A rejected notification is not
sent again, nor is its resolve, before the repeat interval has passed or the receiver was enabled again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from modeltop.alerting.incidents import RuleAndSeries
from modeltop.alerting.missed import missed_notifications
from modeltop.alerting.routing import NotificationPolicy, RoutingConfig
from modeltop.alerting.suppression import Suppressor, acknowledged_incidents
from modeltop.alerting.throttle import NotificationBatch, PendingNotification, throttle
from modeltop.core.event import Notification, NotificationAction, NotificationReason, NotificationSkipped
from modeltop.core.incident import (
    AlertingState,
    IncidentStatus,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    TrackedAlert,
)
from modeltop.core.series import Severity

_REPEATABLE = (NotificationReason.ESCALATED, NotificationReason.REPEAT, NotificationReason.ACKNOWLEDGED)
"""Reasons for which one opening of an incident may be sent more than once."""


@dataclass(frozen=True, slots=True)
class NotificationPlan:
    """The notifications that are due now, and when to plan again."""

    batches: tuple[NotificationBatch, ...] = ()
    """Messages, per receiver in the order of sending: after a failure the receiver's others wait for the next plan."""
    skipped: tuple[NotificationSkipped, ...] = ()
    """Changes that need no message, to be journaled before anything is sent."""
    retry_at: datetime | None = None
    """When the first receiver that waits after a failure, and has something to be sent, may be tried again."""
    recovery_messages: tuple[str, ...] = ()
    """Disabled receivers with nothing to be sent, each of which is probed by the message that it is used again."""
    pending: Mapping[str, int] = field(default_factory=dict)
    """Number of alerts that a receiver is still to be notified of, by its name."""


def plan_notifications(state: AlertingState, config: RoutingConfig, now: datetime) -> NotificationPlan:
    """Return the notifications due to each receiver by a state that is tracked up to this cycle.

    `now` is the watcher's clock, aware, never before `state.last_event_at`.
    """
    batches: list[NotificationBatch] = []
    skipped: list[NotificationSkipped] = []
    retry_times: list[datetime] = []
    recovery_messages: list[str] = []
    pending: dict[str, int] = {}
    reconciliations = _reconciliations(state, config, now)
    for name, policy in config.policies.items():
        receiver = state.receivers.get(name) or ReceiverState(now)
        results = [reconciliation.run() for reconciliation in reconciliations.get(name, ())]
        skipped += [entry for _, entries in results for entry in entries]
        queues = [entries for entries, _ in results if entries]
        if queues:
            pending[name] = len(queues)
        # A pager would open an incident for it.
        is_probed = receiver.disabled_reason is not None and not policy.exempt
        if receiver.retry_at is not None and not receiver.is_due(now):
            retry_times += [receiver.retry_at] if queues or is_probed else []
        elif queues:
            batches += throttle(name, queues, policy, receiver, now)
        elif is_probed:
            recovery_messages.append(name)
    return NotificationPlan(
        tuple(batches), tuple(skipped), min(retry_times, default=None), tuple(recovery_messages), pending
    )


def _reconciliations(state: AlertingState, config: RoutingConfig, now: datetime) -> dict[str, list[_Reconciliation]]:
    """By receiver, the messages due to it: the worst first, then the longest open ones."""
    suppressor, acks = Suppressor.from_incidents(state, config.mutes, now), acknowledged_incidents(state, now)
    disabled = {name for name, entry in state.receivers.items() if entry.disabled_reason is not None}
    missed = missed_notifications(state, config, now)
    wanted = {key: False for key, entry in state.notifications.items() if entry.level}
    wanted |= dict.fromkeys(missed, False)
    current: dict[RuleAndSeries, TrackedAlert] = {}
    suppressed: set[str] = set()
    for incident in state.incidents.values():
        if incident.status is not IncidentStatus.OPEN:
            continue
        current[incident.rule, incident.key] = incident
        if suppressor.reason(incident.rule, incident.key, incident.condition, incident.level) is not None:
            suppressed.add(incident.id)
        for name in config.receivers_for(incident, incident.level, now, acked=incident.id in acks):
            # A disabled receiver is probed with what its fallback has meanwhile.
            for receiver in {name, config.fallback_for(name, disabled) or name}:
                wanted[NotificationKey(receiver, incident.rule, incident.key)] = True
    by_receiver: dict[str, list[_Reconciliation]] = defaultdict(list)
    for key, is_wanted in wanted.items():
        if (policy := config.policies.get(key.receiver)) is not None:
            open_incident = current.get((key.rule, key.key))
            incident_id = open_incident.id if open_incident is not None else ""
            reconciliation = _Reconciliation(
                key=key,
                policy=policy,
                receiver=state.receivers.get(key.receiver),
                now=now,
                last_notified=state.notifications.get(key),
                current=open_incident,
                is_wanted=is_wanted,
                is_suppressed=incident_id in suppressed,
                acked=incident_id in acks,
                missed=tuple(missed.get(key, ())),
                incidents=state.incidents,
            )
            by_receiver[key.receiver].append(reconciliation)
    for reconciliations in by_receiver.values():
        reconciliations.sort(key=_precedence)
    return by_receiver


def _precedence(reconciliation: _Reconciliation) -> tuple[int, datetime]:
    incident = reconciliation.current
    return (0, reconciliation.now) if incident is None else (-incident.level, incident.opened_at)


@dataclass(frozen=True, slots=True, eq=False)
class _Reconciliation:
    """The notification state of one receiver for one rule and series: last message sent, and current incidents."""

    key: NotificationKey
    policy: NotificationPolicy
    receiver: ReceiverState | None
    now: datetime
    last_notified: NotificationEntry | None
    current: TrackedAlert | None
    """The open incident."""
    is_wanted: bool
    """Whether a route leads the open incident to this receiver."""
    is_suppressed: bool
    """Whether the incident is silenced, inhibited or muted now."""
    acked: bool
    missed: tuple[TrackedAlert, ...]
    """Incidents that ended before the receiver could be notified, oldest first."""
    incidents: Mapping[str, TrackedAlert]

    def run(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        """Return the messages to send, in order, and the entries to record without a message."""
        pending, skipped = self._pending()
        return [entry for entry in pending if not self._was_rejected(entry)], skipped

    def _was_rejected(self, pending: PendingNotification) -> bool:
        entry = self.last_notified
        if entry is None or entry.rejected_at is None:
            return False
        receiver, repeat = self.receiver, self.policy.repeat
        if receiver is not None and receiver.disabled_reason is not None and not receiver.send_apart:
            return False  # it is probed with everything: that may have been rejected for the receiver's own fault
        is_recent = repeat is None or self.now - entry.rejected_at < repeat
        is_recent &= receiver is None or receiver.recovered_at is None or receiver.recovered_at < entry.rejected_at
        return is_recent and all(notification.idempotency_key in entry.rejected_keys for notification in pending)

    def _pending(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        pending, skipped = self._resolve_previous()
        # Trigger and resolve in one message; only the trigger if no resolved messages are wanted.
        actions = [NotificationAction.TRIGGER, *([NotificationAction.RESOLVE] if self.policy.resolved else [])]
        for incident in self.missed:
            reason, level = NotificationReason.MISSED, incident.peak_severity
            pending.append(tuple(self._notification(action, reason, incident.id, level) for action in actions))
        if self.current is None or self.is_suppressed:
            return pending, skipped
        entry = self.last_notified
        if entry is None or entry.incident != self.current.id or not entry.level:
            if self.is_wanted:
                pending.append(self._trigger(self.current, NotificationReason.FIRST))
            return pending, skipped
        pending += self._follow_up(self.current, entry)
        if self.current.level < entry.level:
            skipped.append(NotificationSkipped(self.now, self.key, replace(entry, level=self.current.level)))
        return pending, skipped

    def _resolve_previous(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        """Resolve the incident that the receiver was last sent as firing, unless it is the open one."""
        entry = self.last_notified
        if entry is None or not entry.level or (self.current is not None and self.current.id == entry.incident):
            return [], []
        if not self.policy.resolved:
            resolved = NotificationEntry(entry.incident, Severity.OK, self.now)
            return [], [NotificationSkipped(self.now, self.key, resolved)]
        incident = self.incidents.get(entry.incident)
        withdrawn = incident is not None and incident.status is IncidentStatus.WITHDRAWN
        reason = NotificationReason.WITHDRAWN if withdrawn else NotificationReason.RESOLVED
        return [(self._notification(NotificationAction.RESOLVE, reason, entry.incident, entry.level),)], []

    def _follow_up(self, incident: TrackedAlert, entry: NotificationEntry) -> list[PendingNotification]:
        """Return the messages due for an open incident that this receiver was already notified of."""
        if self.is_wanted and incident.level > entry.level:
            return [self._trigger(incident, NotificationReason.ESCALATED)]
        if self.acked:
            if not self.policy.acknowledges or entry.acknowledged:
                return []
            reason = NotificationReason.ACKNOWLEDGED
            return [(self._notification(NotificationAction.ACKNOWLEDGE, reason, incident.id, incident.level),)]
        is_due = self.policy.repeat is not None and self.now - entry.at >= self.policy.repeat
        repeats = self.is_wanted and is_due and incident.level == entry.level
        return [self._trigger(incident, NotificationReason.REPEAT)] if repeats else []

    def _trigger(self, incident: TrackedAlert, reason: NotificationReason) -> PendingNotification:
        return (self._notification(NotificationAction.TRIGGER, reason, incident.id, incident.level),)

    def _notification(
        self, action: NotificationAction, reason: NotificationReason, incident_id: str, level: Severity
    ) -> Notification:
        return Notification(
            receiver=self.key.receiver,
            action=action,
            reason=reason,
            incident=incident_id,
            level=level,
            entry_key=self.key,
            idempotency_key=self._idempotency_key(action, reason, incident_id, level),
        )

    def _idempotency_key(
        self, action: NotificationAction, reason: NotificationReason, incident_id: str, level: Severity
    ) -> str:
        """Hash the fields that do not change until the notification is known to have arrived.

        These include when the incident was opened (a second opening is sent anew) and, for repeated messages of one
        opening, when the receiver was last notified. There is one resolve, whatever the reason for sending it.
        """
        incident = self.incidents.get(incident_id)
        opened_at = incident.opened_at.isoformat() if incident is not None else ""
        fields = [self.key.receiver, incident_id, action.value, opened_at]
        if action is not NotificationAction.RESOLVE:
            fields += [reason.value, level.name]
        if reason in _REPEATABLE and self.last_notified is not None:
            fields.append(self.last_notified.at.isoformat())
        return sha256("\0".join(fields).encode("utf-8", "surrogatepass")).hexdigest()[:16]
