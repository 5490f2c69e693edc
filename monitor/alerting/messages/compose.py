"""From deliveries, the snapshot and the facts to a message. Pure: the same of each gives the same message.

No age is in it, only dates: a message that has to be sent again is the same message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from modeltop.alerting.messages import template
from modeltop.alerting.messages.explanation import Reasons
from modeltop.alerting.messages.message import Message, Part
from modeltop.alerting.messages.sparkline import chart
from modeltop.core.event import Delivery, Kind, Reason
from modeltop.core.incident import Facts, Incident, Standing
from modeltop.core.series import Condition, Episode, SeriesKey, Severity, to_datetime
from modeltop.core.text import day, safe
from modeltop.rules.rule import sentence as rule_sentence
from modeltop.rules.snapshot import Snapshot

_WHOLE = {Condition.NO_DATA: "no data", Condition.ERROR: "error"}
_TAKEABLE = (Reason.FIRST, Reason.WORSE, Reason.REPEAT)


def compose(
    deliveries: Sequence[Delivery],
    snapshot: Snapshot,
    facts: Facts,
    *,
    why: Mapping[str, str] | None = None,
    reasons: Reasons | None = None,
    digest: bool = False,
) -> Message:
    """What one receiver is told.

    Args:
        deliveries: At least one, all for the same receiver.
        snapshot: The look that led to them.
        facts: Everything remembered; the incidents of the deliveries are among it.
        why: By incident id, why it was withdrawn; foreign text may be in it. Without, the reason is derived.
        reasons: Those of the snapshot, shared by all messages about it; None: asked for anew.
        digest: They were held back by the hourly cap.
    """
    known = _Known(snapshot, facts, reasons or Reasons(snapshot), why or {})
    parts = tuple(sorted((known.part(one) for one in _once(deliveries)), key=lambda part: -part.severity))
    if len(parts) == 1 and not digest:
        return Message(deliveries[0].receiver, parts, parts[0].key, parts[0].title, "\n".join(template.lines(parts[0])))
    return Message(
        receiver=deliveries[0].receiver,
        parts=parts,
        key=_joined([delivery.key for delivery in deliveries]),
        title=template.group_title(parts, digest=digest),
        text="\n".join(template.group_lines(parts)),
        digest=digest,
    )


def trial(receiver: str, now: datetime) -> Message:
    """A message that only asks whether messages arrive, marked as a test all over.

    Args:
        receiver: Its name in the configuration.
        now: Makes its keys differ from those of the last test.
    """
    stamp = sha256(f"{receiver}\0{now.isoformat()}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    part = Part(
        kind=Kind.TRIGGER,
        reason=Reason.FIRST,
        severity=Severity.WARNING,
        incident=f"test-{stamp}",
        key=f"test:{stamp}",
        model="test-model",
        metric="accuracy",
        segment="all",
        rule="test",
        title="TEST test-model: accuracy 0.87 < 0.90, nothing is wrong",
        sentence=f"This is a test of receiver {safe(receiver, 60)}: nothing is wrong, and nothing has to be done.",
        value=0.87,
        limit=0.9,
        against="0.87 < 0.90",
        worst=0.87,
        worst_against="0.87 < 0.90",
        reached=Severity.WARNING,
        since=_minute(now),
        fired=_minute(now),
    )
    return Message(receiver, (part,), part.key, part.title, "\n".join(template.lines(part)), test=True)


def _once(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Begin and end of what is told late are one thing to say."""
    late: set[str] = set()
    kept = []
    for one in deliveries:
        if one.reason is not Reason.LATE or one.incident not in late:
            kept.append(one)
        if one.reason is Reason.LATE:
            late.add(one.incident)
    return kept


