"""Events of the event log. Each carries all that it changes, so that folding it twice changes nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from modeltop.core.incident import (
    Acknowledgement,
    BaselineRestart,
    Note,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    Silence,
    TrackedIncident,
)
from modeltop.core.series import SeriesKey, Severity


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person acknowledged an incident."""

    at: datetime
    ack: Acknowledgement


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A person undid an acknowledgement."""

    at: datetime
    incident: str
    by: str


@dataclass(frozen=True, slots=True)
class SilenceCreated:
    """A person created a silence."""

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
    """The ways in which an incident changes."""

    FIRED = "fired"
    ESCALATED = "worse"
    DEESCALATED = "better"
    JOINED = "joined"
    """Another alert of the model fired."""
    ALERT_RESOLVED = "alert-resolved"
    """One of its alerts resolved, others are active."""
    MOVED = "moved"
    """Late or corrected rows, or an edited rule, moved its start."""
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It is no alert any more, nor was it ever one, by the rows of now."""
    MISSING = "missing"
    """Its rows are missing, or there again: absence is never recovery."""
    MERGED = "merged"
    ALREADY_OVER = "known"
    """It was over for a day or more when the watcher saw it for the first time."""


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """The watcher saw that an incident started, changed or ended."""

    at: datetime
    transition: IncidentTransition
    incident: TrackedIncident
    message: str
    """The breaches, such as `accuracy 0.870 < 0.90`, or why it was withdrawn, or into which it was merged."""


class NotificationAction(Enum):
    """The effect of a notification on a receiver's incident."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class NotificationReason(Enum):
    """Why a notification is sent now."""

    FIRST = "first"
    ESCALATED = "worse"
    JOINED = "joined"
    """An alert joined the incident late, on another metric or segment."""
    REPEAT = "repeat"
    MISSED = "late"
    """It fired and ended while the receiver could not be notified."""
    RESOLVED = "over"
    WITHDRAWN = "withdrawn"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of one receiver, planned or sent."""

    receiver: str
    action: NotificationAction
    reason: NotificationReason
    incident: str
    level: Severity
    entry_key: NotificationKey
    members: tuple[SeriesKey, ...]
    """Series of the members that it names."""
    idempotency_key: str
    """Stable over retries and restarts, and different for different notifications."""
    pager_incident: int = 1
    """As `NotificationEntry.pager_incident`, once it was sent."""


@dataclass(frozen=True, slots=True)
class SendStarted:
    """Notifications are about to be sent: without the event that follows they may have arrived or not."""

    at: datetime
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class SendFinished:
    """The receiver accepted the notifications, or they are not tried again (`abandoned_reason`)."""

    at: datetime
    notifications: tuple[Notification, ...]
    abandoned_reason: str | None = None


@dataclass(frozen=True, slots=True)
class NotificationSkipped:
    """The state of a receiver changed without a message: an improvement is part of the next one."""

    at: datetime
    key: NotificationKey
    entry: NotificationEntry


@dataclass(frozen=True, slots=True)
class ReceiverChanged:
    """A receiver was first seen, failed, was disabled, or works again."""

    at: datetime
    receiver: str
    state: ReceiverState


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A watcher became the leader, or stopped cleanly."""

    at: datetime
    pid: int
    host: str
    is_leader: bool


@dataclass(frozen=True, slots=True)
class ReceiverTested:
    """A person sent a test message, which the receiver accepted: it works again."""

    at: datetime
    receiver: str


@dataclass(frozen=True, slots=True)
class BaselineRestarted:
    """A person accepted the values of a model from a moment on as its new baseline, such as after a release."""

    at: datetime
    model: str
    restart: BaselineRestart
    by: str


@dataclass(frozen=True, slots=True)
class ClockAcceptRequested:
    """A person asked the watcher to accept its machine's clock; `at` is of a clock that no one knows."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ClockAccepted:
    """The watcher accepted its machine's clock: the only event that may set its time back."""

    at: datetime
    """The machine's clock, which counts from now on."""
    previous: datetime
    """The watcher's time before."""


PersonalEvent = (
    Acknowledged
    | Unacknowledged
    | SilenceCreated
    | SilenceExpired
    | NoteAdded
    | BaselineRestarted
    | ReceiverTested
    | ClockAcceptRequested
)
"""What processes of people append, by clocks that say nothing about that of the watcher."""
Event = (
    Acknowledged
    | Unacknowledged
    | SilenceCreated
    | SilenceExpired
    | NoteAdded
    | BaselineRestarted
    | IncidentChanged
    | SendStarted
    | SendFinished
    | NotificationSkipped
    | ReceiverChanged
    | LeaderChanged
    | ReceiverTested
    | ClockAcceptRequested
    | ClockAccepted
)
