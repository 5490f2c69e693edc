"""Who is told of what, and when: pure predicates over what was configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, time, timedelta, tzinfo

from monitor.facts import Matchers

WEEK = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly stretch of time in a zone; across midnight where `end` is not after `start`."""

    days: tuple[int, ...] = WEEK
    """Days on which it begins, Monday is 0."""
    start: time = time(0)
    end: time = time(0)
    """Not part of it; equal to `start`: the whole day."""
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Route:
    """Whom alerts that match are told; all routes that match count."""

    name: str
    receivers: tuple[str, ...]
    matchers: Matchers = field(default_factory=Matchers)
    least: str = "warning"
    """The least severity that is told: `warning`, `unknown` or `critical`."""
    hours: tuple[Hours, ...] = ()
    """Outside of them nobody is told by this route; empty: always."""
    escalate_after: timedelta | None = None
    """Time since the incident was opened, without acknowledgement, after which `escalate_to` is told as well."""
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mute:
    """A schedule on which matching alerts are not told, such as a nightly batch or a weekend."""

    name: str
    matchers: Matchers
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class Pace:
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
    fallback: str | None = None
    """Who is told while this one is broken; None: the next receiver of the configuration."""
