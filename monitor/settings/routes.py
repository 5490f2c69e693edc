"""`[[routes]]` and `[[mutes]]`: who is told of what, and when nobody is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.facts import Matchers
from monitor.routing import WEEK, Hours, Mute, Route
from monitor.settings.table import Table

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEVELS = ("warning", "unknown", "critical")
KNOWN_ZONES_HINT = "use a name such as Europe/Berlin"


def parse_routes(parts: Sequence[Table], receivers: Sequence[str], zone: tzinfo) -> tuple[Route, ...]:
    """The routes; without any, every receiver is told everything from warning up."""
    if not parts:
        return (Route("everything", tuple(receivers)),) if receivers else ()
    routes = tuple(_route(part, receivers, number, zone) for number, part in enumerate(parts, 1))
    _told_apart(parts, [route.name for route in routes])
    return routes


def parse_mutes(parts: Sequence[Table], zone: tzinfo) -> tuple[Mute, ...]:
    """The schedules on which matching alerts are not told."""
    mutes = []
    for number, part in enumerate(parts, 1):
        hours = parse_hours(part, zone)
        if not part.data.get("hours"):
            part.mistake("hours", 'missing; write hours = [{ days = "sat-sun" }] or { from = "22:00", to = "06:00" }')
        mutes.append(Mute(part.text("name") or f"mute-{number}", _matchers(part), hours))
    _told_apart(parts, [mute.name for mute in mutes])
    return tuple(mutes)


def known_receivers(part: Table, key: str, receivers: Sequence[str]) -> tuple[str, ...]:
    """The receivers that a key names, those that are not configured said."""
    named = part.texts(key) or ()
    for name in named:
        if name not in receivers:
            known = f"configured: {', '.join(receivers)}" if receivers else f"write a table [receivers.{name}]"
            part.mistake(key, f"there is no receiver {name!r}; {known}")
    return named


def _route(part: Table, receivers: Sequence[str], number: int, zone: tzinfo) -> Route:
    told = known_receivers(part, "receivers", receivers)
    if "receivers" not in part.data:
        part.mistake("receivers", "missing; name the receivers that this route tells")
    after, to = part.duration("escalate_after"), known_receivers(part, "escalate_to", receivers)
    if (after is None) != (not to) and ("escalate_after" in part.data) != ("escalate_to" in part.data):
        part.mistake("escalate_to" if after else "escalate_after", "missing; escalation needs a time and receivers")
    return Route(
        name=part.text("name") or f"route-{number}",
        receivers=told,
        matchers=_matchers(part),
        least=part.choice("least", LEVELS, "warning"),
        hours=parse_hours(part, zone),
        escalate_after=after,
        escalate_to=to,
    )


def _matchers(part: Table) -> Matchers:
    names = ("model", "metric", "segment", "rule", "severity")
    return Matchers(**{name: part.text(name) or "*" for name in names})


def _told_apart(parts: Sequence[Table], names: Sequence[str]) -> None:
    for at, (part, name) in enumerate(zip(parts, names, strict=True)):
        if name in names[:at]:
            part.mistake("name", f"{name!r} stands twice; choose another")


def parse_hours(part: Table, zone: tzinfo) -> tuple[Hours, ...]:
    """`hours`: an array of `{ days = "mon-fri", from = "09:00", to = "18:00", timezone = "Europe/Berlin" }`.

    Args:
        part: The table that has the key.
        zone: That of hours that name none.
    """
    return tuple(_hours(inner, zone) for inner in part.tables("hours"))


def _hours(inner: Table, zone: tzinfo) -> Hours:
    return Hours(
        days=_days(inner),
        start=_time(inner, "from"),
        end=_time(inner, "to"),
        zone=parse_zone(inner, "timezone") or zone,
    )


def _days(inner: Table) -> tuple[int, ...]:
    text = inner.text("days")
    if text is None:
        return WEEK
    found: list[int] = []
    for word in re.split(r"[,\s]+", text.strip().lower()):
        first, _, last = word.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            inner.mistake("days", f"{text!r} names no days; write mon-fri, or sat,sun")
            return WEEK
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(begin, end + 1 + 7 * (end < begin))]
    return tuple(sorted(set(found)))


def _time(inner: Table, key: str) -> time:
    value = inner.data.get(key)
    if isinstance(value, time):  # TOML has times of its own
        inner.get(key, time, "a time of day")
        return value
    text = inner.text(key)
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text or "00:00")
    if found is None or int(found[1]) > 24 or int(found[2]) > 59 or (int(found[1]) == 24 and int(found[2])):
        inner.mistake(key, f"{text!r} is no time of day; write one such as 09:00")
        return time(0)
    return time(int(found[1]) % 24, int(found[2]))


def parse_zone(table: Table, key: str) -> tzinfo | None:
    """A time zone by its name; None where none is given, or where there is no such zone (which is a mistake)."""
    name = table.text(key)
    if name is None:
        return None
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.mistake(key, f"{name!r} is no time zone; {KNOWN_ZONES_HINT}")
        return None
