"""Suppressed alerts (silenced, inhibited, muted), and those that a person has acknowledged. Pure.

A suppressed alert stays visible everywhere. An acknowledgement is no suppression: it stops only repeats and escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from modeltop.alerting.routing import MuteTimeInterval
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    Incident,
    IncidentStatus,
    Matchers,
    Member,
    Silence,
    Suppression,
    TrackedIncident,
)
from modeltop.core.series import Alert, Condition, SeriesKey, Severity, is_model_wide
from modeltop.core.text import format_minute, pluralize

MAX_SILENCE = timedelta(days=30)
"""Maximum duration of a silence; to stop an alert for longer, change its rule."""
_PROBES = ("a", "Zz-9_", "=ü x/[")
"""Names that no data has all of: a glob that matches each of them selects everything."""
_MODEL_WIDE = {Condition.ERROR: "its source cannot be read", Condition.NO_DATA: "the model has stopped reporting"}


def suppressions(
    alerts: Iterable[Alert], state: AlertingState, mutes: Sequence[MuteTimeInterval], now: datetime
) -> dict[str, Suppression]:
    """Return by alert id why it is suppressed at a timezone-aware moment; only active alerts are considered."""
    active = [alert for alert in alerts if alert.id is not None and alert.is_active]
    inhibitions = {alert.key.model: alert.condition for alert in active if alert.is_model_wide}
    suppressor = Suppressor.at(state, mutes, now, inhibitions)
    reasons = {alert.id: suppressor.reason(alert.rule, alert.key, alert.condition, alert.severity) for alert in active}
    return {name: reason for name, reason in reasons.items() if name is not None and reason is not None}


@dataclass(frozen=True, slots=True)
class Suppressor:
    """Everything that suppresses notifications at one moment."""

    silences: tuple[Silence, ...]
    mutes: tuple[MuteTimeInterval, ...]
    inhibitions: dict[str, Condition]
    """By model, the model-wide condition that inhibits its other alerts."""

    @classmethod
    def at(
        cls,
        state: AlertingState,
        mutes: Sequence[MuteTimeInterval],
        now: datetime,
        inhibitions: dict[str, Condition],
        *,
        present: datetime | None = None,
    ) -> Suppressor:
        """Select the silences, mutes and inhibitions in force at a timezone-aware moment, up to 5 days ago.

        In `inhibitions`, an unreadable source is listed as if it were a model, so it inhibits only a model of the same
        name: the models of its rows are unknown. `present` is the present if `now` is past: a silence that was set by
        a clock ahead of it is not in force.
        """
        present = now if present is None else present
        silences = tuple(silence for silence in state.silences if silence.active(now) and silence.is_credible(present))
        return cls(silences, tuple(mute for mute in mutes if mute.active(now)), inhibitions)

    def reason(self, rule: str, key: SeriesKey, condition: Condition, level: Severity) -> Suppression | None:
        """Return why an alert with these labels is suppressed; None if it is not."""
        for silence in self.silences:
            if silence.matchers.match_labels(rule, key, level):
                text = f"silenced by {silence.by} until {format_minute(silence.end, silence.start)}: {silence.reason}"
                return Suppression("silenced", text, silence.end)
        is_of_series = condition is Condition.THRESHOLD or (condition is Condition.NO_DATA and key.metric != "*")
        if is_of_series and key.model in self.inhibitions:
            return Suppression("inhibited", f"inhibited: {_MODEL_WIDE[self.inhibitions[key.model]]}")
        for mute in self.mutes:
            if mute.matchers.match_labels(rule, key, level):
                return Suppression("muted", f"muted by the schedule {mute.name}")
        return None


def model_wide(state: AlertingState) -> list[tuple[TrackedIncident, Member]]:
    """Return the alerts about a model or a source, with their incidents: they inhibit those about its metrics."""
    return [
        (incident, member)
        for incident in state.incidents.values()
        for member in incident.members
        if is_model_wide(member.condition, member.key)
    ]


def inhibitions(model_wide: Iterable[tuple[TrackedIncident, Member]], moment: datetime) -> dict[str, Condition]:
    """Return by model the condition of such an alert that was active at an aware moment."""
    return {
        incident.model: member.condition
        for incident, member in model_wide
        if incident.opened_at <= moment
        and (incident.closed_at is None or moment < incident.closed_at)
        and (member.resolved is None or moment < member.resolved)
    }


def acknowledged_alerts(
    incidents: Iterable[Incident], alerts: Iterable[Alert], state: AlertingState, now: datetime
) -> dict[str, Acknowledgement]:
    """Return by the id of each active alert of an open incident the acknowledgement that is in force.

    It is until the incident is worse than when it was acknowledged, is over, a critical alert joins it late, the time
    has come, or a person undoes it.
    """
    acks = {ack.incident: ack for ack in state.acks if now < ack.until and ack.is_credible(now)}
    if not acks:
        return {}
    active = {alert.id: alert for alert in alerts if alert.is_active and alert.id is not None}
    acknowledged: dict[str, Acknowledgement] = {}
    for incident in incidents:
        ack, tracked = acks.get(incident.id), state.incidents.get(incident.id)
        is_open = incident.status is IncidentStatus.OPEN
        if ack is None or not is_open or incident.severity > ack.level or (tracked and ack_end_reason(ack, tracked)):
            continue
        acknowledged |= {name: ack for name in incident.alerts if name in active}
    return acknowledged


def acknowledged_incidents(state: AlertingState, now: datetime) -> dict[str, Acknowledgement]:
    """Return by incident id the acknowledgement in force, of open incidents."""
    acknowledged: dict[str, Acknowledgement] = {}
    for ack in state.acks:
        incident = state.incidents.get(ack.incident)
        if incident is None or incident.status is not IncidentStatus.OPEN:
            continue
        if now < ack.until and ack.is_credible(now) and ack_end_reason(ack, incident) is None:
            acknowledged[incident.id] = ack
    return acknowledged


def ack_end_reason(ack: Acknowledgement, incident: TrackedIncident) -> str | None:
    """Return why an open incident that was acknowledged is no more, in a clause; None if it is."""
    if incident.level > ack.level:
        return "the incident got worse"
    new = (member for member in incident.members if member.fired > ack.seen_until)
    if any(member.severity is Severity.CRITICAL and incident.joined_late(member) for member in new):
        return "a critical alert joined"
    return None


@dataclass(frozen=True, slots=True)
class SilencePreview:
    """What a silence would do, before it is created."""

    matching: tuple[Alert, ...]
    active_count: int

    @property
    def warning(self) -> str | None:
        """A clause if it would silence more than half of them; else None."""
        if 2 * len(self.matching) <= self.active_count:
            return None
        return f"that is {len(self.matching)} of {pluralize(self.active_count, 'active alert')}, more than half"


def preview_silence(matchers: Matchers, alerts: Iterable[Alert]) -> SilencePreview:
    """Return which of the active alerts a silence would match."""
    active = [alert for alert in alerts if alert.is_active]
    matching = (alert for alert in active if matchers.match_labels(alert.rule, alert.key, alert.severity))
    return SilencePreview(tuple(matching), len(active))


def silence_error(
    matchers: Matchers, start: datetime, end: datetime, reason: str, alerts: Iterable[Alert]
) -> str | None:
    """Return why a silence is refused, in one clause with the remedy; None if it may be created.

    A glob that matches the names of all `alerts`, and others, selects everything. `end` is exclusive.
    """
    if not reason.strip():
        return "reason required: say why for your team"
    if end <= start:
        return "the silence would end before it starts: give a later end"
    if end - start > MAX_SILENCE:
        return "a silence lasts 30 days at most: give an earlier end, or change the rule"
    if _matches_everything(matchers, alerts):
        return "the silence would match everything: name a model, metric, segment, rule or severity"
    return None


def _matches_everything(matchers: Matchers, alerts: Iterable[Alert]) -> bool:
    alerts = list(alerts)
    globs = (
        (matchers.model, {alert.key.model for alert in alerts}),
        (matchers.metric, {alert.key.metric for alert in alerts}),
        (matchers.segment, {alert.key.segment for alert in alerts}),
        (matchers.rule, {alert.rule for alert in alerts}),
    )
    all_levels = all(fnmatchcase(level, matchers.severity) for level in ("warning", "unknown", "critical"))
    return all_levels and all(fnmatchcase(name, glob) for glob, names in globs for name in (*_PROBES, *names))
