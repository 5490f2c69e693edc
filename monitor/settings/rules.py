"""`[[rules]]`: questions about series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.metrics.base import Catalog
from monitor.rules import Rule
from monitor.settings.checks import parse_check
from monitor.settings.references import parse_reference
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
