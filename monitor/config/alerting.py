"""`[receivers.NAME]`, `[[routes]]`, `[[mutes]]` and `[watch]`: who is notified of what, and when."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import tzinfo

from modeltop.alerting.notifiers.base import NOTIFIER_TYPES, Notifier, Receiver, notifier_type
from modeltop.alerting.routing import WEEK, MuteTimeInterval, NotificationPolicy, Route, TimeInterval, WatchSettings
from modeltop.config.table import TableReader
from modeltop.core.incident import Matchers

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEVELS = ("warning", "unknown", "critical")


def parse_receivers(table: TableReader) -> dict[str, Receiver]:
    """Return the receivers by name, in the order in which they replace disabled ones."""
    tables = {name: table.table(name) for name in table.data}
    receivers: dict[str, Receiver] = {}
    for name, inner in tables.items():
        kind = inner.choice("type", NOTIFIER_TYPES)
        if "type" not in inner.data:
            inner.error("type", f"missing; one of {', '.join(NOTIFIER_TYPES)}")
        notifier = inner.build(notifier_type(kind)) if kind else None
        policy = _policy(inner, notifier)
        if policy.fallback is not None and policy.fallback not in tables.keys() - {name}:
            inner.error("fallback", f"{policy.fallback!r} is not another receiver; configured: {', '.join(tables)}")
        if notifier is not None:
            receivers[name] = Receiver(name, notifier, policy)
        elif not kind:
            inner.allow(*inner.data)  # its type decides which keys it may have
    return receivers


def _policy(table: TableReader, notifier: Notifier | None) -> NotificationPolicy:
    values = table.read(NotificationPolicy, "group", "hourly", "resolved", "fallback", minimum=0)
    if table.data.get("repeat") == "never":
        table.allow("repeat")
        values["repeat"] = None
    else:
        values |= table.read(NotificationPolicy, "repeat")
    if notifier is not None:
        values |= {"exempt": notifier.exempt, "acknowledges": notifier.acknowledges}
        if (usual := notifier.repeat) is not None:
            values.setdefault("repeat", usual)
            if values["repeat"] is None or values["repeat"] > usual:
                table.error("repeat", "write a third of resolve_timeout at most, or the alert resolves by itself")
    return NotificationPolicy(**values)


def parse_routes(tables: Sequence[TableReader], receivers: Collection[str], zone: tzinfo) -> tuple[Route, ...]:
    """Return the routes; without any, every receiver is notified of everything from warning up.

    Args:
        tables: `[[routes]]`.
        receivers: Names of the configured receivers.
        zone: Time zone of hours that name none.
    """
    if not tables:
        return (Route("everything", tuple(receivers)),) if receivers else ()
    routes = tuple(_route(table, f"route-{number}", receivers, zone) for number, table in enumerate(tables, 1))
    _check_unique(tables, [route.name for route in routes])
    return routes


def _route(table: TableReader, name: str, receivers: Collection[str], zone: tzinfo) -> Route:
    if "receivers" not in table.data:
        table.error("receivers", "missing; name the receivers that this route notifies")
    if ("escalate_after" in table.data) != ("escalate_to" in table.data):
        absent = "escalate_to" if "escalate_after" in table.data else "escalate_after"
        table.error(absent, "missing; escalation needs a time and receivers")
    values = {"name": name} | table.read(Route, "name", "escalate_after")
    return Route(
        **values,
        receivers=parse_receiver_names(table, "receivers", receivers),
        matchers=Matchers(**table.read(Matchers)),
        min_severity=table.choice("least", LEVELS) or "warning",
        time_intervals=_time_intervals(table, zone),
        escalate_to=parse_receiver_names(table, "escalate_to", receivers),
    )


def parse_mutes(tables: Sequence[TableReader], zone: tzinfo) -> tuple[MuteTimeInterval, ...]:
    """Return the schedules on which matching alerts are not sent.

    Args:
        tables: `[[mutes]]`.
        zone: Time zone of hours that name none.
    """
    mutes = []
    for number, table in enumerate(tables, 1):
        if not table.data.get("hours"):
            table.error("hours", 'missing; write hours = [{ days = "sat-sun" }] or { from = "22:00", to = "06:00" }')
        name = table.text("name") or f"mute-{number}"
        mutes.append(MuteTimeInterval(name, Matchers(**table.read(Matchers)), _time_intervals(table, zone)))
    _check_unique(tables, [mute.name for mute in mutes])
    return tuple(mutes)


def parse_receiver_names(table: TableReader, key: str, receivers: Collection[str]) -> tuple[str, ...]:
    """Return the receivers that a key names; one that is not configured is a mistake."""
    names = table.strings(key) or ()
    for name in names:
        if name not in receivers:
            remedy = f"configured: {', '.join(receivers)}" if receivers else f"write a table [receivers.{name}]"
            table.error(key, f"there is no receiver {name!r}; {remedy}")
    return names


def _check_unique(tables: Sequence[TableReader], names: Sequence[str]) -> None:
    for index, (table, name) in enumerate(zip(tables, names, strict=True)):
        if name in names[:index]:
            table.error("name", f"{name!r} is used twice; choose another")


def _time_intervals(table: TableReader, zone: tzinfo) -> tuple[TimeInterval, ...]:
    """Read `hours = [{ days = "mon-fri", from = "09:00", to = "18:00", timezone = "Europe/Berlin" }]`."""
    keys = {"start": "from", "end": "to", "zone": "timezone"}
    return tuple(
        TimeInterval(days=_days(inner), **{"zone": zone} | inner.read(TimeInterval, *keys, keys=keys))
        for inner in table.tables("hours")
    )


def _days(table: TableReader) -> tuple[int, ...]:
    text = table.text("days")
    if text is None:
        return WEEK
    days: set[int] = set()
    for word in re.split(r"[,\s]+", text.strip().lower()):
        first, _, last = word.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            table.error("days", f"{text!r} has invalid days; write mon-fri, or sat,sun")
            return WEEK
        start, end = DAYS.index(first), DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 + 7 * (end < start))}  # fri-mon runs over the weekend
    return tuple(sorted(days))


def parse_watch(table: TableReader) -> WatchSettings:
    """Return the settings of the watcher, `[watch]`."""
    values = table.read(WatchSettings)
    table.choice("log", ("text", "json"))
    return WatchSettings(**values)
