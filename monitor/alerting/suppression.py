"""Who is not told now, and why: silenced, inhibited, muted; and what a person has taken. Pure, at one instant.

Suppressed never means invisible. An acknowledgement is no suppression: it stops only repeats and escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from modeltop.alerting.incidents import find_incident
from modeltop.alerting.routing import MuteTimeInterval
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    Incident,
    IncidentStatus,
    Matchers,
    Silence,
    Suppression,
)
from modeltop.core.series import Alert, Condition, SeriesKey, Severity
from modeltop.core.text import pluralize

LONGEST = timedelta(days=30)
"""A silence lasts no longer: what is to be told never again is a rule to be changed."""
_ODD = ("a", "Zz-9_", "=ü x/[")
"""Names that no data has all of: a glob that matches each of them narrows nothing down."""
_WHOLE = {Condition.ERROR: "its source cannot be read", Condition.NO_DATA: "the model has stopped reporting"}


def suppressions(
    episodes: Iterable[Alert], facts: AlertingState, mutes: Sequence[MuteTimeInterval], now: datetime
) -> dict[str, Suppression]:
    """Why nobody is told of an alert now, by the id of the episode; only those that stand are looked at."""
    standing = [episode for episode in episodes if episode.id is not None and episode.is_active]
    hush = Suppressor.at(
        facts, mutes, now, {one.key.model: one.condition for one in standing if one.condition in _WHOLE}
    )
    found = {one.id: hush.reason(one.rule, one.key, one.condition, one.severity) for one in standing}
    return {name: why for name, why in found.items() if name is not None and why is not None}


@dataclass(frozen=True, slots=True)
class Suppressor:
    """All that keeps people from being told, at one moment."""

    silences: tuple[Silence, ...]
    mutes: tuple[MuteTimeInterval, ...]
    inhibitions: dict[str, Condition]
    """Models of which nothing can be known, and why."""

    @classmethod
    def at(
        cls, facts: AlertingState, mutes: Sequence[MuteTimeInterval], now: datetime, inhibitions: dict[str, Condition]
    ) -> Suppressor:
        """What holds at a moment.

        Args:
            facts: The silences; those that ended more than 5 days ago are forgotten.
            mutes: Those of the configuration.
            now: The moment; it may be past.
            inhibitions: By model, an alert about it as a whole. A source that cannot be read stands where a model would,
                so it covers a model of the same name alone: whose rows were in it nobody can know.
        """
        silences = tuple(silence for silence in facts.silences if silence.active(now))
        return cls(silences, tuple(mute for mute in mutes if mute.active(now)), inhibitions)

    @classmethod
    def from_incidents(cls, facts: AlertingState, mutes: Sequence[MuteTimeInterval], now: datetime) -> Suppressor:
        """The same, where what covers a model is an incident that was open at the moment."""
        return cls.at(facts, mutes, now, inhibitions(model_wide(facts), now))

    def reason(self, rule: str, key: SeriesKey, condition: Condition, level: Severity) -> Suppression | None:
        """Why nobody is told of such an alert; None where people are."""
        for silence in self.silences:
            if silence.matchers.match_labels(rule, key, level):
                said = f"silenced by {silence.by} until {_said(silence.end)}: {silence.reason}"
                return Suppression("silenced", said, silence.end)
        if condition is Condition.THRESHOLD and key.model in self.inhibitions:
            return Suppression("inhibited", f"inhibited: {_WHOLE[self.inhibitions[key.model]]}")
        for mute in self.mutes:
            if mute.matchers.match_labels(rule, key, level):
                return Suppression("muted", f"muted by the schedule {mute.name}")
        return None


def model_wide(facts: AlertingState) -> list[Incident]:
    """Incidents about a model or a source as a whole."""
    return [one for one in facts.incidents.values() if one.condition in _WHOLE]


def inhibitions(incidents: Iterable[Incident], moment: datetime) -> dict[str, Condition]:
    """By model, such an incident that was open at a moment."""
    return {one.key.model: one.condition for one in incidents if _open_at(one, moment)}


def acknowledged_alerts(episodes: Iterable[Alert], facts: AlertingState, now: datetime) -> dict[str, Acknowledgement]:
    """Who has taken which alert, by the id of the episode.

    An acknowledgement holds until the alert is worse than when it was taken, is over, the time has come, or the
    person gives it back. Where no watcher has seen the alert, it is the first one that meets the time from which it
    was taken on; what begins after an end has not been taken by anybody.
    """
    acks = [ack for ack in facts.acks if now < ack.until]
    if not acks:
        return {}
    pairs = {(ack.rule, ack.key) for ack in acks}
    known = [episode for episode in episodes if (episode.rule, episode.key) in pairs and episode.id is not None]
    found: dict[str, Acknowledgement] = {}
    for episode in known:
        holding = (ack for ack in acks if episode.is_active and _holds(ack, episode, known, facts))
        if episode.id is not None and (ack := next(holding, None)) is not None:
            found[episode.id] = ack
    return found


def acknowledged_incidents(facts: AlertingState, now: datetime) -> dict[str, Acknowledgement]:
    """The same for the open incidents, by their own ids."""
    found: dict[str, Acknowledgement] = {}
    for ack in facts.acks:
        incident = facts.incidents.get(ack.incident) or _unseen(ack, facts)
        holds = incident is not None and incident.status is IncidentStatus.OPEN and now < ack.until
        if incident is not None and holds and incident.level <= ack.level:
            found.setdefault(incident.id, ack)
    return found


def _unseen(ack: Acknowledgement, facts: AlertingState) -> Incident | None:
    """The incident that was taken before the watcher saw it, by another id: late rows had moved its begin."""
    of_pair = [one for one in facts.incidents.values() if (one.rule, one.key) == (ack.rule, ack.key)]
    met = [one for one in of_pair if one.resolved_at is None or one.resolved_at >= ack.since]
    return min(met, key=lambda one: one.since, default=None)


def _holds(ack: Acknowledgement, episode: Alert, known: Sequence[Alert], facts: AlertingState) -> bool:
    if (ack.rule, ack.key) != (episode.rule, episode.key) or episode.severity > ack.level:
        return False
    incident = find_incident(episode, facts)
    if incident is not None and ack.incident in facts.incidents:
        return incident.id == ack.incident
    before = (one for one in known if (one.rule, one.key) == (ack.rule, ack.key) and one.resolved is not None)
    return not any(one.resolved is not None and one.resolved >= ack.since for one in before)


@dataclass(frozen=True, slots=True)
class SilencePreview:
    """What a silence would do, before it is made."""

    matching: tuple[Alert, ...]
    """Alerts that stand and would be silenced."""
    active_count: int
    """Alerts that stand at all."""

    @property
    def warning(self) -> str | None:
        """Said where it is more than half of them."""
        if 2 * len(self.matching) <= self.active_count:
            return None
        return f"that is {len(self.matching)} of {pluralize(self.active_count, 'standing alert')}, more than half"


def preview_silence(matchers: Matchers, episodes: Iterable[Alert]) -> SilencePreview:
    """How many of the alerts that stand would be silenced."""
    standing = [episode for episode in episodes if episode.is_active]
    return SilencePreview(tuple(episode for episode in standing if matchers.match(episode)), len(standing))


def silence_error(
    matchers: Matchers, start: datetime, end: datetime, why: str, episodes: Iterable[Alert]
) -> str | None:
    """Why such a silence is refused, in one clause with the remedy; None where it may be made.

    Args:
        matchers: Which alerts.
        start: Its begin, aware.
        end: Not part of it.
        why: The reason that the person gave.
        episodes: All that are known; a glob that matches each of their names, and others, narrows nothing down.
    """
    if not why.strip():
        return "a silence needs a reason: say why, so that others know"
    if end <= start:
        return "the silence would end before it begins: give a later end"
    if end - start > LONGEST:
        return "a silence lasts 30 days at most: give an earlier end, or change the rule"
    if _matches_everything(matchers, episodes):
        return "the silence would match everything: name a model, metric, segment, rule or severity"
    return None


def _matches_everything(matchers: Matchers, episodes: Iterable[Alert]) -> bool:
    known = list(episodes)
    names = (
        (matchers.model, {one.key.model for one in known}),
        (matchers.metric, {one.key.metric for one in known}),
        (matchers.segment, {one.key.segment for one in known}),
        (matchers.rule, {one.rule for one in known}),
    )
    levels = all(fnmatchcase(word, matchers.severity) for word in ("warning", "unknown", "critical"))
    return levels and all(fnmatchcase(name, glob) for glob, found in names for name in (*_ODD, *found))


def _open_at(incident: Incident, now: datetime) -> bool:
    return incident.opened_at <= now and (incident.closed_at is None or now < incident.closed_at)


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
