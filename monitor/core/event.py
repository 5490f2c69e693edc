"""What the journal holds: one line each, in the order in which it happened.

Each event carries all that it changes, so that folding it twice changes nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from modeltop.core.incident import (
    Acknowledgement,
    Incident,
    Note,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    Silence,
)
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person took an incident."""

    at: datetime
    ack: Acknowledgement


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A person gave it back."""

    at: datetime
    incident: str
    by: str


@dataclass(frozen=True, slots=True)
class SilenceCreated:
    """A person silenced alerts."""

    at: datetime
    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceExpired:
    """A person ended a silence before its time."""

    at: datetime
    silence: str
    by: str


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """A person wrote a note."""

    at: datetime
    note: Note


class IncidentTransition(Enum):
    """What happened to an incident."""

    FIRED = "fired"
    ESCALATED = "worse"
    DEESCALATED = "better"
    MOVED = "moved"
    """Late or corrected rows, or an edited rule, moved its begin."""
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It no longer stands, nor ever did, by what is known now."""
    MISSING = "missing"
    """Its rows are gone, or there again: absence is never recovery."""
    MERGED = "merged"
    """Its episode became part of another incident's."""
    ALREADY_OVER = "known"
    """It was over for a day or more when the watcher saw it for the first time."""


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """The watcher saw an incident begin, change or end."""

    at: datetime
    transition: IncidentTransition
    incident: Incident
    """As it is from now on."""
    message: str
    """The alert's evidence, such as `0.870 < 0.90`, or why it was withdrawn, or into which it was merged."""


class NotificationAction(Enum):
    """What a receiver is told."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class NotificationReason(Enum):
    """Why it is told now."""

    FIRST = "first"
    ESCALATED = "worse"
    REPEAT = "repeat"
    MISSED = "late"
    """It fired and ended while the receiver could not be told."""
    RESOLVED = "over"
    WITHDRAWN = "withdrawn"
    ACKNOWLEDGED = "taken"


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that one receiver is to be told, or was."""

    receiver: str
    action: NotificationAction
    reason: NotificationReason
    incident: str
    level: Severity
    entry_key: NotificationKey
    idempotency_key: str
    """Stable over retries and restarts: the idempotency key. Equal for equal things, different for different ones."""


@dataclass(frozen=True, slots=True)
class SendStarted:
    """It is about to be sent: what follows may or may not have reached the receiver."""

    at: datetime
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class SendFinished:
    """The receiver took it, or will never be told of it again (`given_up`)."""

    at: datetime
    notifications: tuple[Notification, ...]
    abandoned_reason: str | None = None


@dataclass(frozen=True, slots=True)
class NotificationSkipped:
    """A belief that changed without a message: what got better is said in the next one."""

    at: datetime
    key: NotificationKey
    entry: NotificationEntry


@dataclass(frozen=True, slots=True)
class ReceiverChanged:
    """A receiver became known, failed, broke, or works again."""

    at: datetime
    receiver: str
    state: ReceiverState


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A watcher became the leader, or ended cleanly."""

    at: datetime
    pid: int
    host: str
    is_leader: bool


Event = (
    Acknowledged
    | Unacknowledged
    | SilenceCreated
    | SilenceExpired
    | NoteAdded
    | IncidentChanged
    | SendStarted
    | SendFinished
    | NotificationSkipped
    | ReceiverChanged
    | LeaderChanged
)
