"""Routes, receivers and time intervals as configured, and which receivers an alert goes to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from modeltop.core.incident import Matchers, Member
from modeltop.core.series import Severity
from modeltop.rules.rule import Rule

WEEK = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A weekly interval of time in a time zone; it crosses midnight if `end` is not after `start`."""

    days: tuple[int, ...] = WEEK
    """Days on which it starts, Monday is 0."""
    start: time = time(0)
    end: time = time(0)
    """Exclusive; equal to `start` for all of the day."""
    zone: tzinfo = UTC

    def contains(self, now: datetime) -> bool:
        """Return whether an aware moment lies in the interval.

        For an hour that occurs twice the first counts; a time that a day skips is read with the offset before
        the gap (RFC 5545, 3.3.5): each interval starts once and ends once.
        """
        today = now.astimezone(self.zone).date()
        return any(self._covers(day, now) for day in (today - timedelta(days=1), today) if day.weekday() in self.days)

    def _covers(self, day: date, now: datetime) -> bool:
        last_day = day if self.end > self.start else day + timedelta(days=1)
        start = datetime.combine(day, self.start, self.zone)
        end = datetime.combine(last_day, self.end, self.zone)
        # In UTC, because Python compares two times of one zone by their clock faces.
        return start.astimezone(UTC) <= now < end.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Route:
    """Receivers of the alerts that match; an alert goes to the receivers of every route that matches."""

    name: str
    receivers: tuple[str, ...]
    matchers: Matchers = field(default_factory=Matchers)
    min_severity: str = "warning"
    """Lowest severity that is sent: `warning`, `unknown` or `critical`."""
    time_intervals: tuple[TimeInterval, ...] = ()
    escalate_after: timedelta | None = None
    """Time since the incident was opened, without acknowledgement, after which `escalate_to` is notified as well."""
    escalate_to: tuple[str, ...] = ()

    def receivers_for(self, member: Member, now: datetime, open_for: timedelta | None) -> tuple[str, ...]:
        """Return the receivers of an alert, in order; none outside of the route's time intervals.

        `open_for` is how long its incident is open; None if it is not escalated, as a person has acknowledged it.
        """
        if member.severity < Severity[self.min_severity.upper()]:
            return ()
        if not self.matchers.match_labels(member.rule, member.key, member.severity):
            return ()
        if self.time_intervals and not any(interval.contains(now) for interval in self.time_intervals):
            return ()
        overdue = self.escalate_after is not None and open_for is not None and open_for >= self.escalate_after
        return self.receivers + (self.escalate_to if overdue else ())


@dataclass(frozen=True, slots=True)
class MuteTimeInterval:
    """A schedule on which matching alerts are not sent, such as a nightly batch or a weekend."""

    name: str
    matchers: Matchers
    time_intervals: tuple[TimeInterval, ...]

    def active(self, now: datetime) -> bool:
        """Return whether the mute is in force at an aware moment."""
        return any(interval.contains(now) for interval in self.time_intervals)


@dataclass(frozen=True, slots=True)
class NotificationPolicy:
    """How often one receiver is notified, from its configuration."""

    repeat: timedelta | None = timedelta(hours=4)
    """Time after which an unacknowledged alert that still fires is sent again; None for never."""
    group: int = 3
    """Notifications of one cycle beyond which they become one message; 0 for never."""
    hourly: int = 20
    """Messages an hour, after which the rest becomes one digest; 0 for no cap."""
    resolved: bool = True
    exempt: bool = False
    """Whether it is neither grouped nor capped, as PagerDuty, which groups by itself."""
    acknowledges: bool = False
    """Whether it is notified when a person acknowledges an incident."""
    fallback: str | None = None
    """Receiver that is used while this one is disabled; None for the next one of the configuration."""


class SecretSource(Protocol):
    """A secret that is read when it is used."""

    def read(self) -> str:
        """Return the text; raise NotifyError if it is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Settings of the watcher: the table `[watch]`."""

    every: timedelta = timedelta(minutes=1)
    """Longest time between two cycles; a changed file starts one at once."""
    no_data_wait: timedelta = timedelta(minutes=1)
    """Time from the first evaluation without data to the second one, which raises the alert."""
    ack_for: timedelta = timedelta(hours=24)
    heartbeat: SecretSource | None = None
    """Web address that is fetched after every completed cycle."""
    log: str = "text"
    """Format of the watcher's log: `text`, or `json` with an object a line."""


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """All of the configuration that decides who is notified of what."""

    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    mutes: tuple[MuteTimeInterval, ...] = ()
    policies: Mapping[str, NotificationPolicy] = field(default_factory=dict)
    """By receiver, in the order of the configuration; a receiver that is not among them is never notified."""
    shared_models: frozenset[str] = frozenset()
    """Models whose incidents started together with those of many others: they share a message."""

    def receivers_for(self, member: Member, now: datetime, open_for: timedelta | None = None) -> tuple[str, ...]:
        """Return the configured receivers of an alert at an aware moment, each once, whether or not they work.

        The receivers that a rule names are notified at any hour, and its alerts pass no route. `open_for` is as for
        `Route.receivers_for`.
        """
        own = next((rule.receivers for rule in self.rules if rule.name == member.rule), None)
        if own is not None:
            names = own if member.severity >= Severity.WARNING else ()
        else:
            names = tuple(name for route in self.routes for name in route.receivers_for(member, now, open_for))
        return tuple(dict.fromkeys(name for name in names if name in self.policies))

    def fallback_for(self, name: str, disabled: Collection[str]) -> str | None:
        """Return the receiver to use: itself, its fallback or the next configured one; None if all are disabled."""
        tried = [name]
        while tried[-1] in disabled:
            names = list(self.policies)
            index = names.index(tried[-1])
            candidates = (self.policies[tried[-1]].fallback, *names[index + 1 :], *names[:index])
            successor = next((other for other in candidates if other in self.policies and other not in tried), None)
            if successor is None:
                return None
            tried.append(successor)
        return tried[-1]
