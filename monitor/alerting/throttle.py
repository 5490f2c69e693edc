"""Grouping and rate limits: several notifications in one message, and a cap per hour. Pure.

Neither delays a critical alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import ReceiverState
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)
PendingNotification = tuple[Notification, ...]
"""One; or two for an incident that is reported only after its end, trigger and resolve at once."""


@dataclass(frozen=True, slots=True)
class NotificationBatch:
    """The notifications of one message to one receiver."""

    receiver: str
    notifications: tuple[Notification, ...]
    is_digest: bool = False
    """Whether it collects the notifications that the hourly cap held back."""


def is_urgent(pending: PendingNotification) -> bool:
    """Return whether it may never wait: the first report of something critical, or that it became critical."""
    return any(
        notification.action is NotificationAction.TRIGGER
        and notification.reason in (NotificationReason.FIRST, NotificationReason.ESCALATED)
        and notification.level is Severity.CRITICAL
        for notification in pending
    )


def throttle(
    name: str,
    queues: Sequence[Sequence[PendingNotification]],
    policy: NotificationPolicy,
    receiver: ReceiverState,
    now: datetime,
    shared_models: Collection[str] = (),
) -> tuple[NotificationBatch, ...]:
    """Return the messages that may go out to a receiver at an aware time; a disabled one is probed with a single one.

    Args:
        name: The receiver.
        queues: The notifications due, at least one; those of one model are in one queue, whose order is kept.
        policy: Its limits.
        receiver: Its state.
        now: Aware.
        shared_models: Models whose incidents started together: several of them share a message.
    """
    pending = [entry for queue in queues for entry in queue]
    if policy.exempt or receiver.send_apart:
        apart = tuple(NotificationBatch(name, entry) for entry in pending)
        return apart if receiver.disabled_reason is None else apart[:1]
    if receiver.disabled_reason is not None:
        return (_merge(name, pending, digest=False),)
    messages = _group(name, pending, policy, shared_models)
    if not policy.hourly:
        return messages
    remaining = policy.hourly - sum(now - HOUR < moment for moment in receiver.recent_sends)
    if len(messages) <= remaining:
        return messages
    if remaining > 0:
        return (_merge(name, pending, digest=True),)
    # Earlier notifications of the same series are sent with an urgent one, so that the receiver sees both in order.
    urgent = [entry for queue in queues if any(map(is_urgent, queue)) for entry in queue]
    return _group(name, urgent, policy, shared_models)


def _group(
    receiver: str, pending: Sequence[PendingNotification], policy: NotificationPolicy, shared_models: Collection[str]
) -> tuple[NotificationBatch, ...]:
    if policy.group and len(pending) > policy.group:
        return (_merge(receiver, pending, digest=False),)
    shared = [entry for entry in pending if entry[0].entry_key.model in shared_models]
    if len(shared) < 2 or not policy.group:
        return tuple(NotificationBatch(receiver, entry) for entry in pending)
    apart = (NotificationBatch(receiver, entry) for entry in pending if entry not in shared)
    return (_merge(receiver, shared, digest=False), *apart)


def _merge(receiver: str, pending: Iterable[PendingNotification], *, digest: bool) -> NotificationBatch:
    notifications = tuple(notification for entry in pending for notification in entry)
    return NotificationBatch(receiver, notifications, digest)
