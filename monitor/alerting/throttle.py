"""How many messages: several events in one, and no more than so many an hour. Neither delays what is critical. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NotificationBatch:
    """What goes into one message for one receiver."""

    receiver: str
    notifications: tuple[Notification, ...]
    """At least one; they succeed or fail together."""
    is_digest: bool = False
    """It gathers what the hourly cap would not let through one by one."""


@dataclass(frozen=True, slots=True)
class PendingNotification:
    """One event, before it is decided in which message it goes out."""

    notifications: tuple[Notification, ...]
    """One; or two where an incident that is over is told late, begin and end at once."""

    @property
    def is_urgent(self) -> bool:
        """Whether it may never wait: the first that is told of something critical, or that it became so."""
        return any(
            one.action is NotificationAction.TRIGGER
            and one.reason in (NotificationReason.FIRST, NotificationReason.ESCALATED)
            and one.level is Severity.CRITICAL
            for one in self.notifications
        )


def throttle(
    receiver: str,
    slots: Sequence[Sequence[PendingNotification]],
    pace: NotificationPolicy,
    sent: Iterable[datetime],
    now: datetime,
) -> tuple[tuple[NotificationBatch, ...], int]:
    """The messages that may go out now, and how many events are held back.

    Args:
        receiver: Whom they are for.
        slots: By rule and series, what is to be told of it, in an order that is kept.
        pace: How it wants to be told.
        sent: When messages went out to it lately.
        now: The watcher's clock.
    """
    letters = [letter for slot in slots for letter in slot]
    if pace.exempt:
        return tuple(NotificationBatch(receiver, letter.notifications) for letter in letters), 0
    room = pace.hourly - sum(now - HOUR < moment for moment in sent) if pace.hourly else len(letters)
    messages = _messages(receiver, letters, pace)
    if len(messages) <= room:
        return messages, 0
    if room > 0:
        return (_one(receiver, letters, digest=True),), 0
    # What has to be said before something urgent of the same series goes with it: order is kept.
    urgent = [letter for slot in slots if any(one.is_urgent for one in slot) for letter in slot]
    return _messages(receiver, urgent, pace), len(letters) - len(urgent)


def _messages(
    receiver: str, letters: Sequence[PendingNotification], pace: NotificationPolicy
) -> tuple[NotificationBatch, ...]:
    if pace.group and len(letters) > pace.group:
        return (_one(receiver, letters, digest=False),)
    return tuple(NotificationBatch(receiver, letter.notifications) for letter in letters)


def _one(receiver: str, letters: Iterable[PendingNotification], *, digest: bool) -> NotificationBatch:
    return NotificationBatch(receiver, tuple(one for letter in letters for one in letter.notifications), digest)
