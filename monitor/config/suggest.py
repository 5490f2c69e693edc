"""Rules as a configuration would have them, suggested from history."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from modeltop.config.write import value_to_toml
from modeltop.core.errors import ConfigError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import History, Series, SeriesKey
from modeltop.core.text import format_day, pluralize
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import skip_reason
from modeltop.rules.suggest import SuggestedLimits, suggest_limits

MAX_RULES = 200
"""Rules in one file; more would not be read by anyone."""


@dataclass(frozen=True, slots=True)
class SuggestedRule:
    """One rule, and the reason for its limits."""

    key: SeriesKey
    table: dict[str, Any]
    reason: str
    """A sentence of numbers, dates and our own words, without foreign text."""


@dataclass(frozen=True, slots=True)
class SuggestedRules:
    """The suggested rules of a history, and the series without one."""

    rules: tuple[SuggestedRule, ...]
    skipped: tuple[tuple[SeriesKey, str], ...]
    """Series left without a limit, and the reason in a clause."""

    @property
    def tables(self) -> list[dict[str, Any]]:
        """`[[rules]]`, as `tomllib` would give it."""
        return [rule.table for rule in self.rules]


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
            skipped.append((key, f"{MAX_RULES} rules are enough for one file; choose by --for-model and --for-metric"))
        else:
            name = suggestion.table["name"]
            candidates = (name, *(f"{name}-{number}" for number in range(2, len(names) + 2)))
            suggestion.table["name"] = next(candidate for candidate in candidates if candidate not in names)
            names.add(suggestion.table["name"])
            rules.append(suggestion)
    return SuggestedRules(tuple(rules), tuple(skipped))


def _suggest(series: Series, metric: Metric, *, is_only_model: bool) -> SuggestedRule | str:
    limits = suggest_limits(series, metric)
    if isinstance(limits, str):
        table, reason = _default_floor(series, limits)
    else:
        table, reason = _limits_to_table(limits), ". ".join(_reasons(limits, series, metric))
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
    periods = pluralize(limits.healthy_periods, "normal period")
    excluded = f", {limits.excluded_periods:,} abnormal excluded" if limits.excluded_periods else ""
    yield f"usually {metric.format(limits.median)} ({periods} up to {format_day(series.newest)}{excluded})"
    if limits.by_chance:
        yield f"By chance 1 in 100 periods of {limits.min_count:,.0f} cases crosses it"
    else:
        yield "1 in 100 normal periods crosses it"


def _default_floor(series: Series, reason: str) -> tuple[dict[str, Any], str]:
    for rule in default_rules() if reason.startswith("needs ") else ():
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
