"""From deliveries, the snapshot and the facts to a message. Pure: the same of each gives the same message.

No age is in it, only dates: a message that has to be sent again is the same message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from modeltop.alerting.messages import template
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.messages.sparkline import sparkline
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import AlertingState, Incident, IncidentStatus
from modeltop.core.series import Alert, Condition, SeriesKey, Severity, to_datetime
from modeltop.core.text import format_period, sanitize
from modeltop.rules.rule import describe_rule as rule_sentence
from modeltop.rules.snapshot import Snapshot

_WHOLE = {Condition.NO_DATA: "no data", Condition.ERROR: "error"}
_TAKEABLE = (NotificationReason.FIRST, NotificationReason.ESCALATED, NotificationReason.REPEAT)


def compose(
    deliveries: Sequence[Notification],
    snapshot: Snapshot,
    facts: AlertingState,
    *,
    withdrawal_reasons: Mapping[str, str] | None = None,
    explanations: ExplanationCache | None = None,
    is_digest: bool = False,
) -> Message:
    """What one receiver is told.

    Args:
        deliveries: At least one, all for the same receiver.
        snapshot: The look that led to them.
        facts: Everything remembered; the incidents of the deliveries are among it.
        withdrawal_reasons: By incident id, why it was withdrawn; foreign text may be in it. Without, the reason is derived.
        explanations: Those of the snapshot, shared by all messages about it; None: asked for anew.
        is_digest: They were held back by the hourly cap.
    """
    known = _SectionBuilder(snapshot, facts, explanations or ExplanationCache(snapshot), withdrawal_reasons or {})
    parts = tuple(sorted((known.section(one) for one in _once(deliveries)), key=lambda part: -part.severity))
    if len(parts) == 1 and not is_digest:
        return Message(
            deliveries[0].receiver, parts, parts[0].key, parts[0].title, "\n".join(template.section_lines(parts[0]))
        )
    return Message(
        receiver=deliveries[0].receiver,
        sections=parts,
        key=_joined([delivery.idempotency_key for delivery in deliveries]),
        title=template.group_title(parts, digest=is_digest),
        text="\n".join(template.group_lines(parts)),
        is_digest=is_digest,
    )


def build_test_message(receiver: str, now: datetime) -> Message:
    """A message that only asks whether messages arrive, marked as a test all over.

    Args:
        receiver: Its name in the configuration.
        now: Makes its keys differ from those of the last test.
    """
    stamp = sha256(f"{receiver}\0{now.isoformat()}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    part = AlertSection(
        action=NotificationAction.TRIGGER,
        reason=NotificationReason.FIRST,
        severity=Severity.WARNING,
        incident=f"test-{stamp}",
        key=f"test:{stamp}",
        model="test-model",
        metric="accuracy",
        segment="all",
        rule="test",
        title="TEST test-model: accuracy 0.87 < 0.90, nothing is wrong",
        sentence=f"This is a test of receiver {sanitize(receiver, 60)}: nothing is wrong, and nothing has to be done.",
        value=0.87,
        limit=0.9,
        value_vs_limit="0.87 < 0.90",
        worst_value=0.87,
        worst_vs_limit="0.87 < 0.90",
        peak_severity=Severity.WARNING,
        since=_minute(now),
        fired_at=_minute(now),
    )
    return Message(receiver, (part,), part.key, part.title, "\n".join(template.section_lines(part)), is_test=True)


def _once(deliveries: Sequence[Notification]) -> list[Notification]:
    """Begin and end of what is told late are one thing to say."""
    late: set[str] = set()
    kept = []
    for one in deliveries:
        if one.reason is not NotificationReason.MISSED or one.incident not in late:
            kept.append(one)
        if one.reason is NotificationReason.MISSED:
            late.add(one.incident)
    return kept


def _joined(keys: Sequence[str]) -> str:
    return "group:" + sha256("\0".join(keys).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class _SectionBuilder:
    """All that a part is written from."""

    snapshot: Snapshot
    alerting_state: AlertingState
    explanations: ExplanationCache
    withdrawal_reasons: Mapping[str, str] = field(default_factory=dict)

    def section(self, delivery: Notification) -> AlertSection:
        incident = self.alerting_state.incidents.get(delivery.incident)
        key, rule = delivery.entry_key.key, delivery.entry_key.rule
        over = delivery.action is NotificationAction.RESOLVE or delivery.reason is NotificationReason.MISSED
        bare = AlertSection(
            action=delivery.action,
            reason=delivery.reason,
            severity=Severity.OK if over else delivery.level,
            incident=delivery.incident,
            key=delivery.idempotency_key,
            model=key.model,
            metric=key.metric,
            segment=key.segment,
            rule=rule,
            title="",
            verdict=self.explanations.verdict_for(key.model),
            diagnosis=self.explanations.diagnosis_for(key.model),
            sentence=self._sentence(key, rule),
            state_note=self._why(delivery),
            condition=self._asks(rule),
            runbook=self._runbook(rule),
            ack_command=f"modeltop ack {sanitize(delivery.incident, 40)}" if delivery.reason in _TAKEABLE else "",
        )
        part = self._measured(_dated(bare, incident, over=over), incident)
        about = part.value_vs_limit if part.metric != "*" or part.reason in _TAKEABLE else ""
        whole = _WHOLE.get(incident.condition, "") if incident else ""
        return replace(part, title=template.section_title(part, about or (whole if part.metric == "*" else "")))

    def _measured(self, part: AlertSection, incident: Incident | None) -> AlertSection:
        """The part with what the episode and the series say: values, limits, the chart."""
        episode = self._episode(incident) if incident else None
        evidence, worst = (episode.breach, episode.worst_breach) if episode else (None, None)
        threshold = incident is not None and incident.condition is Condition.THRESHOLD
        limit = evidence.limit if evidence and threshold else None
        series = self.snapshot.history.series.get(SeriesKey(part.model, part.metric, part.segment))
        return replace(
            part,
            value=evidence.value if evidence and threshold else None,
            limit=limit,
            value_vs_limit=sanitize(evidence.message) if evidence else "",
            worst_value=worst.value if worst and threshold else None,
            worst_vs_limit=sanitize(worst.message) if worst and threshold else "",
            count=episode.count if episode else None,
            chart=sparkline(series, limit) if series is not None else (),
        )

    def _episode(self, incident: Incident) -> Alert | None:
        """The episode that the incident is now: of the same rule and series, where their spans meet; the open, else
        the latest one.
        """  # noqa: D205  one sentence
        end = incident.resolved_at or datetime.max.replace(tzinfo=UTC)
        met = [
            one
            for one in self.snapshot.alerts
            if (one.rule, one.key, one.condition) == (incident.rule, incident.key, incident.condition)
            and one.id is not None
            and one.since <= end
            and (one.resolved is None or one.resolved >= incident.since)
        ]
        return max(met, key=lambda one: (one.resolved is None, one.since), default=None)

    def _sentence(self, key: SeriesKey, rule: str) -> str:
        if key.metric == "*":
            periods = self.snapshot.history.periods.get(key.model)
            return (
                f"newest row: {format_period(to_datetime(periods[-1]))} UTC"
                if periods is not None and len(periods)
                else ""
            )
        said = (one.sentence for one in self.snapshot.rule_statuses if one.key == key and one.rule == rule)
        return sanitize(next(said, ""), 300)

    def _asks(self, rule: str) -> str:
        named = (one for one in self.snapshot.rules if one.name == rule)
        return next((sanitize(rule_sentence(one, self.snapshot.catalog.get(one.metric)), 300) for one in named), "")

    def _runbook(self, rule: str) -> str:
        named = (one.runbook for one in self.snapshot.rules if one.name == rule and one.runbook)
        return sanitize(next(named, ""), 1000)

    def _why(self, delivery: Notification) -> str:
        if delivery.reason is NotificationReason.WITHDRAWN:
            return sanitize(self.withdrawal_reasons.get(delivery.incident) or self._withdrawn(delivery), 300)
        ack = next((one for one in self.alerting_state.acks if one.incident == delivery.incident), None)
        if ack is None:
            return ""
        if delivery.reason is NotificationReason.ACKNOWLEDGED:
            reason = f": {sanitize(ack.reason)}" if ack.reason else ""
            return f"{sanitize(ack.by, 60)} has it until {format_period(_minute(ack.until))} UTC{reason}"
        return (
            f"got worse since {sanitize(ack.by, 60)} took it" if delivery.reason is NotificationReason.ESCALATED else ""
        )

    def _withdrawn(self, delivery: Notification) -> str:
        rule, key = delivery.entry_key.rule, delivery.entry_key.key
        gone = self.alerting_state.incidents.get(delivery.incident)
        for other in self.alerting_state.incidents.values():
            same = (other.rule, other.key) == (rule, key) and other.status is not IncidentStatus.WITHDRAWN
            if (
                gone is not None
                and same
                and other.since <= gone.fired_at <= (other.resolved_at or self.snapshot.taken_at)
            ):
                return f"it became part of {other.id}"
        if key.metric != "*" and all(one.name != rule for one in self.snapshot.rules):
            return "the rule was removed"
        if key.model not in self.snapshot.history.periods:
            return "its rows are gone"
        return "by what is known now it was not wrong: a row came late or was corrected, or the rule was edited"


def _dated(part: AlertSection, incident: Incident | None, *, over: bool) -> AlertSection:
    if incident is None:
        return part
    ended = incident.resolved_at or (incident.closed_at and _minute(incident.closed_at))
    withdrawn = part.reason is NotificationReason.WITHDRAWN
    return replace(
        part,
        since=incident.since,
        fired_at=incident.fired_at,
        resolved_at=ended if over and ended and not withdrawn else None,
        peak_severity=incident.peak_severity,
    )


def _minute(moment: datetime) -> datetime:
    """A moment of somebody's clock as people say it."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
