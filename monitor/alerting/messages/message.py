"""The content of a message, in no notifier's own form.

The labels (`model`, `metric`, `segment`, `rule`) and the names in a diagnosis are foreign text, as written in the data,
to be sanitized where they are shown. All other strings are sanitized, one line each, and hold no markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One alert of an incident in a message; the labels are foreign text."""

    metric: str
    segment: str
    rule: str
    severity: Severity
    text: str
    """Such as `f1_score 0.785 < 0.85`; sanitized."""
    is_new: bool = False
    """Whether it joined late, and the receiver was not notified of it before."""


@dataclass(frozen=True, slots=True)
class AlertSection:
    """The section of a message about one incident: its lead alert, or the worst that joined it, then the others."""

    action: NotificationAction
    reason: NotificationReason
    severity: Severity
    """The level that is reported; OK once it is over."""
    incident: str
    key: str
    """Idempotency key, stable over retries and restarts."""
    model: str
    metric: str
    """`*` for a model-wide incident: no data, or a source that cannot be read."""
    segment: str
    rule: str
    title: str
    """At most 120 cells, such as `critical fraud-detector: accuracy 0.870 < 0.90`."""
    written_at: datetime
    """When the incident was opened, the same in every attempt: dates of another year have their year."""
    members: tuple[MemberLine, ...] = ()
    """The other alerts of the incident that this receiver is notified of, new ones first, then by severity."""
    verdict: str = ""
    """Diagnosis of the model in a sentence: what happened, since when, why, what now; empty without one."""
    diagnosis: Diagnosis | None = None
    """Diagnosis behind the verdict; None if the model does not alert, or could not be explained."""
    sentence: str = ""
    value: float | None = None
    """The value of the newest breach; None if there is none, such as without data."""
    limit: float | None = None
    value_vs_limit: str = ""
    worst_value: float | None = None
    worst_vs_limit: str = ""
    peak_severity: Severity = Severity.OK
    count: float | None = None
    """Number of predictions behind `value`; None where unknown."""
    since: datetime | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    state_note: str = ""
    """Why it was withdrawn, or who acknowledged it and until when."""
    condition: str = ""
    runbook: str = ""
    """Address or path of the runbook; empty without one."""
    chart: tuple[str, ...] = ()
    """Lines of a sparkline of the newest periods; blocks, numbers and dates only."""
    ack_command: str = ""
    """Command that acknowledges the alert; empty if there is nothing to acknowledge."""
    pager_incident: int = 1
    """Number of the pager's own incident, of which an acknowledged one pages no one again."""

    @property
    def dedup_key(self) -> str:
        """Name of the incident at every receiver."""
        return f"modeltop:{self.incident}"

    @property
    def duration(self) -> timedelta | None:
        """Data time from the first breached period to the period that resolved it; None while it is open."""
        if self.since is None or self.resolved_at is None:
            return None
        return max(self.resolved_at - self.since, timedelta(0))


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one receiver about one or more alerts."""

    receiver: str
    sections: tuple[AlertSection, ...]
    key: str
    """Idempotency key: that of the only section, else a hash of those of all."""
    title: str
    text: str
    """Plain text without the title, lines separated by newlines."""
    is_test: bool = False
    is_digest: bool = False
    """Whether it collects the messages that the hourly cap held back."""
    clock_offset: timedelta = timedelta()
    """By how much the machine's clock is known to be ahead: a receiver refuses a signature that is not of now."""

    @property
    def worst_section(self) -> AlertSection:
        """The section of the worst incident, which comes first."""
        return self.sections[0]

    @property
    def severity(self) -> Severity:
        """Highest level of any section; OK if all incidents are over."""
        return max(section.severity for section in self.sections)
