"""Rules as a configuration would have them, proposed from history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from modeltop.config.write import value_to_toml
from modeltop.core.errors import ConfigError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import History, Series, SeriesKey
from modeltop.core.text import format_exact, format_period, pluralize
from modeltop.rules.detectors.base import detectors
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule, default_rules, skip_reason
from modeltop.rules.suggest import SuggestedLimits, suggest_limits

MAX_RULES = 200
"""Rules in one file: more are not read by anyone."""


@dataclass(frozen=True, slots=True)
class SuggestedRule:
    """One rule, and why it is as it is."""

    key: SeriesKey
    table: dict[str, Any]
    """As `tomllib` would give it."""
    reason: str
    """A sentence of numbers, dates and our own words only."""


@dataclass(frozen=True, slots=True)
class SuggestedRules:
    """What is proposed, and for which series nothing is."""

    rules: tuple[SuggestedRule, ...]
    skipped: tuple[tuple[SeriesKey, str], ...]
    """Series left without a limit, and in a clause why."""
    default_tables: tuple[dict[str, Any], ...] = ()
    """Defaults about any metric: with rules of its own, a configuration is without them unless it says them."""

    @property
    def tables(self) -> list[dict[str, Any]]:
        """`[[rules]]`, as `tomllib` would give it."""
        return [*(one.table for one in self.rules), *self.default_tables]


def suggest_rules(history: History, catalog: MetricRegistry, *, model: str = "*", metric: str = "*") -> SuggestedRules:
    """A rule for each series, in the order of the history.

    Args:
        history: All of the past.
        catalog: What the metrics are.
        model: A glob: for which models.
        metric: A glob: for which metrics, by their canonical names.
    """
    rules: list[SuggestedRule] = []
    without: list[tuple[SeriesKey, str]] = []
    names: set[str] = set()
    for key, series in history.series.items():
        if key.segment != "all" or not (fnmatchcase(key.model, model) and fnmatchcase(key.metric, metric)):
            continue
        found = _of(series, catalog.get(key.metric), alone=len(history.periods) == 1)
        if isinstance(found, str):
            without.append((key, found))
        elif len(rules) == MAX_RULES:
            without.append((key, f"{MAX_RULES} rules are enough for one file; choose by --model and --metric"))
        else:
            found.table["name"] = _unlike(found.table["name"], names)
            rules.append(found)
    kept = tuple(rule_to_table(rule) for rule in default_rules() if "*" in rule.metric) if rules else ()
    return SuggestedRules(tuple(rules), tuple(without), kept)


def rule_to_table(rule: Rule) -> dict[str, Any]:
    """A rule as a configuration says it: what is as it is by default is left out."""
    kinds = {kind: name for name, kind in detectors().items()}
    table: dict[str, Any] = {"name": rule.name, "metric": rule.metric, "check": kinds[type(rule.detector)]}
    for parameter in fields(rule.detector):  # type: ignore[arg-type]  # a check is a dataclass
        value = getattr(rule.detector, parameter.name)
        if value != parameter.default:
            table[parameter.name] = _sides(value) if isinstance(value, Limit) else value
    warns, critical = rule.confirm
    if rule.confirm != (1, 1):
        table["confirm"] = warns if warns == critical else {"warn": warns, "critical": critical}
    usual = {"model": "*", "segment": "all", "recover": 1, "min_count": 0}
    return table | {name: found for name, was in usual.items() if (found := getattr(rule, name)) != was}


def _of(series: Series, metric: Metric, *, alone: bool) -> SuggestedRule | str:
    proposal = suggest_limits(series, metric)
    found = _proposed(proposal, series, metric) if isinstance(proposal, SuggestedLimits) else _floor(series, proposal)
    if isinstance(found, str):
        return found
    table, why = found
    key = series.key
    named = {"name": _slug(key.metric) if alone else f"{_slug(key.model)}-{_slug(key.metric)}"}
    table = named | {"model": escape_glob(key.model), "metric": escape_glob(key.metric)} | table
    try:
        value_to_toml(table)
    except ConfigError:
        return "its name is not Unicode, so that a configuration cannot name it"
    return SuggestedRule(key, table, why)


def _proposed(proposal: SuggestedLimits, series: Series, metric: Metric) -> tuple[dict[str, Any], str]:
    table: dict[str, Any] = {"warn": _sides(proposal.warn)}
    if proposal.critical is not None:
        table["critical"] = _sides(proposal.critical)
    table |= {"confirm": {"warn": 2, "critical": 1} if proposal.critical else 2, "recover": 2}
    if proposal.min_count:
        table["min_count"] = proposal.min_count
    return table, ", ".join(_reasons(proposal, series, metric))


def _reasons(proposal: SuggestedLimits, series: Series, metric: Metric) -> Iterator[str]:
    many = pluralize(proposal.healthy_periods, "healthy period")
    yield f"usually {metric.format(proposal.median)}, by {many} up to {format_period(series.newest)}"
    if proposal.excluded_periods:
        yield f"{pluralize(proposal.excluded_periods, 'other')} set aside as not healthy"
    if proposal.by_chance:
        yield f"chance alone takes a period of {format_exact(proposal.min_count)} cases beyond it once in 100"
    else:
        yield "a healthy period lies beyond it once in 100"


def _floor(series: Series, why: str) -> tuple[dict[str, Any], str] | str:
    """The default's floor, for a series too young for one of its own."""
    for rule in default_rules() if why.startswith("too little") else ():
        check = rule.detector
        if isinstance(check, Threshold) and rule.matches(series.key) and not skip_reason(rule, series):
            limits = (("warn", check.warn), ("critical", check.critical))
            return {name: _sides(limit) for name, limit in limits if limit}, f"{why}; the default's limit for now"
    return why


def _sides(limit: Limit) -> dict[str, float]:
    sides = (("below", limit.below), ("above", limit.above))
    return {name: value for name, value in sides if value is not None}


def escape_glob(text: str) -> str:
    """A glob that matches this text alone.

    >>> escape_glob("eu[1]*")
    'eu[[]1][*]'
    """
    return re.sub(r"([*?[])", r"[\1]", text)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.")[:60] or "series"


def _unlike(name: str, taken: set[str]) -> str:
    """The name with a number where another rule has it."""
    found = next(
        one for number in range(1, len(taken) + 2) if (one := f"{name}-{number}" if number > 1 else name) not in taken
    )
    taken.add(found)
    return found
