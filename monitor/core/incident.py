"""Incidents, acknowledgements, silences and notifications: the state that is folded from the event log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase
from types import MappingProxyType

from modeltop.core.series import Condition, Series, SeriesKey, Severity, to_datetime64
from modeltop.core.stats.robust import median

CLOCK_TOLERANCE = timedelta(minutes=10)
"""Difference up to which two clocks agree."""
LATE_PERIODS = 3
"""Periods after the start of an incident from which on an alert that joins it is news of its own."""


@dataclass(frozen=True, slots=True)
class Matchers:
    """Matchers that select alerts: globs of `fnmatch.fnmatchcase`, all of which must match."""

    model: str = "*"
    metric: str = "*"
    segment: str = "*"
    rule: str = "*"
    severity: str = "*"
    """A glob on `warning`, `unknown`, `critical`."""

    def match_labels(self, rule: str, key: SeriesKey, severity: Severity) -> bool:
        """Return whether an alert with these labels matches; a metric of `*` (no data, an error) matches any glob."""
        return (
            fnmatchcase(key.model, self.model)
            and (key.metric == "*" or fnmatchcase(key.metric, self.metric))
            and fnmatchcase(key.segment, self.segment)
            and fnmatchcase(rule, self.rule)
            and fnmatchcase(severity.name.lower(), self.severity)
        )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Acknowledgement of an incident: reminders and escalation stop. The first of two wins."""

    incident: str
    model: str
    level: Severity
    """Severity when it was acknowledged; the acknowledgement ends if it gets worse."""
    by: str
    reason: str
    at: datetime
    until: datetime
    since: datetime
    """`fired` of the incident's first alert when it was acknowledged; late rows may move it."""
    seen_until: datetime
    """`fired` of its newest alert when it was acknowledged: a critical one that joins late ends the acknowledgement."""

    def is_credible(self, now: datetime) -> bool:
        """Return whether the clock that set its end is not ahead of `now`, the watcher's."""
        return self.at - now <= CLOCK_TOLERANCE


@dataclass(frozen=True, slots=True)
class Silence:
    """A period without notifications of matching alerts; resolutions are still sent."""

    id: str
    matchers: Matchers
    start: datetime
    end: datetime
    """Moved to the present when a person expires the silence."""
    by: str
    reason: str
    created_at: datetime
    expired_at: datetime | None = None
    """When a person expired it; None if no one has."""

    @property
    def end_set_at(self) -> datetime:
        """When its end was set, by the clock of the person's machine."""
        return self.expired_at or self.created_at

    def active(self, now: datetime) -> bool:
        """Return whether it is in force at this moment; the end is not part of it."""
        return self.start <= now < self.end

    def is_credible(self, now: datetime) -> bool:
        """Return whether the clock that set its end is not ahead of `now`, the watcher's."""
        return self.end_set_at - now <= CLOCK_TOLERANCE


@dataclass(frozen=True, slots=True)
class Note:
    """A note by a person: a release, a changed price list, a migration."""

    model: str
    """A glob; `*` matches all models."""
    text: str
    by: str
    at: datetime
    is_release: bool = False
    """Whether a person marked it as a release of the model."""


@dataclass(frozen=True, slots=True)
class BaselineRestart:
    """A new baseline of a model that a person accepted, such as after a retraining."""

    start: datetime
    """Start of its first period."""
    newest: datetime
    """Newest period of the model when it was accepted: alerts that had fired by then ended as accepted."""
    ended_at: datetime
    """Data time at which those alerts ended: a usual gap after `newest`."""


