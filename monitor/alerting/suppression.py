"""Who is not told now, and why: silenced, inhibited, muted; and what a person has taken. Pure, at one instant.

Suppressed never means invisible. An acknowledgement is no suppression: it stops only repeats and escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from modeltop.alerting.incidents import incident_of
from modeltop.alerting.routing import Mute
from modeltop.core.incident import Ack, Facts, Incident, Matchers, Silence, Standing, Suppression
from modeltop.core.series import Condition, Episode, SeriesKey, Severity
from modeltop.core.text import plural

LONGEST = timedelta(days=30)
"""A silence lasts no longer: what is to be told never again is a rule to be changed."""
_ODD = ("a", "Zz-9_", "=ü x/[")
"""Names that no data has all of: a glob that matches each of them narrows nothing down."""
_WHOLE = {Condition.ERROR: "its source cannot be read", Condition.NO_DATA: "the model has stopped reporting"}


def suppressions(
    episodes: Iterable[Episode], facts: Facts, mutes: Sequence[Mute], now: datetime
) -> dict[str, Suppression]:
    """Why nobody is told of an alert now, by the id of the episode; only those that stand are looked at."""
    standing = [episode for episode in episodes if episode.id is not None and episode.stands]
    hush = Hush.at(facts, mutes, now, {one.key.model: one.condition for one in standing if one.condition in _WHOLE})
    found = {one.id: hush.why(one.rule, one.key, one.condition, one.severity) for one in standing}
    return {name: why for name, why in found.items() if name is not None and why is not None}


@dataclass(frozen=True, slots=True)
class Hush:
    """All that keeps people from being told, at one moment."""

    silences: tuple[Silence, ...]
    mutes: tuple[Mute, ...]
    covers: dict[str, Condition]
    """Models of which nothing can be known, and why."""

    @classmethod
    def at(cls, facts: Facts, mutes: Sequence[Mute], now: datetime, covers: dict[str, Condition]) -> Hush:
        """What holds at a moment.

        Args:
            facts: The silences; those that ended more than 5 days ago are forgotten.
            mutes: Those of the configuration.
            now: The moment; it may be past.
            covers: By model, an alert about it as a whole. A source that cannot be read stands where a model would,
                so it covers a model of the same name alone: whose rows were in it nobody can know.
        """
        silences = tuple(silence for silence in facts.silences if silence.active(now))
        return cls(silences, tuple(mute for mute in mutes if mute.active(now)), covers)

    @classmethod
    def of_incidents(cls, facts: Facts, mutes: Sequence[Mute], now: datetime) -> Hush:
        """The same, where what covers a model is an incident that was open at the moment."""
        return cls.at(facts, mutes, now, covers(whole(facts), now))

    def why(self, rule: str, key: SeriesKey, condition: Condition, level: Severity) -> Suppression | None:
        """Why nobody is told of such an alert; None where people are."""
        for silence in self.silences:
            if silence.matchers.match_labels(rule, key, level):
                said = f"silenced by {silence.by} until {_said(silence.end)}: {silence.why}"
                return Suppression("silenced", said, silence.end)
        if condition is Condition.THRESHOLD and key.model in self.covers:
            return Suppression("inhibited", f"inhibited: {_WHOLE[self.covers[key.model]]}")
        for mute in self.mutes:
            if mute.matchers.match_labels(rule, key, level):
                return Suppression("muted", f"muted by the schedule {mute.name}")
        return None


def whole(facts: Facts) -> list[Incident]:
    """Incidents about a model or a source as a whole."""
    return [one for one in facts.incidents.values() if one.condition in _WHOLE]


def covers(incidents: Iterable[Incident], moment: datetime) -> dict[str, Condition]:
    """By model, such an incident that was open at a moment."""
    return {one.key.model: one.condition for one in incidents if _open_at(one, moment)}


def taken(episodes: Iterable[Episode], facts: Facts, now: datetime) -> dict[str, Ack]:
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
    found: dict[str, Ack] = {}
    for episode in known:
        holding = (ack for ack in acks if episode.stands and _holds(ack, episode, known, facts))
        if episode.id is not None and (ack := next(holding, None)) is not None:
            found[episode.id] = ack
    return found


def taken_incidents(facts: Facts, now: datetime) -> dict[str, Ack]:
    """The same for the open incidents, by their own ids."""
    found: dict[str, Ack] = {}
    for ack in facts.acks:
        incident = facts.incidents.get(ack.incident) or _unseen(ack, facts)
        holds = incident is not None and incident.standing is Standing.OPEN and now < ack.until
        if incident is not None and holds and incident.level <= ack.level:
            found.setdefault(incident.id, ack)
    return found


def _unseen(ack: Ack, facts: Facts) -> Incident | None:
    """The incident that was taken before the watcher saw it, by another id: late rows had moved its begin."""
    of_pair = [one for one in facts.incidents.values() if (one.rule, one.key) == (ack.rule, ack.key)]
    met = [one for one in of_pair if one.resolved is None or one.resolved >= ack.since]
    return min(met, key=lambda one: one.since, default=None)


def _holds(ack: Ack, episode: Episode, known: Sequence[Episode], facts: Facts) -> bool:
    if (ack.rule, ack.key) != (episode.rule, episode.key) or episode.severity > ack.level:
        return False
    incident = incident_of(episode, facts)
    if incident is not None and ack.incident in facts.incidents:
        return incident.id == ack.incident
    before = (one for one in known if (one.rule, one.key) == (ack.rule, ack.key) and one.resolved is not None)
    return not any(one.resolved is not None and one.resolved >= ack.since for one in before)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a silence would do, before it is made."""

    matched: tuple[Episode, ...]
    """Alerts that stand and would be silenced."""
    standing: int
    """Alerts that stand at all."""

    @property
    def warning(self) -> str | None:
        """Said where it is more than half of them."""
        if 2 * len(self.matched) <= self.standing:
            return None
        return f"that is {len(self.matched)} of {plural(self.standing, 'standing alert')}, more than half"


def preview(matchers: Matchers, episodes: Iterable[Episode]) -> Preview:
    """How many of the alerts that stand would be silenced."""
    standing = [episode for episode in episodes if episode.stands]
    return Preview(tuple(episode for episode in standing if matchers.match(episode)), len(standing))


def objection(matchers: Matchers, start: datetime, end: datetime, why: str, episodes: Iterable[Episode]) -> str | None:
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


def _matches_everything(matchers: Matchers, episodes: Iterable[Episode]) -> bool:
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
    return incident.opened <= now and (incident.closed is None or now < incident.closed)


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
