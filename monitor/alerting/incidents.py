"""Episodes followed over time: late rows, corrected rows and edited rules move an episode, its incident stays.

What is open has no end yet: where it ended and began anew between two looks, the same incident goes on.

What is past is told apart from what was missed by data time alone. The watcher remembers, per model, the newest
period of its last look (`Look.newest`). An episode that is over and was never seen open is

- **owed** where the model was known at that look, the row that ended it is newer than that, and the period of this
  row ended less than a day ago: it fired and ended between two looks, or within one read;
- **known** where the same holds, but it ended a day ago or more: it goes to the journal alone, in one line;
- **past** otherwise: the first look at all, the first look at a model, rows that came late or were imported behind
  what was known, a rule that was edited. It is not even journaled: it is a replay away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from modeltop.core.event import IncidentChanged, IncidentTransition
from modeltop.core.incident import AlertingState, Incident, IncidentStatus
from modeltop.core.series import Alert, Condition, History, SeriesKey, to_datetime, to_datetime64
from modeltop.core.series import RuleStatus as RuleStanding
from modeltop.core.stats.robust import median
from modeltop.rules.rule import Rule

MISSED_LIMIT = timedelta(hours=24)
"""What ended longer ago is not told any more to who was not told of it."""
LOST_AFTER = timedelta(hours=24)
"""An incident whose rows are gone stays for so long as it was."""
RETENTION = timedelta(days=30)
"""Older incidents are not remembered, so they are not journaled either."""
GAPS = 60
_CLAIMS = (IncidentStatus.WITHDRAWN, IncidentStatus.RESOLVED, IncidentStatus.OPEN)
_END = datetime.max.replace(tzinfo=UTC)
RuleAndSeries = tuple[str, SeriesKey]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationScope:
    """What one look could see at all: what is not in it has not ended."""

    history: History
    evaluated: frozenset[RuleAndSeries]
    """Pairs of rule and series that were judged."""
    rules: frozenset[str]
    """Rules in force."""

    @classmethod
    def from_statuses(
        cls, history: History, standings: Iterable[RuleStanding], rules: Iterable[Rule]
    ) -> EvaluationScope:
        """What a snapshot looked at; of `standings`, those that were left out were not judged."""
        asked = frozenset((one.rule, one.key) for one in standings if one.skip_reason is None)
        return cls(history, asked, frozenset(rule.name for rule in rules))

    def newest_periods(self, now: datetime) -> dict[str, datetime]:
        """Per model, its newest period that is not ahead of `now`; the watcher keeps it for the next look."""
        stamp = to_datetime64(now)
        found: dict[str, datetime] = {}
        for model, times in self.history.periods.items():
            if index := int(np.searchsorted(times, stamp, "right")):
                found[model] = to_datetime(times[index - 1])
        return found

    def end_of(self, episode: Alert) -> datetime:
        """End of the period that ended the episode: its start and the usual gap between the model's last periods."""
        assert episode.resolved is not None, "only what is over has ended"
        gaps = np.diff(self.history.periods.get(episode.key.model, np.array([], "datetime64[us]"))[-GAPS - 1 :])
        usual = timedelta(microseconds=float(median(gaps.astype(np.float64)))) if len(gaps) else timedelta()
        return episode.resolved + usual

    @property
    def failing_sources(self) -> frozenset[str]:
        """Sources that cannot be read, whether or not that is an alert yet."""
        return frozenset(problem.source for problem in self.history.problems if problem.fatal)

    def includes(self, incident: Incident) -> bool:
        """Whether the rows that led to the incident are within what was read."""
        if incident.condition is Condition.NO_DATA:
            return incident.key.model in self.history.periods
        series = self.history.series.get(incident.key)
        return (
            series is not None
            and len(series) > 0
            and to_datetime(series.times[0]) <= incident.fired_at <= series.newest
        )


