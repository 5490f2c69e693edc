"""What the journal holds: one line each, in the order in which it happened.

Each event carries all that it changes, so that folding it twice changes nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from modeltop.core.incident import Ack, Belief, BeliefKey, Incident, Note, ReceiverState, Silence
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person took an incident."""

    at: datetime
    ack: Ack


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A person gave it back."""

    at: datetime
    incident: str
    by: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """A person silenced alerts."""

    at: datetime
    silence: Silence


@dataclass(frozen=True, slots=True)
class Expired:
    """A person ended a silence before its time."""

    at: datetime
    silence: str
    by: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A person wrote a note."""

    at: datetime
    note: Note


class Course(Enum):
    """What happened to an incident."""

    FIRED = "fired"
    WORSE = "worse"
    BETTER = "better"
    MOVED = "moved"
    """Late or corrected rows, or an edited rule, moved its begin."""
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It no longer stands, nor ever did, by what is known now."""
    MISSING = "missing"
    """Its rows are gone, or there again: absence is never recovery."""
    MERGED = "merged"
    """Its episode became part of another incident's."""
    KNOWN = "known"
    """It was over for a day or more when the watcher saw it for the first time."""


@dataclass(frozen=True, slots=True)
class Followed:
    """The watcher saw an incident begin, change or end."""

    at: datetime
    course: Course
    incident: Incident
    """As it is from now on."""
    message: str
    """The alert's evidence, such as `0.870 < 0.90`, or why it was withdrawn, or into which it was merged."""


class Kind(Enum):
    """What a receiver is told."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Reason(Enum):
    """Why it is told now."""

    FIRST = "first"
    WORSE = "worse"
    REPEAT = "repeat"
    LATE = "late"
    """It fired and ended while the receiver could not be told."""
    OVER = "over"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing that one receiver is to be told, or was."""

    receiver: str
    kind: Kind
    reason: Reason
    incident: str
    level: Severity
    belief: BeliefKey
    key: str
    """Stable over retries and restarts: the idempotency key. Equal for equal things, different for different ones."""


@dataclass(frozen=True, slots=True)
class Sending:
    """It is about to be sent: what follows may or may not have reached the receiver."""

    at: datetime
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it, or will never be told of it again (`given_up`)."""

    at: datetime
    deliveries: tuple[Delivery, ...]
    given_up: str | None = None


@dataclass(frozen=True, slots=True)
class Believed:
    """A belief that changed without a message: what got better is said in the next one."""

    at: datetime
    key: BeliefKey
    belief: Belief


@dataclass(frozen=True, slots=True)
class ReceiverChanged:
    """A receiver became known, failed, broke, or works again."""

    at: datetime
    receiver: str
    state: ReceiverState


@dataclass(frozen=True, slots=True)
class Watching:
    """A watcher became the leader, or ended cleanly."""

    at: datetime
    pid: int
    host: str
    began: bool


Event = (
    Acknowledged
    | Unacknowledged
    | Silenced
    | Expired
    | Noted
    | Followed
    | Sending
    | Sent
    | Believed
    | ReceiverChanged
    | Watching
)
