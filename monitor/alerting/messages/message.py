"""What a receiver is told: everything that any of them may need, in no receiver's own form.

The labels (`model`, `metric`, `segment`, `rule`) are as written in the data: foreign text, to be made safe where it is
shown, and so are names in a diagnosis. All other strings are made safe already, one line each, and hold no markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity


@dataclass(frozen=True, slots=True)
class AlertSection:
    """What is said of one incident."""

    action: NotificationAction
    reason: NotificationReason
    severity: Severity
    """The level now told; OK where it is over."""
    incident: str
    """Its id."""
    key: str
    """Stable over retries and restarts: the idempotency key."""
    model: str
    metric: str
    """`*` where it is about no metric: no data, or a source that cannot be read."""
    segment: str
    rule: str
    title: str
    """At most 120 cells, such as `CRIT fraud-detector: accuracy 0.870 < 0.90`."""
    verdict: str = ""
    """What is to be known of the model: what happened, since when, why, what now; empty where nothing is."""
    diagnosis: Diagnosis | None = None
    """What that rests on, names as written in the data; None where the model does not alert, or was not explained."""
    sentence: str = ""
    """How its series stands by the rule now, in plain words."""
    value: float | None = None
    """The value last objected to; None where there is none, as without data."""
    limit: float | None = None
    value_vs_limit: str = ""
    """The value against its limit, such as `0.870 < 0.90`."""
    worst_value: float | None = None
    worst_vs_limit: str = ""
    peak_severity: Severity = Severity.OK
    """The worst level that it ever had."""
    count: float | None = None
    """Support of `value`; None where unknown."""
    since: datetime | None = None
    """Start of the first period found wrong."""
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    """None while it stands."""
    state_note: str = ""
    """Why it was withdrawn, or who took it and until when."""
    condition: str = ""
    """What the rule asks, in a plain sentence."""
    runbook: str = ""
    """Where it is written what to do; empty without one."""
    chart: tuple[str, ...] = ()
    """The last periods in block characters; numbers and dates only."""
    ack_command: str = ""
    """The command by which a person takes it; empty where there is nothing to take."""

    @property
    def dedup_key(self) -> str:
        """What every receiver knows the incident by."""
        return f"modeltop:{self.incident}"

    @property
    def duration(self) -> timedelta | None:
        """From the first period found wrong to the one that ended it, in data time; None while it stands."""
        if self.since is None or self.resolved_at is None:
            return None
        return max(self.resolved_at - self.since, timedelta(0))


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one receiver: about one incident, or about several, worst first."""

    receiver: str
    sections: tuple[AlertSection, ...]
    """At least one."""
    key: str
    """The idempotency key of the whole: that of the only part, else one of all their keys."""
    title: str
    text: str
    """All of it in plain text, lines separated by newlines, the title not among them."""
    is_test: bool = False
    """Sent because a person asked whether it works: nothing is wrong."""
    is_digest: bool = False
    """What was held back by the hourly cap."""

    @property
    def worst_section(self) -> AlertSection:
        """The worst part."""
        return self.sections[0]

    @property
    def severity(self) -> Severity:
        """The worst level of any part; OK where all are over."""
        return max(part.severity for part in self.sections)

    @property
    def is_grouped(self) -> bool:
        """Whether it is about more than one incident."""
        return len(self.sections) > 1