def _joined(keys: Sequence[str]) -> str:
    return "group:" + sha256("\0".join(keys).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """All that a part is written from."""

    snapshot: Snapshot
    facts: Facts
    reasons: Reasons
    why: Mapping[str, str] = field(default_factory=dict)

    def part(self, delivery: Delivery) -> Part:
        incident = self.facts.incidents.get(delivery.incident)
        key, rule = delivery.belief.key, delivery.belief.rule
        over = delivery.kind is Kind.RESOLVE or delivery.reason is Reason.LATE
        bare = Part(
            kind=delivery.kind,
            reason=delivery.reason,
            severity=Severity.OK if over else delivery.level,
            incident=delivery.incident,
            key=delivery.key,
            model=key.model,
            metric=key.metric,
            segment=key.segment,
            rule=rule,
            title="",
            verdict=self.reasons.verdict(key.model),
            diagnosis=self.reasons.of(key.model),
            sentence=self._sentence(key, rule),
            why=self._why(delivery),
            asks=self._asks(rule),
            runbook=self._runbook(rule),
            acknowledge=f"modeltop ack {safe(delivery.incident, 40)}" if delivery.reason in _TAKEABLE else "",
        )
        part = self._measured(_dated(bare, incident, over=over), incident)
        about = part.against if part.metric != "*" or part.reason in _TAKEABLE else ""
        whole = _WHOLE.get(incident.condition, "") if incident else ""
        return replace(part, title=template.title(part, about or (whole if part.metric == "*" else "")))

    def _measured(self, part: Part, incident: Incident | None) -> Part:
        """The part with what the episode and the series say: values, limits, the chart."""
        episode = self._episode(incident) if incident else None
        evidence, worst = (episode.evidence, episode.worst) if episode else (None, None)
        threshold = incident is not None and incident.condition is Condition.THRESHOLD
        limit = evidence.limit if evidence and threshold else None
        series = self.snapshot.history.series.get(SeriesKey(part.model, part.metric, part.segment))
        return replace(
            part,
            value=evidence.value if evidence and threshold else None,
            limit=limit,
            against=safe(evidence.message) if evidence else "",
            worst=worst.value if worst and threshold else None,
            worst_against=safe(worst.message) if worst and threshold else "",
            count=episode.count if episode else None,
            chart=chart(series, limit) if series is not None else (),
        )

    def _episode(self, incident: Incident) -> Episode | None:
        """The episode that the incident is now: of the same rule and series, where their spans meet; the open, else
        the latest one.
        """  # noqa: D205  one sentence
        end = incident.resolved or datetime.max.replace(tzinfo=UTC)
        met = [
            one
            for one in self.snapshot.episodes
            if (one.rule, one.key, one.condition) == (incident.rule, incident.key, incident.condition)
            and one.id is not None
            and one.since <= end
            and (one.resolved is None or one.resolved >= incident.since)
        ]
        return max(met, key=lambda one: (one.resolved is None, one.since), default=None)

    def _sentence(self, key: SeriesKey, rule: str) -> str:
        if key.metric == "*":
            periods = self.snapshot.history.periods.get(key.model)
            return f"newest row: {day(to_datetime(periods[-1]))} UTC" if periods is not None and len(periods) else ""
        said = (one.sentence for one in self.snapshot.standings if one.key == key and one.rule == rule)
        return safe(next(said, ""), 300)

    def _asks(self, rule: str) -> str:
        named = (one for one in self.snapshot.rules if one.name == rule)
        return next((safe(rule_sentence(one, self.snapshot.catalog.of(one.metric)), 300) for one in named), "")

    def _runbook(self, rule: str) -> str:
        named = (one.runbook for one in self.snapshot.rules if one.name == rule and one.runbook)
        return safe(next(named, ""), 1000)

    def _why(self, delivery: Delivery) -> str:
        if delivery.reason is Reason.WITHDRAWN:
            return safe(self.why.get(delivery.incident) or self._withdrawn(delivery), 300)
        ack = next((one for one in self.facts.acks if one.incident == delivery.incident), None)
        if ack is None:
            return ""
        if delivery.reason is Reason.TAKEN:
            reason = f": {safe(ack.why)}" if ack.why else ""
            return f"{safe(ack.by, 60)} has it until {day(_minute(ack.until))} UTC{reason}"
        return f"got worse since {safe(ack.by, 60)} took it" if delivery.reason is Reason.WORSE else ""

    def _withdrawn(self, delivery: Delivery) -> str:
        rule, key = delivery.belief.rule, delivery.belief.key
        gone = self.facts.incidents.get(delivery.incident)
        for other in self.facts.incidents.values():
            same = (other.rule, other.key) == (rule, key) and other.standing is not Standing.WITHDRAWN
            if gone is not None and same and other.since <= gone.fired <= (other.resolved or self.snapshot.taken_at):
                return f"it became part of {other.id}"
        if key.metric != "*" and all(one.name != rule for one in self.snapshot.rules):
            return "the rule was removed"
        if key.model not in self.snapshot.history.periods:
            return "its rows are gone"
        return "by what is known now it was not wrong: a row came late or was corrected, or the rule was edited"


def _dated(part: Part, incident: Incident | None, *, over: bool) -> Part:
    if incident is None:
        return part
    ended = incident.resolved or (incident.closed and _minute(incident.closed))
    withdrawn = part.reason is Reason.WITHDRAWN
    return replace(
        part,
        since=incident.since,
        fired=incident.fired,
        resolved=ended if over and ended and not withdrawn else None,
        reached=incident.worst,
    )


def _minute(moment: datetime) -> datetime:
    """A moment of somebody's clock as people say it."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
