"""Computes which notifications are due by comparing open incidents with what each receiver was last sent. Pure.

A reconciler has no queue that could be lost: a message that could not be sent is due again in the next cycle. Each
trigger is followed by its resolve: at any hour, silenced or not, even if no route leads to the receiver any more. A
disabled receiver is probed when its time has come, by one message with all that is to be sent to it, or that it is used
again; meanwhile its fallback has its messages, also those of the probe, which may fail. A rejected notification is not
sent again, nor is its resolve, before the repeat interval has passed or the receiver was enabled again. A resolve that
failed may have arrived all the same: if its incident opens again, that is sent as for the first time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from modeltop.alerting.missed import missed_notifications
from modeltop.alerting.routing import NotificationPolicy, RoutingConfig
from modeltop.alerting.suppression import Suppressor, acknowledged_incidents, inhibitions, model_wide
from modeltop.alerting.throttle import NotificationBatch, PendingNotification, throttle
from modeltop.core.event import Notification, NotificationAction, NotificationReason, NotificationSkipped
from modeltop.core.incident import (
    AlertingState,
    IncidentStatus,
    Member,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    TrackedIncident,
)
from modeltop.core.series import SeriesKey, Severity


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
    """Number of incidents that a receiver is still to be notified of, by its name."""


def plan_notifications(state: AlertingState, config: RoutingConfig, now: datetime) -> NotificationPlan:
    """Return the notifications due to each receiver; `now` is the watcher's clock, never before the last event."""
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
            batches += throttle(name, queues, policy, receiver, now, config.shared_models)
        elif is_probed:
            recovery_messages.append(name)
    return NotificationPlan(
        tuple(batches), tuple(skipped), min(retry_times, default=None), tuple(recovery_messages), pending
    )


