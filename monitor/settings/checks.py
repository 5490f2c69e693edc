"""The check of a rule: its fields are the rule's keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from monitor.checks.base import Check, checks
from monitor.checks.drop import Fall
from monitor.checks.limit import Limit
from monitor.settings.table import Table

T = TypeVar("T")


def parse_check(part: Table) -> Check | None:
    """The check that a rule names, `threshold` by default; None, and every mistake said, where it makes none."""
    known = checks()
    kind = known[part.choice("check", tuple(known), "threshold")]
    given: dict[str, object] = {}
    for parameter in fields(kind):
        value = _reader(parameter)(part, parameter.name)
        if value is not None:
            given[parameter.name] = value
        elif parameter.default is MISSING and parameter.default_factory is MISSING:
            part.mistake(parameter.name, "missing")
            return None
        elif parameter.name in part.data:
            return None  # what is wrong with it is said; a second complaint about the whole would only confuse
    try:
        check: Check = kind(**given)
    except ValueError as error:
        part.mistakes.append(f"{part.name}: {error}")
        return None
    return check


def _reader(parameter: Field[Any]) -> Callable[[Table, str], object]:
    """How a parameter is read, by what it is."""
    kind = str(parameter.type).removesuffix(" | None")
    return {"Limit": _limit, "Fall": _fall, "int": _whole, "bool": _flag}.get(kind, Table.number)


def _whole(part: Table, key: str) -> int | None:
    return part.whole(key, least=1, default=1) if key in part.data else part.get(key, int, "a whole number")


def _flag(part: Table, key: str) -> bool | None:
    return part.flag(key, default=False) if key in part.data else part.get(key, bool, "true or false")


def _fall(part: Table, key: str) -> Fall | None:
    inner = _inner(part, key, "{ absolute = 0.02 }, { relative = 0.1 } or { p = 0.01 }")
    if inner is None:
        return None
    given = {name: inner.number(name) for name in ("absolute", "relative", "p")}
    return _made(part, key, lambda: Fall(**given)) if any(one is not None for one in given.values()) else None


def _limit(part: Table, key: str) -> Limit | None:
    inner = _inner(part, key, "{ below = 0.9 } or { above = 0.5 }")
    if inner is None:
        return None
    below, above = inner.number("below"), inner.number("above")
    return _made(part, key, lambda: Limit(below, above)) if below is not None or above is not None else None


def _inner(part: Table, key: str, like: str) -> Table | None:
    """A table within; None where there is none, and where it is empty, which is a mistake."""
    if key not in part.data:
        part.get(key, dict, "a table")
        return None
    inner = part.table(key)
    if not inner.data:
        if isinstance(part.data[key], dict):
            part.mistake(key, f"empty; write {like}")
        return None
    return inner


def _made(part: Table, key: str, make: Callable[[], T]) -> T | None:
    try:
        return make()
    except ValueError as error:
        part.mistake(key, str(error))
        return None
