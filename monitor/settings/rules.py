"""`[[rules]]`: questions about series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields

from monitor.checks.base import Check, checks
from monitor.checks.limit import Limit
from monitor.metrics.base import Catalog
from monitor.rules import Rule
from monitor.settings.routes import known_receivers
from monitor.settings.table import Table


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
        runbook=part.text("runbook"),
        receivers=known_receivers(part, "receivers", receivers) if "receivers" in part.data else None,
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