def track_incidents(
    episodes: Iterable[Alert],
    facts: AlertingState,
    now: datetime,
    *,
    scope: EvaluationScope,
    previous_newest: Mapping[str, datetime],
    first_look: bool = False,
) -> tuple[IncidentChanged, ...]:
    """What happened to incidents since the last look, to be journaled before anybody is told.

    Args:
        episodes: All of the look, those of the past among them.
        facts: What is known; folding the answer into it and asking again gives nothing.
        now: The watcher's clock, never behind the journal.
        scope: What could be seen.
        previous_newest: `Look.newest` of the last look, that of an earlier process included; empty: nothing is known, and all
            that is over is past.
        first_look: The journal has never seen a watcher: only what stands is an incident.
    """
    glance = _Tracker(now, scope, {} if first_look else previous_newest)
    found: dict[RuleAndSeries, list[Alert]] = defaultdict(list)
    for episode in episodes:
        if episode.fired is not None and episode.id is not None:
            found[episode.rule, episode.key].append(episode)
    known: dict[RuleAndSeries, list[Incident]] = defaultdict(list)
    for incident in facts.incidents.values():
        known[incident.rule, incident.key].append(incident)
    events: list[IncidentChanged] = []
    for pair in dict.fromkeys([*found, *known]):
        events += glance.match(found.get(pair, ()), known.get(pair, ()), facts)
    return tuple(events)


def find_incident(episode: Alert, facts: AlertingState) -> Incident | None:
    """The incident that an episode is by what is known; None where the watcher has not seen it.

    Of several that meet: for one that stands the open one, for one that is over an ended one; else the latest.
    """
    if episode.fired is None:
        return None
    met = [
        one
        for one in facts.incidents.values()
        if (one.rule, one.key) == (episode.rule, episode.key) and _meet(one, episode)
    ]
    return max(met, key=lambda one: ((one.status is IncidentStatus.OPEN) == episode.is_active, one.since), default=None)


