"""`[receivers.NAME]`: who can be told. The fields of a notifier are its keys."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from datetime import UTC, time, timedelta, tzinfo
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modeltop.alerting.notifiers.base import Notifier, Receiver, SecretRef, notifier_type, notifier_types
from modeltop.alerting.routing import WEEK, MuteTimeInterval, NotificationPolicy, Route, TimeInterval, WatchSettings
from modeltop.config.table import TableReader
from modeltop.core.incident import Matchers

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEVELS = ("warning", "unknown", "critical")
KNOWN_ZONES_HINT = "use a name such as Europe/Berlin"


def parse_routes(parts: Sequence[TableReader], receivers: Sequence[str], zone: tzinfo) -> tuple[Route, ...]:
    """The routes; without any, every receiver is told everything from warning up."""
    if not parts:
        return (Route("everything", tuple(receivers)),) if receivers else ()
    routes = tuple(_route(part, receivers, number, zone) for number, part in enumerate(parts, 1))
    _told_apart(parts, [route.name for route in routes])
    return routes


def parse_mutes(parts: Sequence[TableReader], zone: tzinfo) -> tuple[MuteTimeInterval, ...]:
    """The schedules on which matching alerts are not told."""
    mutes = []
    for number, part in enumerate(parts, 1):
        hours = parse_time_intervals(part, zone)
        if not part.data.get("hours"):
            part.error("hours", 'missing; write hours = [{ days = "sat-sun" }] or { from = "22:00", to = "06:00" }')
        mutes.append(MuteTimeInterval(part.text("name") or f"mute-{number}", _matchers(part), hours))
    _told_apart(parts, [mute.name for mute in mutes])
    return tuple(mutes)


def parse_receiver_names(part: TableReader, key: str, receivers: Sequence[str]) -> tuple[str, ...]:
    """The receivers that a key names, those that are not configured said."""
    named = part.strings(key) or ()
    for name in named:
        if name not in receivers:
            known = f"configured: {', '.join(receivers)}" if receivers else f"write a table [receivers.{name}]"
            part.error(key, f"there is no receiver {name!r}; {known}")
    return named


def _route(part: TableReader, receivers: Sequence[str], number: int, zone: tzinfo) -> Route:
    told = parse_receiver_names(part, "receivers", receivers)
    if "receivers" not in part.data:
        part.error("receivers", "missing; name the receivers that this route tells")
    after, to = part.duration("escalate_after"), parse_receiver_names(part, "escalate_to", receivers)
    if (after is None) != (not to) and ("escalate_after" in part.data) != ("escalate_to" in part.data):
        part.error("escalate_to" if after else "escalate_after", "missing; escalation needs a time and receivers")
    return Route(
        name=part.text("name") or f"route-{number}",
        receivers=told,
        matchers=_matchers(part),
        min_severity=part.choice("least", LEVELS, "warning"),
        time_intervals=parse_time_intervals(part, zone),
        escalate_after=after,
        escalate_to=to,
    )


def _matchers(part: TableReader) -> Matchers:
    names = ("model", "metric", "segment", "rule", "severity")
    return Matchers(**{name: part.text(name) or "*" for name in names})


def _told_apart(parts: Sequence[TableReader], names: Sequence[str]) -> None:
    for at, (part, name) in enumerate(zip(parts, names, strict=True)):
        if name in names[:at]:
            part.error("name", f"{name!r} stands twice; choose another")


def parse_time_intervals(part: TableReader, zone: tzinfo) -> tuple[TimeInterval, ...]:
    """`hours`: an array of `{ days = "mon-fri", from = "09:00", to = "18:00", timezone = "Europe/Berlin" }`.

    Args:
        part: The table that has the key.
        zone: That of hours that name none.
    """
    return tuple(_hours(inner, zone) for inner in part.tables("hours"))


def _hours(inner: TableReader, zone: tzinfo) -> TimeInterval:
    return TimeInterval(
        days=_days(inner),
        start=_time(inner, "from"),
        end=_time(inner, "to"),
        zone=parse_zone(inner, "timezone") or zone,
    )


def _days(inner: TableReader) -> tuple[int, ...]:
    text = inner.text("days")
    if text is None:
        return WEEK
    found: list[int] = []
    for word in re.split(r"[,\s]+", text.strip().lower()):
        first, _, last = word.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            inner.error("days", f"{text!r} names no days; write mon-fri, or sat,sun")
            return WEEK
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(begin, end + 1 + 7 * (end < begin))]
    return tuple(sorted(set(found)))


def _time(inner: TableReader, key: str) -> time:
    value = inner.data.get(key)
    if isinstance(value, time):  # TOML has times of its own
        inner.get(key, time, "a time of day")
        return value
    text = inner.text(key)
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text or "00:00")
    if found is None or int(found[1]) > 24 or int(found[2]) > 59 or (int(found[1]) == 24 and int(found[2])):
        inner.error(key, f"{text!r} is no time of day; write one such as 09:00")
        return time(0)
    return time(int(found[1]) % 24, int(found[2]))


def parse_zone(table: TableReader, key: str) -> tzinfo | None:
    """A time zone by its name; None where none is given, or where there is no such zone (which is a mistake)."""
    name = table.text(key)
    if name is None:
        return None
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.error(key, f"{name!r} is no time zone; {KNOWN_ZONES_HINT}")
        return None


_ABSENT = object()


def parse_receivers(table: TableReader, base: Path) -> dict[str, Receiver]:
    """The receivers by name, in the order in which they stand: the next one takes over where one is broken.

    Args:
        table: `[receivers]`.
        base: The folder from which relative paths count.
    """
    parts = {name: table.table(name) for name in table.data}
    found: dict[str, Receiver] = {}
    for name, part in parts.items():
        kind = part.choice("type", notifier_types(), "")
        if "type" not in part.data:
            part.error("type", f"missing; one of {', '.join(notifier_types())}")
        notifier = _notifier(part, notifier_type(kind), base) if kind else None
        pace = _pace(part, list(parts), name, notifier)
        if notifier is None and not kind:
            part.allow_unknown()  # which keys it may have depends on its type
        if notifier is not None:
            found[name] = Receiver(name, notifier, pace)
    return found


def _pace(part: TableReader, names: list[str], own: str, notifier: Notifier | None) -> NotificationPolicy:
    usual = NotificationPolicy()
    fallback = part.text("fallback")
    if fallback is not None and (fallback not in names or fallback == own):
        part.error("fallback", f"{fallback!r} is no other receiver; configured: {', '.join(names)}")
    never = part.data.get("repeat") == "never"
    asked = part.text("repeat") if never else part.duration("repeat")
    repeat = asked if isinstance(asked, timedelta) else None if never else usual.repeat
    return NotificationPolicy(
        repeat=repeat,
        group=part.integer("group", minimum=0, default=usual.group),
        hourly=part.integer("hourly", minimum=0, default=usual.hourly),
        resolved=part.boolean("resolved", default=usual.resolved),
        exempt=notifier is not None and notifier.exempt,
        acknowledges=notifier is not None and notifier.acknowledges,
        fallback=fallback,
    )


def _notifier(part: TableReader, kind: type[Notifier], base: Path) -> Notifier | None:
    before = len(part.errors)
    given: dict[str, object] = {}
    hints = get_type_hints(kind)
    parameters: tuple[Field[Any], ...] = fields(kind)  # type: ignore[arg-type]  # a notifier is a dataclass
    for parameter in parameters:
        value = _value(part, parameter.name, hints[parameter.name], base)
        if value is not _ABSENT:
            given[parameter.name] = value
        elif parameter.default is MISSING and parameter.default_factory is MISSING:
            wanted = f"{parameter.name}_env or {parameter.name}_file" if _is_secret(hints[parameter.name]) else "it"
            if len(part.errors) == before:
                part.error(parameter.name, f"missing; give {wanted}")
    if len(part.errors) > before:
        return None
    try:
        return kind(**given)
    except ValueError as error:
        part.errors.append(f"{part.name}: {error}")
        return None


def _options(hint: Any) -> list[Any]:
    union = () if get_origin(hint) in _READERS else get_args(hint)
    return list(union or (hint,))


def _is_secret(hint: Any) -> bool:
    return SecretRef in _options(hint)


def _value(part: TableReader, key: str, hint: Any, base: Path) -> object:
    """The value of a field by its type; `_ABSENT` where it is not given, or wrong (which is a mistake)."""
    if _is_secret(hint):
        return parse_secret(part, key, base) or _ABSENT
    for option in _options(hint):
        origin = get_origin(option) or option
        if origin in _READERS or (isinstance(origin, type) and issubclass(origin, Enum)):
            found = _enum(part, key, origin) if origin not in _READERS else _READERS[origin](part, key, base)
            return _ABSENT if found is None or key not in part.data else found
    raise TypeError(f"{key}: no setting is read as {hint}")


def parse_secret(part: TableReader, key: str, base: Path) -> SecretRef | None:
    """Where the secret `key` is kept: `key_env`, a variable, or `key_file`, a path that counts from `base`."""
    env, file = part.text(f"{key}_env"), part.text(f"{key}_file")
    if key in part.data:
        part.get(key, object, "nothing")
        part.error(key, f"a secret does not stand here; give {key}_env, the name of a variable, or {key}_file")
    elif env and file:
        part.error(f"{key}_file", f"either {key}_env or {key}_file, not both")
    if env:
        return SecretRef(env=env)
    return SecretRef(file=_path(file, base)) if file else None


def _path(text: str, base: Path) -> str:
    return os.path.join(base, os.path.expanduser(text))  # noqa: PTH111, PTH118  neither fails on an unknown user


def _enum(part: TableReader, key: str, kind: type[Enum]) -> Enum | None:
    words = [member.value for member in kind]
    word = part.choice(key, words, "")
    return kind(word) if word else None


def _mapping(part: TableReader, key: str, _: Path) -> Mapping[str, str] | None:
    inner = part.table(key)
    return {name: text for name in inner.data if (text := inner.text(name)) is not None}


_READERS: Mapping[Any, Any] = {
    str: lambda part, key, _: part.text(key),
    bool: lambda part, key, _: part.get(key, bool, "true or false"),
    int: lambda part, key, _: part.get(key, int, "a whole number"),
    float: lambda part, key, _: part.number(key),
    tuple: lambda part, key, _: part.strings(key),
    timedelta: lambda part, key, _: part.duration(key),
    Path: lambda part, key, base: (text := part.text(key)) and Path(_path(text, base)),
    dict: _mapping,
    Mapping: _mapping,
}


def parse_watch(table: TableReader, base: Path) -> WatchSettings:
    """What is configured of the watcher; what is not, holds by default.

    Args:
        table: `[watch]`.
        base: The folder from which relative paths count.
    """
    usual = WatchSettings()
    heartbeat = None
    if table.data:  # most files say nothing of the watcher
        heartbeat = parse_secret(table, "heartbeat", base)
    return WatchSettings(
        every=table.duration("every") or usual.every,
        no_data_wait=table.duration("no_data_wait") or usual.no_data_wait,
        ack_for=table.duration("ack_for") or usual.ack_for,
        heartbeat=heartbeat,
        log=table.choice("log", ("text", "json"), usual.log),
    )
