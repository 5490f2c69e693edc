"""Who is told of what, and when: pure predicates over what was configured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from modeltop.core.incident import Incident, Matchers
from modeltop.core.series import Severity
from modeltop.rules.rule import Rule

WEEK = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A weekly stretch of time in a zone; across midnight where `end` is not after `start`."""

    days: tuple[int, ...] = WEEK
    """Days on which it begins, Monday is 0."""
    start: time = time(0)
    end: time = time(0)
    """Not part of it; equal to `start`: the whole day."""
    zone: tzinfo = UTC

    def contains(self, now: datetime) -> bool:
        """Whether the moment lies in it.

        Of an hour that comes twice the first counts, and a time that a day leaves out is taken by the offset before
        the gap, as RFC 5545 (3.3.5) has it: each stretch begins once and ends once.
        """
        today = now.astimezone(self.zone).date()
        return any(self._covers(day, now) for day in (today - timedelta(days=1), today) if day.weekday() in self.days)

    def _covers(self, day: date, now: datetime) -> bool:
        last = day if self.end > self.start else day + timedelta(days=1)
        begin, end = (datetime.combine(when, at, self.zone) for when, at in ((day, self.start), (last, self.end)))
        # In UTC: two times of one zone would be compared by their clock faces.
        return begin.astimezone(UTC) <= now < end.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Route:
    """Whom alerts that match are told; all routes that match count."""

    name: str
    receivers: tuple[str, ...]
    matchers: Matchers = field(default_factory=Matchers)
    min_severity: str = "warning"
    """The least severity that is told: `warning`, `unknown` or `critical`."""
    time_intervals: tuple[TimeInterval, ...] = ()
    """Outside of them nobody is told by this route; empty: always."""
    escalate_after: timedelta | None = None
    """Time since the incident was opened, without acknowledgement, after which `escalate_to` is told as well."""
    escalate_to: tuple[str, ...] = ()

    def receivers_for(self, incident: Incident, level: Severity, now: datetime, *, acked: bool) -> tuple[str, ...]:
        """Whom this route has told of an incident of that level now, in order; nobody outside of its hours."""
        if level < Severity[self.min_severity.upper()] or not self.matchers.match_labels(
            incident.rule, incident.key, level
        ):
            return ()
        if not (any(hours.contains(now) for hours in self.time_intervals) if self.time_intervals else True):
            return ()
        late = self.escalate_after is not None and now - incident.opened_at >= self.escalate_after
        return self.receivers + (self.escalate_to if late and not acked else ())


@dataclass(frozen=True, slots=True)
class MuteTimeInterval:
    """A schedule on which matching alerts are not told, such as a nightly batch or a weekend."""

    name: str
    matchers: Matchers
    time_intervals: tuple[TimeInterval, ...]

    def active(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        return any(hours.contains(now) for hours in self.time_intervals)


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    """How often one receiver is told; from its configuration."""

    repeat: timedelta | None = timedelta(hours=4)
    """A standing alert that nobody acknowledged is told again; None: never."""
    group: int = 3
    """More events than this in one cycle become one message; 0: never grouped."""
    hourly: int = 20
    """Messages an hour, then a digest; 0: no cap."""
    resolved: bool = True
    """Whether it is told that an incident is over."""
    exempt: bool = False
    """Neither grouped nor capped: PagerDuty groups by itself."""
    acknowledges: bool = False
    """It is told as well when a person takes an incident."""
    fallback: str | None = None
    """Who is told while this one is broken; None: the next receiver of the configuration."""


class SecretSource(Protocol):
    """A secret that is read when it is used."""

    def read(self) -> str:
        """The text. Raises NotifyError."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How the watcher goes about it."""

    every: timedelta = timedelta(minutes=1)
    """At most between two cycles; a changed file starts one at once."""
    no_data_wait: timedelta = timedelta(minutes=1)
    """After the first look that finds no data, the second one that counts."""
    ack_for: timedelta = timedelta(hours=24)
    """How long an acknowledgement holds where nobody says otherwise."""
    heartbeat: SecretSource | None = None
    """A web address that is fetched after every completed cycle."""
    log: str = "text"
    """How the watcher logs: `text`, or `json` with an object a line."""


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """Who wants to be told of what, and how: the configuration as delivery sees it."""

    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Those in force; one may name receivers of its own."""
    mutes: tuple[MuteTimeInterval, ...] = ()
    policies: Mapping[str, NotificationPolicy] = field(default_factory=dict)
    """By receiver, in the order of the configuration; who is not among them is not told."""

    def receivers_for(self, incident: Incident, level: Severity, now: datetime, *, acked: bool) -> tuple[str, ...]:
        """The receivers that are meant, each once, whether or not they work.

        A rule that names receivers has its own told, at any hour, and the routes are not asked.

        Args:
            incident: One that stands, or stood.
            level: What is to be told.
            now: The moment for which hours and escalation are judged.
            acked: A person has it, so nobody else is called.
        """
        asked = (rule.receivers for rule in self.rules if rule.name == incident.rule)
        if (own := next(asked, None)) is not None:
            names = own if level >= Severity.WARNING else ()
        else:
            names = tuple(name for one in self.routes for name in one.receivers_for(incident, level, now, acked=acked))
        return tuple(dict.fromkeys(name for name in names if name in self.policies))

    def fallback_for(self, name: str, broken: Collection[str]) -> str | None:
        """Who is told in place of a receiver: itself where it works, else its fallback, else the next of the
        configuration; None where nobody is left.
        """  # noqa: D205  one sentence
        tried = [name]
        while tried[-1] in broken:
            names = list(self.policies)
            at = names.index(tried[-1])
            follow = (self.policies[tried[-1]].fallback, *names[at + 1 :], *names[:at])
            after = next((one for one in follow if one in self.policies and one not in tried), None)
            if after is None:
                return None
            tried.append(after)
        return tried[-1]


def receivers_for(
    incident: Incident, orders: RoutingConfig, now: datetime, *, disabled: Collection[str] = (), acked: bool = False
) -> tuple[str, ...]:
    """Who is to be told of an open incident now, each once: those that are meant, or who takes over from them."""
    meant = orders.receivers_for(incident, incident.level, now, acked=acked)
    working = (orders.fallback_for(name, disabled) for name in meant)
    return tuple(dict.fromkeys(name for name in working if name is not None))