class IncidentStatus(Enum):
    """The status of an incident, as far as receivers were notified of it."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Incident:
    """All that is wrong with one model at a time: the alerts from the first that fires to the last that resolves.

    Numbers are of the lead alert's series, whichever direction is bad; None if it has no values or too few.
    """

    id: str
    """Stable name, 8 hexadecimal digits of the model and of `fired` of its first alert."""
    model: str
    """The model, or the source if it cannot be read: foreign text."""
    status: IncidentStatus
    severity: Severity
    """Highest active level of its alerts; once resolved, the highest reached."""
    alerts: tuple[str, ...]
    lead: str
    """Id of the alert that it is shown by."""
    key: SeriesKey
    condition: Condition
    started_at: datetime
    baseline_from: datetime | None = None
    """First of at most 60 evaluated periods before `started_at`; `started_at` itself if the decline started with the
    history, so that its first period is all there is to compare with. None: nothing to compare with."""
    last_bad_at: datetime | None = None
    """Last period that was nearer to the worst value than to `before`; None if none was, or without `before`."""
    resolved_at: datetime | None = None
    """Data time at which its last alert resolved; None while open."""
    before: float | None = None
    """Median of the baseline."""
    after: float | None = None
    """Mean from `started_at` to `last_bad_at`, or without it to the last period, weighted by rows."""
    worst_value: float | None = None
    worst_at: datetime | None = None
    now: float | None = None
    """Value of the newest period, or of the last before it resolved."""

    def level_before(self, series: Series) -> float | None:
        """Return the median of a series of its model in the baseline; None without evaluated periods in it."""
        if self.baseline_from is None:
            return None
        first, start = to_datetime64(self.baseline_from), to_datetime64(self.started_at)
        is_before = (series.times >= first) & ((series.times < start) | (series.times == first))
        values = series.values[series.evaluable() & is_before]
        return float(median(values)) if len(values) else None


@dataclass(frozen=True, slots=True)
class SharedStart:
    """Open incidents of several models that started within one period of each other."""

    condition: Condition
    """`THRESHOLD` if their values got worse, `NO_DATA` if they stopped reporting."""
    models: tuple[str, ...]
    started_at: datetime
    sentence: str
    """Such as `9 models dropped on 26 Mar: look for a shared cause`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One alert of an incident, as the watcher last saw it."""

    id: str
    rule: str
    key: SeriesKey
    condition: Condition
    severity: Severity
    since: datetime
    fired: datetime
    resolved: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrackedIncident:
    """An incident followed over time: late rows and edited rules move its start, its id stays."""

    id: str
    model: str
    members: tuple[Member, ...]
    lead: str
    """Id of the alert that it is shown by."""
    started_at: datetime
    gap_seconds: int
    """Usual gap between two periods of the model when it opened."""
    level: Severity
    """Highest active level of its members when it was last seen."""
    peak_severity: Severity
    opened_at: datetime
    """When the watcher first saw it, or saw it open again (wall clock)."""
    resolved_at: datetime | None = None
    """Data time at which it ended; None while open."""
    closed_at: datetime | None = None
    """When the watcher saw that it had ended (wall clock); if it was never seen open, or was over for a day when it
    was seen, the end of the period that ended it."""
    status: IncidentStatus = IncidentStatus.OPEN
    missing_since: datetime | None = None
    """Since when rows of its members are missing (wall clock): they stay as they were for a day. None: none are."""

    @property
    def dedup_key(self) -> str:
        """The key by which every receiver identifies it."""
        return f"modeltop:{self.id}"

    @property
    def fired_at(self) -> datetime:
        """When its first alert fired."""
        return self.members[0].fired if self.members else self.started_at

    @property
    def active_members(self) -> list[Member]:
        """Its members that are not resolved."""
        return [member for member in self.members if member.resolved is None]

    def joined_late(self, member: Member) -> bool:
        """Return whether a member joined more than three periods after the start, on a series that was no member.

        That data stopped is no part of a fall, so it is late whenever it joins.
        """
        is_fall = member.condition is Condition.THRESHOLD
        if is_fall and (member.fired - self.started_at).total_seconds() <= LATE_PERIODS * self.gap_seconds:
            return False
        return all(other.key != member.key or other.fired >= member.fired for other in self.members)


@dataclass(frozen=True, slots=True)
class NotificationKey:
    """The key under which the last notification of one receiver is stored."""

    receiver: str
    model: str


@dataclass(frozen=True, slots=True)
class NotificationEntry:
    """The last notification that a receiver accepted."""

    incident: str
    level: Severity
    """OK: it was notified that it is over, or never notified."""
    at: datetime
    members: tuple[SeriesKey, ...] = ()
    """Series of the members that it was notified of."""
    joined_at: datetime | None = None
    """When it was last notified of one that joined late; None: never in this incident."""
    acknowledged: bool = False
    resolve_started: bool = False
    """True if a resolve may have arrived whose answer did not: what opens again is sent as new."""
    pager_incident: int = 1
    """Number of the pager's own incident: after a person acknowledged one, what is news opens the next."""
    rejected_keys: tuple[str, ...] = ()
    """Idempotency keys of notifications that it rejected: not sent again before the repeat interval has passed."""
    rejected_at: datetime | None = None
    """When it rejected the last of them; None if it rejected none."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """The health of one receiver."""

    first_seen_at: datetime
    """Its first cycle: incidents that ended before it are never sent."""
    disabled_reason: str | None = None
    """Why its fallback replaces it until a probe succeeds or its configuration changes; None: it works."""
    failures: int = 0
    retry_at: datetime | None = None
    """The earliest moment of the next attempt, or of the next probe if it is disabled; None: at once."""
    error: str | None = None
    recent_sends: tuple[datetime, ...] = ()
    settings_fingerprint: str = ""
    """Fingerprint of its settings, without secrets: a change enables a disabled one again."""
    probes: int = 0
    """Failures in a row that disabled it, or kept it disabled: the more, the later the next probe."""
    rejections: int = 0
    """Messages in a row that it rejected, each of which was dropped."""
    send_apart: bool = False
    """True after it rejected a message about several alerts, until it accepts one: each is sent by itself."""
    recovered_at: datetime | None = None
    """When it was last enabled again: notifications that it rejected before are sent once more."""

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be tried now: not before the time that was set after its last failure."""
        return self.retry_at is None or now >= self.retry_at


