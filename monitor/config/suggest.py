"""Rules as a configuration would have them, suggested from history."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
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
from modeltop.rules.rule import Rule, default_rules, skip_reason, two_sided_rules
from modeltop.rules.suggest import SuggestedLimits, suggest_limits

MAX_RULES = 200
"""Rules in one file; more would not be read by anyone."""


@dataclass(frozen=True, slots=True)
class SuggestedRule:
    """One rule, and the reason for its limits."""

    key: SeriesKey
    table: dict[str, Any]
    """As `tomllib` would give it."""
    reason: str
    """A sentence of numbers, dates and our own words, without foreign text."""


@dataclass(frozen=True, slots=True)
class SuggestedRules:
    """The suggested rules of a history, and the series without one."""

    rules: tuple[SuggestedRule, ...]
    skipped: tuple[tuple[SeriesKey, str], ...]
    """Series left without a limit, and the reason in a clause."""
    default_tables: tuple[dict[str, Any], ...] = ()
    """The default rules about any metric: a configuration with rules of its own is without them unless it has them."""

    @property
    def tables(self) -> list[dict[str, Any]]:
        """`[[rules]]`, as `tomllib` would give it."""
        return [*(rule.table for rule in self.rules), *self.default_tables]


def suggest_rules(history: History, catalog: MetricRegistry, *, model: str = "*", metric: str = "*") -> SuggestedRules:
    """Suggest a rule for each series without segments, in the order of the history.

    Args:
        history: All of the past.
        catalog: Metrics by name.
        model: Glob of the models to suggest rules for.
        metric: Glob of the metrics, by their canonical names.
    """
    rules: list[SuggestedRule] = []
    skipped: list[tuple[SeriesKey, str]] = []
    names: set[str] = set()
    for key, series in history.series.items():
        if key.segment != "all" or not (fnmatchcase(key.model, model) and fnmatchcase(key.metric, metric)):
            continue
        suggestion = _suggest(series, catalog.get(key.metric), is_only_model=len(history.periods) == 1)
        if isinstance(suggestion, str):
            skipped.append((key, suggestion))
        elif len(rules) == MAX_RULES:
            skipped.append((key, f"{MAX_RULES} rules are enough for one file; choose by --model and --metric"))
        else:
            suggestion.table["name"] = _unique(suggestion.table["name"], names)
            names.add(suggestion.table["name"])
            rules.append(suggestion)
    defaults = tuple(_rule_to_table(rule) for rule in _kept_defaults()) if rules else ()
    return SuggestedRules(tuple(rules), tuple(skipped), defaults)


def _kept_defaults() -> list[Rule]:
    """Return the default rules that suggested limits do not replace, and that do not apply beside configured rules."""
    beside = {rule.name for rule in two_sided_rules()}
    return [rule for rule in default_rules() if "*" in rule.metric and rule.name not in beside]


def _rule_to_table(rule: Rule) -> dict[str, Any]:
    """Return a rule in the form that `tomllib` would produce, without settings at their default."""
    detector_names = {kind: name for name, kind in detectors().items()}
    table: dict[str, Any] = {"name": rule.name, "metric": rule.metric, "check": detector_names[type(rule.detector)]}
    for field in fields(rule.detector):  # type: ignore[arg-type]  # a detector is a dataclass
        value = getattr(rule.detector, field.name)
        if value != field.default:
            table[field.name] = _limit_to_table(value) if isinstance(value, Limit) else value
    warning, critical = rule.confirm
    if rule.confirm != (1, 1):
        table["confirm"] = warning if warning == critical else {"warn": warning, "critical": critical}
    defaults = {"model": "*", "segment": "all", "recover": 1, "min_count": 0}
    return table | {name: value for name, usual in defaults.items() if (value := getattr(rule, name)) != usual}


def _suggest(series: Series, metric: Metric, *, is_only_model: bool) -> SuggestedRule | str:
    """Return a rule, or the reason why there is none."""
    limits = suggest_limits(series, metric)
    if isinstance(limits, str):
        table, reason = _default_floor(series, limits)
    else:
        table, reason = _limits_to_table(limits), ", ".join(_reasons(limits, series, metric))
    if not table:
        return reason
    key = series.key
    name = _slug(key.metric) if is_only_model else f"{_slug(key.model)}-{_slug(key.metric)}"
    table = {"name": name, "model": glob.escape(key.model), "metric": glob.escape(key.metric)} | table
    try:
        value_to_toml(table)
    except ConfigError:
        return "its name is not Unicode, so that a configuration cannot name it"
    return SuggestedRule(key, table, reason)


def _limits_to_table(limits: SuggestedLimits) -> dict[str, Any]:
    table: dict[str, Any] = {"warn": _limit_to_table(limits.warn)}
    if limits.critical is not None:
        table["critical"] = _limit_to_table(limits.critical)
    table |= {"confirm": {"warn": 2, "critical": 1} if limits.critical else 2, "recover": 2}
    return table | ({"min_count": limits.min_count} if limits.min_count else {})


def _reasons(limits: SuggestedLimits, series: Series, metric: Metric) -> Iterator[str]:
    periods = pluralize(limits.healthy_periods, "healthy period")
    yield f"usually {metric.format(limits.median)}, by {periods} up to {format_period(series.newest)}"
    if limits.excluded_periods:
        yield f"{pluralize(limits.excluded_periods, 'other')} set aside as not healthy"
    if limits.by_chance:
        yield f"chance alone takes a period of {format_exact(limits.min_count)} cases beyond it once in 100"
    else:
        yield "a healthy period lies beyond it once in 100"


def _default_floor(series: Series, reason: str) -> tuple[dict[str, Any], str]:
    """Return the limits of the default rule for a series too young for its own; empty if there is none."""
    for rule in default_rules() if reason.startswith("too little") else ():
        detector = rule.detector
        if isinstance(detector, Threshold) and rule.matches(series.key) and not skip_reason(rule, series):
            limits = (("warn", detector.warn), ("critical", detector.critical))
            table = {name: _limit_to_table(limit) for name, limit in limits if limit}
            return table, f"{reason}; the default's limit for now"
    return {}, reason


def _limit_to_table(limit: Limit) -> dict[str, float]:
    return {side: value for side, value in asdict(limit).items() if value is not None}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.")[:60] or "series"


def _unique(name: str, names: set[str]) -> str:
    """Return the name, with a number from 2 up if another rule has it."""
    candidates = (name, *(f"{name}-{number}" for number in range(2, len(names) + 2)))
    return next(candidate for candidate in candidates if candidate not in names)