@dataclass(frozen=True, slots=True)
class _Tracker:
    now: datetime
    scope: EvaluationScope
    previous_newest: Mapping[str, datetime]

    def match(
        self, episodes: Sequence[Alert], incidents: Sequence[Incident], facts: AlertingState
    ) -> list[IncidentChanged]:
        """What happened to the incidents of one rule and series."""
        owners: dict[str, Incident] = {}
        pieces: set[str | None] = set()
        events: list[IncidentChanged | None] = []
        # The open one chooses first, then the latest: what is told now matters more than what was. Last one that became
        # part of another, which may have been moved to where it began.
        for incident in sorted(incidents, key=lambda one: (_CLAIMS.index(one.status), one.since), reverse=True):
            met = [one for one in episodes if _meet(incident, one)]
            chosen = max((one for one in met if one.id not in owners), key=_precedence, default=None)
            if chosen is not None:
                owners[str(chosen.id)] = incident
                events.append(self._change(incident, chosen))
            elif met:
                events.append(self._merged(incident, owners[str(met[-1].id)]))
            else:
                events.append(self._absent(incident))
            # What an incident was split into belongs to it with all its pieces.
            pieces |= {one.id for one in met}
        for episode in episodes:
            if episode.id not in pieces and episode.id not in facts.incidents:
                events += self._new(episode)
        return [event for event in events if event is not None]

    def _new(self, episode: Alert) -> list[IncidentChanged]:
        if episode.resolved is None:
            return [self._say(IncidentTransition.FIRED, _opened(episode, self.now), _evidence(episode))]
        frontier = self.previous_newest.get(episode.key.model)
        if frontier is None or episode.resolved <= frontier:
            return []
        ended = min(self.scope.end_of(episode), self.now)
        if self.now - ended >= RETENTION:
            return []
        whole = _opened(episode, self.now)
        over = replace(whole, resolved_at=episode.resolved, closed_at=ended, status=IncidentStatus.RESOLVED)
        if self.now - ended >= MISSED_LIMIT:
            return [self._say(IncidentTransition.ALREADY_OVER, over, _evidence(episode))]
        return [
            self._say(IncidentTransition.FIRED, whole, _evidence(episode)),
            self._say(IncidentTransition.RESOLVED, over, _evidence(episode)),
        ]

    def _change(self, incident: Incident, episode: Alert) -> IncidentChanged | None:
        """What became of an incident whose episode is there."""
        over = episode.resolved is not None
        was_open = incident.status is IncidentStatus.OPEN
        after = replace(
            incident,
            since=episode.since,
            fired_at=episode.fired or episode.since,
            condition=episode.condition,
            level=incident.level if over else episode.severity,
            peak_severity=episode.severity if over else max(episode.severity, incident.peak_severity),
            resolved_at=episode.resolved,
            status=IncidentStatus.RESOLVED if over else IncidentStatus.OPEN,
            missing_since=None,
        )
        if over and was_open:
            ended = self.scope.end_of(episode)
            after = replace(after, closed_at=self.now if self.now - ended < MISSED_LIMIT else ended)
            return self._say(IncidentTransition.RESOLVED, after, _evidence(episode))
        if not over and not was_open:
            after = replace(after, opened_at=self.now, closed_at=None)
            return self._say(IncidentTransition.FIRED, after, _evidence(episode))
        if after == incident:
            return None
        return self._say(_course(incident, after), after, _evidence(episode))

    def _merged(self, incident: Incident, into: Incident) -> IncidentChanged | None:
        if incident.status is IncidentStatus.WITHDRAWN:
            return None
        return self._end(incident, IncidentTransition.MERGED, f"it became part of {into.id}")

    def _absent(self, incident: Incident) -> IncidentChanged | None:
        """What became of an incident whose episode is nowhere to be found."""
        if incident.condition is not Condition.THRESHOLD:
            return self._recovered(incident)
        if incident.status is IncidentStatus.WITHDRAWN:
            return None
        if incident.rule not in self.scope.rules:
            return self._end(incident, IncidentTransition.WITHDRAWN, "the rule was removed")
        if not self.scope.includes(incident):
            return self._missing(incident) if incident.status is IncidentStatus.OPEN else None
        if (incident.rule, incident.key) not in self.scope.evaluated:
            return self._end(incident, IncidentTransition.WITHDRAWN, "the rule no longer asks about this series")
        why = "by what is known now it was not wrong: a row came late or was corrected, or the rule was edited"
        return self._end(incident, IncidentTransition.WITHDRAWN, why)

    def _recovered(self, incident: Incident) -> IncidentChanged | None:
        """Rows came again, or a source can be read again; such an alert leaves no trace in the data."""
        if incident.status is not IncidentStatus.OPEN:
            return None
        if incident.condition is Condition.ERROR:
            if incident.key.model in self.scope.failing_sources:
                return None
            said = "the source can be read again"
        elif not self.scope.includes(incident):
            return self._missing(incident)
        else:
            said = "rows came again"
        after = replace(
            incident, resolved_at=self.now, closed_at=self.now, status=IncidentStatus.RESOLVED, missing_since=None
        )
        return self._say(IncidentTransition.RESOLVED, after, said)

    def _missing(self, incident: Incident) -> IncidentChanged | None:
        """Rows that are gone are no recovery; only after a day, with all sources readable, the alert is withdrawn."""
        if self.scope.failing_sources:
            return None
        if incident.missing_since is None:
            why = "its rows are gone; it stays as it was for a day"
            return self._say(IncidentTransition.MISSING, replace(incident, missing_since=self.now), why)
        if self.now - incident.missing_since < LOST_AFTER:
            return None
        return self._end(incident, IncidentTransition.WITHDRAWN, "its rows have been gone for a day")

    def _end(self, incident: Incident, course: IncidentTransition, why: str) -> IncidentChanged:
        closed = incident.closed_at or self.now
        return self._say(
            course, replace(incident, closed_at=closed, status=IncidentStatus.WITHDRAWN, missing_since=None), why
        )

    def _say(self, course: IncidentTransition, incident: Incident, message: str) -> IncidentChanged:
        return IncidentChanged(self.now, course, incident, message)


def _course(before: Incident, after: Incident) -> IncidentTransition:
    if after.status is IncidentStatus.OPEN and after.level != before.level:
        return IncidentTransition.ESCALATED if after.level > before.level else IncidentTransition.DEESCALATED
    if before.missing_since is not None and (before.since, before.fired_at) == (after.since, after.fired_at):
        return IncidentTransition.MISSING
    return IncidentTransition.MOVED


def _opened(episode: Alert, now: datetime) -> Incident:
    assert episode.id is not None, "what is pending is no incident"
    return Incident(
        id=episode.id,
        rule=episode.rule,
        key=episode.key,
        condition=episode.condition,
        since=episode.since,
        fired_at=episode.fired or episode.since,
        level=episode.severity,
        peak_severity=episode.severity,
        opened_at=now,
    )


def _precedence(episode: Alert) -> tuple[bool, datetime]:
    return episode.resolved is None, episode.since


def _meet(incident: Incident, episode: Alert) -> bool:
    """Whether the spans have a moment in common; what is open has no end yet."""
    return incident.since <= (episode.resolved or _END) and episode.since <= (incident.resolved_at or _END)


def _evidence(episode: Alert) -> str:
    said = episode.breach if episode.is_active else episode.worst_breach or episode.breach
    return said.message if said is not None else ""
