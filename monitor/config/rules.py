"""`[[rules]]`: questions about series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from modeltop.config.alerting import parse_receiver_names
from modeltop.config.baselines import parse_baseline
from modeltop.config.table import TableReader
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Direction
from modeltop.core.text import format_exact
from modeltop.rules.detectors.base import Detector, detectors
from modeltop.rules.detectors.drop import DropThreshold
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.rule import Rule

T = TypeVar("T")


def parse_detector(part: TableReader) -> Detector | None:
    """The check that a rule names, `threshold` by default; None, and every mistake said, where it makes none."""
    known = detectors()
    kind = known[part.choice("check", tuple(known), "threshold")]
    given: dict[str, object] = {}
    for parameter in fields(kind):
        value = _reader(parameter)(part, parameter.name)
        if value is not None:
            given[parameter.name] = value
        elif parameter.default is MISSING and parameter.default_factory is MISSING:
            part.error(parameter.name, "missing")
            return None
        elif parameter.name in part.data:
            return None  # what is wrong with it is said; a second complaint about the whole would only confuse
    try:
        check: Detector = kind(**given)
    except ValueError as error:
        part.errors.append(f"{part.name}: {error}")
        return None
    return check


def _reader(parameter: Field[Any]) -> Callable[[TableReader, str], object]:
    """How a parameter is read, by what it is."""
    kind = str(parameter.type).removesuffix(" | None")
    return {"Limit": _limit, "DropThreshold": _fall, "int": _whole, "bool": _flag}.get(kind, TableReader.number)


def _whole(part: TableReader, key: str) -> int | None:
    return part.integer(key, minimum=1, default=1) if key in part.data else part.get(key, int, "a whole number")


def _flag(part: TableReader, key: str) -> bool | None:
    return part.boolean(key, default=False) if key in part.data else part.get(key, bool, "true or false")


def _fall(part: TableReader, key: str) -> DropThreshold | None:
    inner = _inner(part, key, "{ absolute = 0.02 }, { relative = 0.1 } or { p = 0.01 }")
    if inner is None:
        return None
    given = {name: inner.number(name) for name in ("absolute", "relative", "p")}
    return _made(part, key, lambda: DropThreshold(**given)) if any(one is not None for one in given.values()) else None


def _limit(part: TableReader, key: str) -> Limit | None:
    inner = _inner(part, key, "{ below = 0.9 } or { above = 0.5 }")
    if inner is None:
        return None
    below, above = inner.number("below"), inner.number("above")
    return _made(part, key, lambda: Limit(below, above)) if below is not None or above is not None else None


def _inner(part: TableReader, key: str, like: str) -> TableReader | None:
    """A table within; None where there is none, and where it is empty, which is a mistake."""
    if key not in part.data:
        part.get(key, dict, "a table")
        return None
    inner = part.table(key)
    if not inner.data:
        if isinstance(part.data[key], dict):
            part.error(key, f"empty; write {like}")
        return None
    return inner


def _made(part: TableReader, key: str, make: Callable[[], T]) -> T | None:
    try:
        return make()
    except ValueError as error:
        part.error(key, str(error))
        return None


def parse_rules(
    parts: Sequence[TableReader], metrics: Mapping[str, Mapping[str, object]], *, receivers: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """`[[rules]]`: each a question about the series whose labels match.

    Args:
        parts: The tables.
        metrics: What is configured of metrics.
        receivers: The names of those who can be told.
    """
    catalog = MetricRegistry(metrics)
    rules: dict[str, Rule] = {}
    for part in parts:
        rule = _rule(part, catalog, receivers)
        if rule is not None and rule.name in rules:
            part.error("name", f"{rule.name!r} names two rules; alerts are told apart by it, so choose another")
        elif rule is not None:
            rules[rule.name] = rule
    return tuple(rules.values())


def _rule(part: TableReader, catalog: MetricRegistry, receivers: Sequence[str]) -> Rule | None:
    name, metric = part.text("name"), part.text("metric")
    for key, value in (("name", name), ("metric", metric)):
        if key not in part.data or value == "":
            part.error(key, "missing; a rule needs a name and a metric")
    check = parse_detector(part)
    confirm = _confirm(part)
    kind = parse_baseline(part, catalog, check)
    rule = Rule(
        name=name or "",
        detector=check,  # type: ignore[arg-type]  # replaced or refused below
        metric=catalog.canonical(metric or ""),
        model=part.text("model") or "*",
        segment=part.text("segment") or "all",
        confirm=confirm,
        recover=part.integer("recover", minimum=1, default=1),
        min_count=part.integer("min_count", minimum=0, default=0),
        max_gap=part.duration("max_gap"),
        window=_window(part, confirm),
        baseline=kind,
        runbook=part.text("runbook"),
        receivers=parse_receiver_names(part, "receivers", receivers) if "receivers" in part.data else None,
    )
    return rule if name and metric and check else None


def _window(part: TableReader, confirm: tuple[int, int]) -> int | None:
    """The newest points among which `confirm` are enough."""
    if "of" not in part.data:
        return None
    of = part.integer("of", minimum=1, default=1)
    if of < max(confirm):
        part.error("of", f"{of} is fewer than confirm = {max(confirm)}: the window cannot hold so many")
        return None
    return of


def _confirm(part: TableReader) -> tuple[int, int]:
    if isinstance(part.data.get("confirm"), dict):
        per_level = part.table("confirm")
        return per_level.integer("warn", minimum=1, default=1), per_level.integer("critical", minimum=1, default=1)
    both = part.integer("confirm", minimum=1, default=1)
    return both, both


def parse_metrics(table: TableReader) -> dict[str, dict[str, object]]:
    """`[metrics.NAME]`: which way it improves, its bounds, its support, how it is printed."""
    return {name: _metric(table.table(name)) for name in table.data}


def _metric(part: TableReader) -> dict[str, object]:
    support = part.choice("support", ("rows", "own"), "")
    better = part.choice("better", [kind.value for kind in Direction], "")
    said = {
        "better": Direction(better) if better else None,
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


def _digits(part: TableReader) -> int | None:
    digits = part.integer("digits", minimum=0, default=-1)
    return None if digits < 0 else min(digits, 9)


def _bounds(part: TableReader) -> tuple[float | None, float | None] | None:
    low, high = part.number("min"), part.number("max")
    if low is not None and high is not None and low > high:
        part.error("min", f"{format_exact(low)} lies above max = {format_exact(high)}")
    return None if low is None and high is None else (low, high)


def _aliases(part: TableReader) -> tuple[str, ...] | None:
    aliases = part.get("aliases", list, "an array of strings")
    if aliases is not None and not all(isinstance(alias, str) for alias in aliases):
        part.error("aliases", "an array of strings is expected")
        return None
    return None if aliases is None else tuple(aliases)
