"""What is remembered: what people did, and what each receiver was told. Conditions are not: they are a replay.

Everything here is folded from the journal and nothing else; it is frozen, pure, and small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from fnmatch import fnmatchcase
from types import MappingProxyType

from modeltop.core.series import Alert, Condition, SeriesKey, Severity


@dataclass(frozen=True, slots=True)
class Matchers:
    """Which alerts: globs of `fnmatch.fnmatchcase`, all of which must match."""

    model: str = "*"
    metric: str = "*"
    segment: str = "*"
    rule: str = "*"
    severity: str = "*"
    """A glob on `warning`, `unknown`, `critical`."""

    def match(self, episode: Alert) -> bool:
        """Whether the alert is one of them. One about no metric (no data, an error) has the metric `*`."""
        return self.match_labels(episode.rule, episode.key, episode.severity)

    def match_labels(self, rule: str, key: SeriesKey, severity: Severity) -> bool:
        """The same for the labels of an alert."""
        return (
            fnmatchcase(key.model, self.model)
            and (key.metric == "*" or fnmatchcase(key.metric, self.metric))
            and fnmatchcase(key.segment, self.segment)
            and fnmatchcase(rule, self.rule)
            and fnmatchcase(severity.name.lower(), self.severity)
        )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person has it: repeats and escalation stop. The first of two wins."""

    incident: str
    """Id of the incident, or of the alert where nobody has been told yet."""
    rule: str
    key: SeriesKey
    level: Severity
    """How bad it was when it was taken; the acknowledgement ends where it gets worse."""
    by: str
    reason: str
    at: datetime
    until: datetime
    since: datetime
    """Begin of the episode that was taken, and its `resolved` was open: late rows may move it."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts nobody is to be told of for a while; resolutions go out all the same."""

    id: str
    matchers: Matchers
    start: datetime
    end: datetime
    """Moved to the present where a person expires it."""
    by: str
    reason: str
    created_at: datetime
    """When it was made."""

    def active(self, now: datetime) -> bool:
        """Whether it holds at this moment; the end is not part of it."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class Note:
    """What a person knows: a release, a changed price list, a migration."""

    model: str
    """A glob; `*` is about everything."""
    text: str
    by: str
    at: datetime
    """The moment that it is about."""


class IncidentStatus(Enum):
    """How an incident stands, as far as it was told."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Incident:
    """An episode followed over time: late rows and edited rules move its begin, its name stays."""

    id: str
    """That of the episode as it was first known."""
    rule: str
    key: SeriesKey
    condition: Condition
    since: datetime
    """As last known, like all that follows."""
    fired_at: datetime
    level: Severity
    """The level now active, or last active."""
    peak_severity: Severity
    opened_at: datetime
    """When the watcher first saw it, or saw it open again (its clock)."""
    resolved_at: datetime | None = None
    """Data time at which it ended; None while open."""
    closed_at: datetime | None = None
    """When the watcher saw that it had ended (its clock); where it had never been seen open, or was over for a day
    when it was seen, the end of the period that ended it."""
    status: IncidentStatus = IncidentStatus.OPEN
    missing_since: datetime | None = None
    """Since when its rows are gone (the watcher's clock): it stays as it was for a day. None: they are there."""

    @property
    def dedup_key(self) -> str:
        """What every receiver knows it by."""
        return f"modeltop:{self.id}"


@dataclass(frozen=True, slots=True)
class NotificationKey:
    """What one receiver may believe something about."""

    receiver: str
    rule: str
    key: SeriesKey


@dataclass(frozen=True, slots=True)
class NotificationEntry:
    """What a receiver was last successfully told."""

    incident: str
    level: Severity
    """OK: it was told that it is over, or never told."""
    at: datetime
    """When it was last told (the watcher's clock)."""
    acknowledged: bool = False
    """It was told as well that a person has it."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """How one receiver is."""

    first_seen_at: datetime
    """Its first cycle: what had ended before is the past, and never sent."""
    disabled_reason: str | None = None
    """Why it is not used any more until a person changes its configuration or asks for a test; None: it works."""
    failures: int = 0
    """Failures in a row that may pass."""
    retry_at: datetime | None = None
    """Not before this moment; None: at once."""
    error: str | None = None
    """The last failure, made safe and without secrets."""
    recent_sends: tuple[datetime, ...] = ()
    """When messages went out during the last hour."""
    settings_fingerprint: str = ""
    """Fingerprint of its settings, without secrets: a change mends a broken one."""


@dataclass(frozen=True, slots=True)
class AlertingState:
    """All that the journal says, folded."""

    acks: tuple[Acknowledgement, ...] = ()
    """Those not taken back; whether one still holds is asked of `modeltop.alerting.suppression`."""
    silences: tuple[Silence, ...] = ()
    """Those that hold or will, and those that ended within the last 5 days."""
    notes: tuple[Note, ...] = ()
    incidents: Mapping[str, Incident] = field(default_factory=lambda: MappingProxyType({}))
    """By id: the open ones, and those that ended within the last 30 days."""
    notifications: Mapping[NotificationKey, NotificationEntry] = field(default_factory=lambda: MappingProxyType({}))
    receivers: Mapping[str, ReceiverState] = field(default_factory=lambda: MappingProxyType({}))
    last_event_at: datetime | None = None
    """Time of the newest line: `now` of the watcher never runs behind it."""
    damaged_lines: int = 0
    """Lines that could not be read and were skipped."""
    read_only_reason: str | None = None
    """Why nothing may be appended, such as a newer schema; None: it may."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why nobody is told of an alert now."""

    kind: str
    """`silenced`, `inhibited` or `muted`."""
    reason: str
    """One clause with who, why and until when; foreign text may be in it."""
    until: datetime | None = None
    """None where it ends with another alert."""


@dataclass(frozen=True, slots=True)
class WatcherHealth:
    """How the watcher is, as it last said."""

    at: datetime
    """End of its last completed cycle."""
    started_at: datetime
    pid: int
    host: str
    interval_seconds: float
    """Seconds between two cycles at most."""
    error: str | None = None
    """Why the last cycle failed, or what could not be saved; None: all well."""
    disabled_receivers: tuple[str, ...] = ()
    """Receivers that do not work."""
    stopped: bool = False
    """It was asked to end, and did."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have completed another cycle by now: three are missing."""
        return not self.stopped and (now - self.at).total_seconds() > 3 * self.interval_seconds + 10
