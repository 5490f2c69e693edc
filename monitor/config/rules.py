"""`[[rules]]`: questions about series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from modeltop.config.alerting import known_receivers
from modeltop.config.baselines import parse_reference
from modeltop.config.table import Table
from modeltop.core.metrics.registry import Catalog
from modeltop.core.series import Better
from modeltop.core.text import plain
from modeltop.rules.detectors.base import Check, checks
from modeltop.rules.detectors.drop import Fall
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.rule import Rule

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


def parse_rules(
    parts: Sequence[Table], metrics: Mapping[str, Mapping[str, object]], *, receivers: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """`[[rules]]`: each a question about the series whose labels match.

    Args:
        parts: The tables.
        metrics: What is configured of metrics.
        receivers: The names of those who can be told.
    """
    catalog = Catalog(metrics)
    rules: dict[str, Rule] = {}
    for part in parts:
        rule = _rule(part, catalog, receivers)
        if rule is not None and rule.name in rules:
            part.mistake("name", f"{rule.name!r} names two rules; alerts are told apart by it, so choose another")
        elif rule is not None:
            rules[rule.name] = rule
    return tuple(rules.values())


def _rule(part: Table, catalog: Catalog, receivers: Sequence[str]) -> Rule | None:
    name, metric = part.text("name"), part.text("metric")
    for key, value in (("name", name), ("metric", metric)):
        if key not in part.data or value == "":
            part.mistake(key, "missing; a rule needs a name and a metric")
    check = parse_check(part)
    confirm = _confirm(part)
    kind = parse_reference(part, catalog, check)
    rule = Rule(
        name=name or "",
        check=check,  # type: ignore[arg-type]  # replaced or refused below
        metric=catalog.canonical(metric or ""),
        model=part.text("model") or "*",
        segment=part.text("segment") or "all",
        confirm=confirm,
        recover=part.whole("recover", least=1, default=1),
        min_count=part.whole("min_count", least=0, default=0),
        max_gap=part.duration("max_gap"),
        of=_window(part, confirm),
        reference=kind,
        runbook=part.text("runbook"),
        receivers=known_receivers(part, "receivers", receivers) if "receivers" in part.data else None,
    )
    return rule if name and metric and check else None


def _window(part: Table, confirm: tuple[int, int]) -> int | None:
    """The newest points among which `confirm` are enough."""
    if "of" not in part.data:
        return None
    of = part.whole("of", least=1, default=1)
    if of < max(confirm):
        part.mistake("of", f"{of} is fewer than confirm = {max(confirm)}: the window cannot hold so many")
        return None
    return of


def _confirm(part: Table) -> tuple[int, int]:
    if isinstance(part.data.get("confirm"), dict):
        per_level = part.table("confirm")
        return per_level.whole("warn", least=1, default=1), per_level.whole("critical", least=1, default=1)
    both = part.whole("confirm", least=1, default=1)
    return both, both


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
