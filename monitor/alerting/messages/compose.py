"""Compose messages from notifications, a snapshot and the alerting state. Pure: equal inputs give an equal message.

Messages hold dates and no ages, so that one that has to be sent again is the same message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from modeltop.alerting.incidents import NEW_BASELINE, ends_as_baseline, is_same_alert, member_of
from modeltop.alerting.messages import template
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.alerting.messages.message import AlertSection, MemberLine, Message
from modeltop.alerting.messages.sparkline import sparkline
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import AlertingState, IncidentStatus, Member, TrackedIncident
from modeltop.core.series import Alert, Condition, SeriesKey, Severity, to_datetime
from modeltop.core.text import format_day, format_minute, sanitize
from modeltop.rules.rule import describe_rule
from modeltop.rules.snapshot import Snapshot

_MODEL_WIDE = {Condition.NO_DATA: "no data", Condition.ERROR: "error"}
MAX_MESSAGE = 400
_ACKNOWLEDGEABLE = (
    NotificationReason.FIRST,
    NotificationReason.ESCALATED,
    NotificationReason.JOINED,
    NotificationReason.REPEAT,
)


def compose(
    notifications: Sequence[Notification],
    snapshot: Snapshot,
    state: AlertingState,
    *,
    withdrawal_reasons: Mapping[str, str] | None = None,
    explanations: ExplanationCache | None = None,
    is_digest: bool = False,
) -> Message:
    """Return the message for one receiver.

    Args:
        notifications: At least one, all for the same receiver.
        snapshot: The snapshot that led to them.
        state: The incidents and acknowledgements.
        withdrawal_reasons: By incident id, why it ended without recovery, as foreign text; derived without.
        explanations: Diagnoses of the snapshot, shared by all messages about it; None to compute them.
        is_digest: Whether the hourly cap held them back.
    """
    builder = _SectionBuilder(snapshot, state, explanations or ExplanationCache(snapshot), withdrawal_reasons or {})
    sections = [builder.section(notification) for notification in _without_repetition(notifications)]
    sections.sort(key=lambda section: -section.severity)
    receiver = notifications[0].receiver
    if len(sections) == 1 and not is_digest:
        return _single(receiver, sections[0])
    keys = "\0".join(notification.idempotency_key for notification in notifications)
    models = {section.model for section in sections}
    shared = [shared.sentence for shared in snapshot.shared_starts if len(models.intersection(shared.models)) > 1]
    return Message(
        receiver=receiver,
        sections=tuple(sections),
        key="group:" + sha256(keys.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        title=template.group_title(sections, digest=is_digest, shared=shared),
        text="\n".join([*shared, *template.group_lines(sections)]),
        is_digest=is_digest,
    )


def build_test_message(receiver: str, now: datetime) -> Message:
    """Return a message that tests a receiver; its keys contain the time, which makes them unique."""
    stamp = sha256(f"{receiver}\0{now.isoformat()}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    section = AlertSection(
        action=NotificationAction.TRIGGER,
        reason=NotificationReason.FIRST,
        severity=Severity.WARNING,
        incident=f"test-{stamp}",
        key=f"test:{stamp}",
        model="test-model",
        metric="accuracy",
        segment="all",
        rule="test",
        title="TEST test-model: accuracy 0.870 < 0.90, nothing is wrong",
        written_at=now,
        sentence=f"This is a test of receiver {sanitize(receiver, 60)}: nothing is wrong, no action is needed.",
        value=0.87,
        limit=0.9,
        value_vs_limit="0.870 < 0.90",
        worst_value=0.87,
        worst_vs_limit="0.870 < 0.90",
        peak_severity=Severity.WARNING,
        since=_floor_to_minute(now),
        fired_at=_floor_to_minute(now),
    )
    return replace(_single(receiver, section), is_test=True)


def build_recovery_message(receiver: str, now: datetime) -> Message:
    """Return the message by which a disabled receiver is probed when there is nothing else to send to it."""
    title = f"receiver {sanitize(receiver, 60)} works again"
    message = build_test_message(receiver, now)
    section = replace(
        message.worst_section,
        action=NotificationAction.RESOLVE,
        reason=NotificationReason.RESOLVED,
        severity=Severity.OK,
        peak_severity=Severity.OK,
        title=title,
        sentence="modeltop could not reach it for a while. It is notified again from now on.",
    )
    return replace(message, sections=(section,), title=title, text=section.sentence)


def _single(receiver: str, section: AlertSection) -> Message:
    return Message(receiver, (section,), section.key, section.title, "\n".join(template.section_lines(section)))


def _without_repetition(notifications: Sequence[Notification]) -> list[Notification]:
    missed: set[str] = set()
    unique = []
    for notification in notifications:
        if notification.reason is NotificationReason.MISSED:
            if notification.incident in missed:
                continue
            missed.add(notification.incident)
        unique.append(notification)
    return unique


@dataclass(frozen=True, slots=True, eq=False)
class _SectionBuilder:
    snapshot: Snapshot
    alerting_state: AlertingState
    explanations: ExplanationCache
    withdrawal_reasons: Mapping[str, str] = field(default_factory=dict)

    def section(self, notification: Notification) -> AlertSection:
        incident = self.alerting_state.incidents.get(notification.incident)
        named, new = _named(incident, notification), self._joined(incident, notification)
        lead = next(iter(new), None) or _lead(incident, named)
        key = SeriesKey(notification.entry_key.model, "*") if lead is None else lead.key
        rule = "" if lead is None else lead.rule
        reason = notification.reason
        is_over = notification.action is NotificationAction.RESOLVE or reason is NotificationReason.MISSED
        can_ack = reason in _ACKNOWLEDGEABLE
        runbooks = (one.runbook for one in self.snapshot.rules if one.name == rule and one.runbook)
        section = AlertSection(
            action=notification.action,
            reason=reason,
            severity=Severity.OK if is_over else notification.level,
            incident=notification.incident,
            key=notification.idempotency_key,
            model=key.model,
            metric=key.metric,
            segment=key.segment,
            rule=rule,
            title="",
            written_at=self.snapshot.taken_at if incident is None else incident.opened_at,
            members=self._members(incident, notification, lead, new),
            verdict=self.explanations.text_for(key.model),
            diagnosis=self.explanations.diagnosis_for(key.model),
            sentence=self._sentence(key, rule),
            state_note=self._state_note(notification),
            condition=self._condition(rule),
            runbook=sanitize(next(runbooks, ""), 1000),
            ack_command=f"modeltop ack {sanitize(notification.incident, 40)}" if can_ack else "",
            pager_incident=notification.pager_incident,
        )
        section = self._with_values(_with_dates(section, incident, lead, named if is_over else ()), lead)
        subject = section.value_vs_limit if section.metric != "*" or can_ack else ""
        if not subject and section.metric == "*" and lead is not None:
            subject = _MODEL_WIDE.get(lead.condition, "")
        # What joined has a level of its own.
        titled = replace(section, severity=new[0].severity) if new else section
        return replace(section, title=template.section_title(titled, subject))

    def _joined(self, incident: TrackedIncident | None, notification: Notification) -> list[Member]:
        entry = self.alerting_state.notifications.get(notification.entry_key)
        if incident is None or entry is None or notification.reason is not NotificationReason.JOINED:
            return []
        new = [
            member
            for member in incident.active_members
            if member.key in notification.members and member.key not in entry.members and incident.joined_late(member)
        ]
        return sorted(new, key=lambda member: (-member.severity, member.key.segment != "all", member.fired))

    def _members(
        self,
        incident: TrackedIncident | None,
        notification: Notification,
        lead: Member | None,
        new: Sequence[Member],
    ) -> tuple[MemberLine, ...]:
        if incident is None:
            return ()
        named = [one for one in incident.members if one.key in notification.members and one is not lead]
        if notification.reason is not NotificationReason.MISSED:
            named = [member for member in named if member.resolved is None]
        named.sort(key=lambda member: (member not in new, -member.severity, member.fired))
        return tuple(
            MemberLine(one.key.metric, one.key.segment, one.rule, one.severity, self._member_text(one), one in new)
            for one in named
        )

    def _member_text(self, member: Member) -> str:
        alert = self._alert(member)
        breach = None if alert is None else alert.breach or alert.worst_breach
        name = template.series_label(member.key.metric, member.key.segment)
        return f"{name} {sanitize(breach.message) if breach is not None else ''}".strip()

    def _with_values(self, section: AlertSection, lead: Member | None) -> AlertSection:
        alert = self._alert(lead) if lead else None
        breach, worst = (alert.breach, alert.worst_breach) if alert else (None, None)
        is_threshold = lead is not None and lead.condition is Condition.THRESHOLD
        limit = breach.limit if breach and is_threshold else None
        series = self.snapshot.history.series.get(SeriesKey(section.model, section.metric, section.segment))
        return replace(
            section,
            value=breach.value if breach and is_threshold else None,
            limit=limit,
            value_vs_limit=sanitize(breach.message, MAX_MESSAGE) if breach else "",
            worst_value=worst.value if worst and is_threshold else None,
            worst_vs_limit=sanitize(worst.message) if worst and is_threshold else "",
            count=alert.count if alert else None,
            chart=sparkline(series, section.written_at, limit) if series is not None else (),
        )

    def _alert(self, member: Member) -> Alert | None:
        """Return the alert that a member is now: of those that overlap it the active one, else the latest."""
        candidates = [
            alert
            for alert in self.snapshot.alerts
            if alert.id is not None and alert.fired is not None and is_same_alert(member, member_of(alert))
        ]
        return max(candidates, key=lambda alert: (alert.resolved is None, alert.since), default=None)

    def _sentence(self, key: SeriesKey, rule: str) -> str:
        if key.metric == "*":
            periods = self.snapshot.history.periods.get(key.model)
            if periods is None or not len(periods):
                return ""
            return f"newest row: {template.in_utc(format_day(to_datetime(periods[-1]), self.snapshot.taken_at))}"
        statuses = self.snapshot.rule_statuses
        sentences = (status.sentence for status in statuses if status.key == key and status.rule == rule)
        return sanitize(next(sentences, ""), 300)

    def _condition(self, name: str) -> str:
        rules = (rule for rule in self.snapshot.rules if rule.name == name)
        sentences = (describe_rule(rule, self.snapshot.catalog.get(rule.metric)) for rule in rules)
        return sanitize(next(sentences, ""), 300)

    def _state_note(self, notification: Notification) -> str:
        if notification.reason is NotificationReason.WITHDRAWN:
            reason = self.withdrawal_reasons.get(notification.incident) or self._withdrawal_reason(notification)
            return sanitize(reason, 300)
        incident = self.alerting_state.incidents.get(notification.incident)
        if notification.reason is NotificationReason.RESOLVED and incident is not None:
            alerts = [alert for alert in map(self._alert, incident.members) if alert is not None]
            is_baseline = ends_as_baseline(alerts, self.alerting_state.baselines)
            return self.withdrawal_reasons.get(notification.incident) or (NEW_BASELINE if is_baseline else "")
        acks = (ack for ack in self.alerting_state.acks if ack.incident == notification.incident)
        if (ack := next(acks, None)) is None:
            return ""
        if notification.reason is NotificationReason.ACKNOWLEDGED:
            because = f": {sanitize(ack.reason)}" if ack.reason else ""
            until = format_minute(ack.until, ack.at)
            return f"acknowledged by {sanitize(ack.by, 60)} until {until}{because}"
        news = {NotificationReason.ESCALATED: "got worse", NotificationReason.JOINED: "an alert joined"}
        change = news.get(notification.reason)
        return f"{change} since {sanitize(ack.by, 60)} acknowledged it" if change else ""

    def _withdrawal_reason(self, notification: Notification) -> str:
        withdrawn = self.alerting_state.incidents.get(notification.incident)
        for other in self.alerting_state.incidents.values():
            if withdrawn is None or other.model != withdrawn.model or other.status is IncidentStatus.WITHDRAWN:
                continue
            if other.fired_at <= withdrawn.fired_at <= (other.resolved_at or self.snapshot.taken_at):
                return f"it became part of {other.id}"
        rules = {rule.name for rule in self.snapshot.rules}
        if withdrawn is None or not rules & {member.rule for member in withdrawn.members}:
            return "the rule was removed"
        if notification.entry_key.model not in self.snapshot.history.periods:
            return "its rows are gone"
        return "no longer a breach: a row came late or was corrected, or the rule was edited"


def _named(incident: TrackedIncident | None, notification: Notification) -> Sequence[Member]:
    members = () if incident is None else incident.members
    return [member for member in members if member.key in notification.members] or members


def _lead(incident: TrackedIncident | None, named: Sequence[Member]) -> Member | None:
    """Return the alert that the message is shown by: that of the incident, else the worst that the receiver is sent."""
    if incident is None:
        return None
    return next(
        (member for member in named if member.id == incident.lead), max(named, key=lambda member: member.severity)
    )


def _with_dates(
    section: AlertSection, incident: TrackedIncident | None, lead: Member | None, ended: Sequence[Member]
) -> AlertSection:
    """Return the section with the dates of the incident, or of its part that `ended` while others are active."""
    if incident is None or lead is None:
        return section
    is_part = bool(ended) and incident.resolved_at is incident.closed_at is None
    resolved_at = incident.resolved_at or (incident.closed_at and _floor_to_minute(incident.closed_at))
    if is_part:
        resolved_at = max((member.resolved for member in ended if member.resolved is not None), default=None)
    is_withdrawn = section.reason is NotificationReason.WITHDRAWN
    return replace(
        section,
        since=incident.started_at if lead.id == incident.lead else lead.since,
        fired_at=min(member.fired for member in ended) if is_part else incident.fired_at,
        resolved_at=resolved_at if ended and not is_withdrawn else None,
        peak_severity=max(member.severity for member in ended) if is_part else incident.peak_severity,
    )


def _floor_to_minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
