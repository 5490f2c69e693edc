"""`[[rules]]` and `[metrics.NAME]`: which series are evaluated how, and the properties of metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from modeltop.config.alerting import parse_receiver_names
from modeltop.config.baselines import parse_baseline
from modeltop.config.table import TableReader
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.text import format_exact
from modeltop.rules.detectors.base import Detector, detectors
from modeltop.rules.rule import Rule

MAX_DIGITS = 9
PERIODS, MAX_PERIODS = ("periods", "least", "back", "usual"), 100_000
"""Fields of detectors that are numbers of periods, and the largest: they have arrays of that length."""


def parse_rules(
    tables: Sequence[TableReader], metrics: Mapping[str, Mapping[str, object]], receivers: Collection[str]
) -> tuple[Rule, ...]:
    """Return the rules in order, without invalid ones."""
    catalog = MetricRegistry(metrics)
    rules: dict[str, Rule] = {}
    for table in tables:
        rule = _rule(table, catalog, receivers)
        if rule is not None and rule.name in rules:
            table.error("name", f"{rule.name!r} is the name of two rules; choose another")
        elif rule is not None:
            rules[rule.name] = rule
    return tuple(rules.values())


def _rule(table: TableReader, catalog: MetricRegistry, receivers: Collection[str]) -> Rule | None:
    for key in ("name", "metric"):
        if table.data.get(key, "") == "":
            table.error(key, "missing; a rule needs a name and a metric")
    kinds = detectors()
    kind: type[Detector] = kinds[table.choice("check", tuple(kinds)) or "threshold"]
    detector = table.build(kind, minimum=1)
    for name in PERIODS:
        if getattr(detector, name, 0) > MAX_PERIODS:
            table.error(name, f"more than {MAX_PERIODS:,} periods; write a smaller number")
    confirm = _confirm(table)
    values = table.read(Rule, "name", "metric", "model", "segment", "min_count", "max_gap", "runbook", minimum=0)
    values |= table.read(Rule, "recover", minimum=1)
    values["window"] = _window(table, confirm)
    values["baseline"] = parse_baseline(table, catalog, detector)
    if "receivers" in table.data:
        values["receivers"] = parse_receiver_names(table, "receivers", receivers)
    table.allow("receivers")
    if detector is None or not {"name", "metric"} <= values.keys():
        return None
    normalized = catalog.normalize(values["metric"])
    if normalized.sign < 0:
        table.error("metric", f"write the rule for {normalized.metric!r}, which has the other sign")
        return None
    values["metric"] = normalized.metric
    if "segment" not in values:
        values |= {"segment": normalized.own_segment, "split": None if normalized.is_offline else normalized.split}
    return Rule(**values, detector=detector, confirm=confirm)


def _window(table: TableReader, confirm: tuple[int, int]) -> int | None:
    """Return the number of the newest points among which `confirm` are enough."""
    window = table.integer("of", minimum=1)
    if window is not None and window < max(confirm):
        table.error("of", f"{window} is fewer than confirm = {max(confirm)}: the window cannot hold so many")
        return None
    return window


def _confirm(table: TableReader) -> tuple[int, int]:
    if isinstance(table.data.get("confirm"), dict):
        per_level = table.table("confirm")
        return per_level.integer("warn", minimum=1) or 1, per_level.integer("critical", minimum=1) or 1
    both = table.integer("confirm", minimum=1) or 1
    return both, both


def parse_metrics(table: TableReader) -> dict[str, dict[str, object]]:
    """Return the fields of `Metric` that the configuration changes, by the metric's name or alias."""
    return {name: _metric(table.table(name)) for name in table.data}


def _metric(table: TableReader) -> dict[str, object]:
    values = table.read(Metric, "better", "proportion", "digits", "family", "title", "aliases", minimum=0)
    if "digits" in values:
        values["digits"] = min(values["digits"], MAX_DIGITS)
    low, high = table.number("min"), table.number("max")
    if low is not None and high is not None and low > high:
        table.error("min", f"{format_exact(low)} lies above max = {format_exact(high)}")
    if (low, high) != (None, None):
        values["bounds"] = (low, high)
    if support := table.choice("support", ("rows", "own")):
        values["support"] = "rows" if support == "rows" else None
    return values