@dataclass(frozen=True, slots=True)
class AlertingState:
    """The state that results from all events."""

    acks: tuple[Acknowledgement, ...] = ()
    """Acknowledgements not undone; `modeltop.alerting.suppression` decides whether one is still in force."""
    silences: tuple[Silence, ...] = ()
    """Active and scheduled ones, and those that ended within the last 5 days."""
    notes: tuple[Note, ...] = ()
    baselines: Mapping[str, tuple[BaselineRestart, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By model, the baselines that people accepted, oldest first."""
    incidents: Mapping[str, TrackedIncident] = field(default_factory=lambda: MappingProxyType({}))
    """Incidents by id: open ones, and those that ended within the last 30 days."""
    notifications: Mapping[NotificationKey, NotificationEntry] = field(default_factory=lambda: MappingProxyType({}))
    receivers: Mapping[str, ReceiverState] = field(default_factory=lambda: MappingProxyType({}))
    last_event_at: datetime | None = None
    """Time of the newest event of the watcher itself: its `now` is never earlier. Events of people do not count, for
    no one knows their clocks."""
    clock_accept_requested: bool = False
    """True if a person asked the watcher to accept its machine's clock, and it has not done so yet."""
    damaged_lines: int = 0
    read_only_reason: str | None = None
    """Why no event may be appended, such as a newer schema; None: they may."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Reason why notifications of an alert are suppressed now."""

    kind: str
    """`silenced`, `inhibited` or `muted`."""
    reason: str
    """One clause with who, why and until when; foreign text may be in it."""
    until: datetime | None = None
    """None if it ends with another alert."""


@dataclass(frozen=True, slots=True)
class WatcherHealth:
    """The health of the watcher, as it last wrote it."""

    at: datetime
    """End of the last completed cycle."""
    started_at: datetime
    pid: int
    host: str
    interval_seconds: float
    error: str | None = None
    """Why the last cycle or a save failed; None: both succeeded."""
    disabled_receivers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By name a clause: why, what it has missed, and when it is tried again."""
    stopped: bool = False
    clock_offset_seconds: float | None = None
    """By how much its machine's clock is off if that is unreliable, negative if it is behind; else None."""
    one_shot: bool = False
    """True if it runs from cron: no process exists between two runs."""

    def is_overdue(self, now: datetime) -> bool:
        """Return whether it should have completed another cycle by now: three are missing.

        `now` is by the clock of the same machine, as far off as that was at the last cycle.
        """
        age = (now - self.at).total_seconds() - (self.clock_offset_seconds or 0.0)
        return not self.stopped and age > 3 * self.interval_seconds + 10