def _reconciliations(state: AlertingState, config: RoutingConfig, now: datetime) -> dict[str, list[_Reconciliation]]:
    """By receiver, the messages due to it: the worst first, then the longest open ones."""
    suppressor = Suppressor.at(state, config.mutes, now, inhibitions(model_wide(state), now))
    acks = acknowledged_incidents(state, now)
    disabled = {name for name, entry in state.receivers.items() if entry.disabled_reason is not None}
    missed = missed_notifications(state, config, now)
    wanted: dict[NotificationKey, list[Member]] = {key: [] for key, entry in state.notifications.items() if entry.level}
    wanted |= {key: [] for key in missed if key not in wanted}
    current: dict[str, TrackedIncident] = {}
    suppressed: set[Member] = set()
    for incident in state.incidents.values():
        if incident.status is not IncidentStatus.OPEN:
            continue
        current[incident.model] = incident
        open_for = None if incident.id in acks else now - incident.opened_at
        for member in incident.active_members:
            if suppressor.reason(member.rule, member.key, member.condition, member.severity) is not None:
                suppressed.add(member)
            for name in config.receivers_for(member, now, open_for):
                # A disabled receiver is probed with what its fallback has meanwhile.
                for receiver in {name, config.fallback_for(name, disabled) or name}:
                    wanted.setdefault(NotificationKey(receiver, incident.model), []).append(member)
    by_receiver: dict[str, list[_Reconciliation]] = defaultdict(list)
    for key, members in wanted.items():
        if (policy := config.policies.get(key.receiver)) is not None:
            open_incident = current.get(key.model)
            reconciliation = _Reconciliation(
                key=key,
                policy=policy,
                receiver=state.receivers.get(key.receiver),
                now=now,
                last_notified=state.notifications.get(key),
                current=open_incident,
                wanted=tuple(dict.fromkeys(member for member in members if member not in suppressed)),
                wanted_level=max((member.severity for member in members), default=Severity.OK),
                acked=open_incident is not None and open_incident.id in acks,
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
    """The notification state of one receiver for one model: last message sent, and current incidents."""

    key: NotificationKey
    policy: NotificationPolicy
    receiver: ReceiverState | None
    now: datetime
    last_notified: NotificationEntry | None
    current: TrackedIncident | None
    wanted: tuple[Member, ...]
    """Its active members that a route leads to this receiver, and that nothing suppresses now."""
    wanted_level: Severity
    """Highest level of the active members that a route leads to this receiver, suppressed or not."""
    acked: bool
    missed: tuple[TrackedIncident, ...]
    """Incidents that ended before the receiver could be notified, oldest first."""
    incidents: Mapping[str, TrackedIncident]

    def run(self) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
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
        entry = self.last_notified if self.last_notified is not None and self.last_notified.level else None
        level = Severity.OK
        if entry is not None and self.current is not None and entry.incident == self.current.id:
            levels = (member.severity for member in self.current.active_members if member.key in entry.members)
            level = max([self.wanted_level, *levels])
        pending, skipped = self._resolve(entry) if entry is not None and not level else ([], [])
        # Trigger and resolve in one message; only the trigger if no resolved messages are wanted.
        actions = [NotificationAction.TRIGGER, *([NotificationAction.RESOLVE] if self.policy.resolved else [])]
        for incident in self.missed:
            reason, peak = NotificationReason.MISSED, incident.peak_severity
            pending.append(
                tuple(
                    self._notification(action, reason, incident, peak, _series(incident.members)) for action in actions
                )
            )
        if self.current is None:
            return pending, skipped
        send = max((member.severity for member in self.wanted), default=Severity.OK)
        if entry is None or not level:
            if send:
                pending.append(self._trigger(self.current, NotificationReason.FIRST, send))
            return pending, skipped
        last_level = min(entry.level, level)
        if (reason_now := self._reason(self.current, entry, send, last_level)) is not None:
            pending.append(self._trigger(self.current, reason_now, send))
        elif self.acked and send and self.policy.acknowledges and not entry.acknowledged:
            reason_now, action = NotificationReason.ACKNOWLEDGED, NotificationAction.ACKNOWLEDGE
            pending.append((self._notification(action, reason_now, self.current, level, _series(self.wanted)),))
        if last_level < entry.level:
            skipped.append(NotificationSkipped(self.now, self.key, replace(entry, level=last_level)))
        return pending, skipped

    def _resolve(self, entry: NotificationEntry) -> tuple[list[PendingNotification], list[NotificationSkipped]]:
        if not self.policy.resolved:
            resolved = NotificationEntry(entry.incident, Severity.OK, self.now)
            return [], [NotificationSkipped(self.now, self.key, resolved)]
        incident = self.incidents.get(entry.incident)
        withdrawn = incident is not None and incident.status is IncidentStatus.WITHDRAWN
        reason = NotificationReason.WITHDRAWN if withdrawn else NotificationReason.RESOLVED
        about = incident or entry.incident
        return [(self._notification(NotificationAction.RESOLVE, reason, about, entry.level, entry.members),)], []

    def _reason(
        self, incident: TrackedIncident, entry: NotificationEntry, send: Severity, last_level: Severity
    ) -> NotificationReason | None:
        """Return why the open incident, of which this receiver was notified already, is sent again now; None if not."""
        if send and entry.resolve_started:
            return NotificationReason.FIRST
        if send > last_level:
            return NotificationReason.ESCALATED
        new = [member for member in self.wanted if member.key not in entry.members and incident.joined_late(member)]
        if self.acked:
            new = []
        gap = timedelta(seconds=incident.gap_seconds)
        if new and (entry.joined_at is None or self.now - entry.joined_at >= gap):
            return NotificationReason.JOINED
        is_due = self.policy.repeat is not None and self.now - entry.at >= self.policy.repeat
        return NotificationReason.REPEAT if send and is_due and not self.acked else None

    def _trigger(self, incident: TrackedIncident, reason: NotificationReason, level: Severity) -> PendingNotification:
        return (self._notification(NotificationAction.TRIGGER, reason, incident, level, _series(self.wanted)),)

    def _notification(
        self,
        action: NotificationAction,
        reason: NotificationReason,
        incident: TrackedIncident | str,
        level: Severity,
        members: tuple[SeriesKey, ...],
    ) -> Notification:
        incident_id = incident if isinstance(incident, str) else incident.id
        return Notification(
            receiver=self.key.receiver,
            action=action,
            reason=reason,
            incident=incident_id,
            level=level,
            entry_key=self.key,
            members=members,
            idempotency_key=self._idempotency_key(action, reason, incident_id, level),
            pager_incident=self._pager_incident(action, incident_id),
        )

    def _pager_incident(self, action: NotificationAction, incident_id: str) -> int:
        entry = self.last_notified
        if entry is None or not entry.level or entry.incident != incident_id:
            return 1
        return entry.pager_incident + (entry.acknowledged and action is NotificationAction.TRIGGER)

    def _idempotency_key(
        self, action: NotificationAction, reason: NotificationReason, incident_id: str, level: Severity
    ) -> str:
        """Hash the fields that do not change until the notification is known to have arrived.

        These include when the incident was opened (a second opening is sent anew) and, while it is open, when the
        receiver was last notified of it. Once it is over there is one resolve, whatever the reason for sending it.
        """
        incident, entry = self.incidents.get(incident_id), self.last_notified
        opened_at = incident.opened_at.isoformat() if incident is not None else ""
        fields = [self.key.receiver, incident_id, action.value, opened_at]
        if action is not NotificationAction.RESOLVE:
            fields += [reason.value, level.name]
        is_open = incident is not None and incident.status is IncidentStatus.OPEN
        is_rejected = entry is not None and not entry.level and entry.rejected_at is not None
        if is_open and entry is not None and entry.incident == incident_id and not is_rejected:
            fields.append(entry.at.isoformat())
        return sha256("\0".join(fields).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _series(members: Iterable[Member]) -> tuple[SeriesKey, ...]:
    return tuple(dict.fromkeys(member.key for member in members))
