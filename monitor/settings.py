"""Reading a table of settings with every mistake collected, and the tables of metrics and rules in it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from monitor.checks.base import Check, checks
from monitor.checks.limit import Limit
from monitor.metrics.base import Catalog
from monitor.records import Better
from monitor.rules import Rule
from monitor.text import plain

_KINDS = {
    bool: "true or false",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Table:
    """One table of the file: typed reads by key, and every mistake with its dotted key.

    A key that nobody asked for is a mistake, said by `finish` with the nearest of those that were.
    """

    def __init__(self, name: str, data: Mapping[str, Any], mistakes: list[str] | None = None) -> None:
        self.name = name
        self.data = data
        self.mistakes: list[str] = [] if mistakes is None else mistakes
        self._asked: list[str] = []
        self._parts: list[Table] = []

    def mistake(self, key: str, message: str) -> None:
        """Remember that the value of `key` is wrong."""
        self.mistakes.append(f"{self._dotted(key)}: {message}")

    def get(self, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
        """The value of `key`, None where it is absent or of another type (which is a mistake)."""
        self._asked.append(key)
        value = self.data.get(key)
        if value is None:
            return None
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in wanted):
            self.mistake(key, f"{_kind(value)} where {expected} is expected")
            return None
        return value

    def text(self, key: str) -> str | None:
        """A string."""
        value: str | None = self.get(key, str, "a string")
        return value

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self.get(key, (int, float), "a number")
        if value is not None and not math.isfinite(value):
            self.mistake(key, f"{value} is not a finite number")
            return None
        return None if value is None else float(value)

    def whole(self, key: str, *, least: int, default: int) -> int:
        """A whole number from `least` up."""
        value = self.get(key, int, "a whole number")
        if value is not None and value < least:
            self.mistake(key, f"{value} is too small; the least is {least}")
            return default
        return default if value is None else int(value)

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """One of the allowed words."""
        value = self.text(key)
        if value is None or value in allowed:
            return value or default
        self.mistake(key, f"{value!r} is none of {', '.join(allowed)}{_nearest(value, allowed)}")
        return default

    def duration(self, key: str) -> timedelta | None:
        """A positive length of time such as `90m`, `36h`, `2d`, `1w`."""
        value = self.text(key)
        if value is None:
            return None
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smhdw])", value.strip())
        if found is None or float(found[1]) == 0:
            self.mistake(key, f"{value!r} is no length of time; write a number and s, m, h, d or w, such as 36h")
            return None
        return timedelta(seconds=float(found[1]) * UNITS[found[2]])

    def table(self, key: str) -> Table:
        """A table within; empty where it is absent."""
        data = self.get(key, dict, "a table") or {}
        return self._part(Table(self._dotted(key), data, self.mistakes))

    def tables(self, key: str) -> list[Table]:
        """An array of tables."""
        data = self.get(key, list, f"an array of tables, [[{key}]],") or []
        parts = []
        for number, item in enumerate(data, 1):
            name = f"{self._dotted(key)}[{number}]"
            if isinstance(item, dict):
                parts.append(self._part(Table(name, item, self.mistakes)))
            else:
                self.mistakes.append(f"{name}: {_kind(item)} where a table is expected")
        return parts

    def finish(self) -> None:
        """Say which keys of this table and of those within nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                self.mistake(key, f"unknown key{_nearest(key, self._asked)}")
        for part in self._parts:
            part.finish()

    def _part(self, part: Table) -> Table:
        self._parts.append(part)
        return part

    def _dotted(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def _nearest(word: str, allowed: Sequence[str]) -> str:
    found = get_close_matches(word, allowed, n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else f"; known here: {', '.join(sorted(set(allowed)))}"


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        str: "a string",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def parse_metrics(table: Table) -> dict[str, dict[str, object]]:
    """`[metrics.NAME]`: which way it improves, its bounds, its support, how it is printed."""
    return {name: _metric(table.table(name)) for name in table.data}


def _metric(part: Table) -> dict[str, object]:
    support = part.choice("support", ("rows", "own"), "")
    better = part.choice("better", [kind.value for kind in Better], "")
    said = {
        "better": Better(better) if better else None,
        "bounds": _bounds(part),
        "proportion": part.get("proportion", bool, "true or false"),
        "digits": _digits(part),
        "family": part.text("family"),
        "title": part.text("title"),
        "aliases": _aliases(part),
    }
    changed: dict[str, object] = {key: value for key, value in said.items() if value is not None}
    if support:
        changed["support"] = "rows" if support == "rows" else None
    return changed


def _digits(part: Table) -> int | None:
    digits = part.whole("digits", least=0, default=-1)
    return None if digits < 0 else min(digits, 9)


def _bounds(part: Table) -> tuple[float | None, float | None] | None:
    low, high = part.number("min"), part.number("max")
    if low is not None and high is not None and low > high:
        part.mistake("min", f"{plain(low)} lies above max = {plain(high)}")
    return None if low is None and high is None else (low, high)


def _aliases(part: Table) -> tuple[str, ...] | None:
    aliases = part.get("aliases", list, "an array of strings")
    if aliases is not None and not all(isinstance(alias, str) for alias in aliases):
        part.mistake("aliases", "an array of strings is expected")
        return None
    return None if aliases is None else tuple(aliases)


def parse_rules(parts: Sequence[Table], metrics: Mapping[str, Mapping[str, object]]) -> tuple[Rule, ...]:
    """`[[rules]]`: each a question about the series whose labels match."""
    catalog = Catalog(metrics)
    rules: dict[str, Rule] = {}
    for part in parts:
        rule = _rule(part, catalog)
        if rule is not None and rule.name in rules:
            part.mistake("name", f"{rule.name!r} names two rules; alerts are told apart by it, so choose another")
        elif rule is not None:
            rules[rule.name] = rule
    return tuple(rules.values())


def _rule(part: Table, catalog: Catalog) -> Rule | None:
    name, metric = part.text("name"), part.text("metric")
    for key, value in (("name", name), ("metric", metric)):
        if key not in part.data or value == "":
            part.mistake(key, "missing; a rule needs a name and a metric")
    check = _check(part)
    rule = Rule(
        name=name or "",
        check=check,  # type: ignore[arg-type]  # replaced or refused below
        metric=catalog.canonical(metric or ""),
        model=part.text("model") or "*",
        segment=part.text("segment") or "all",
        confirm=_confirm(part),
        recover=part.whole("recover", least=1, default=1),
        min_count=part.whole("min_count", least=0, default=0),
        max_gap=part.duration("max_gap"),
    )
    return rule if name and metric and check else None


def _confirm(part: Table) -> tuple[int, int]:
    if isinstance(part.data.get("confirm"), dict):
        per_level = part.table("confirm")
        return per_level.whole("warn", least=1, default=1), per_level.whole("critical", least=1, default=1)
    both = part.whole("confirm", least=1, default=1)
    return both, both


def _check(part: Table) -> Check | None:
    """The check of a rule; its fields are the rule's keys."""
    known = checks()
    kind = known[part.choice("check", tuple(known), "threshold")]
    given: dict[str, object] = {}
    for parameter in fields(kind):
        value = _limit(part, parameter.name) if "Limit" in str(parameter.type) else part.number(parameter.name)
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


def _limit(part: Table, key: str) -> Limit | None:
    if key not in part.data:
        part.get(key, dict, "a table")
        return None
    inner = part.table(key)
    below, above = inner.number("below"), inner.number("above")
    if not inner.data or not isinstance(part.data[key], dict):
        if isinstance(part.data[key], dict):
            part.mistake(key, "empty; write { below = 0.9 } or { above = 0.5 }")
        return None
    try:
        return Limit(below, above) if below is not None or above is not None else None
    except ValueError as error:
        part.mistake(key, str(error))
        return None
