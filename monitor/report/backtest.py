"""Rules replayed over the past: which alerts fired, for how long, and how many a month. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from modeltop.alerting.messages.diagnosis_json import finite_or_none
from modeltop.core.series import Alert, Condition, RuleStatus, Series, State, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.text import format_age, format_day, format_value, pluralize, sanitize
from modeltop.report.json import alert_record
from modeltop.report.phrases import alert_line, resolved_clause, rule_sentence, skipped_rules
from modeltop.rules.defaults import without_idle
from modeltop.rules.rule import Rule, describe_rule
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Times

MONTH = timedelta(days=30.4375)
MAX_LISTED = 20
"""Alerts of one rule that are listed, the newest."""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """The alerts of one rule over all of the past."""

    rule: Rule
    series: tuple[Series, ...]
    """Series that match the rule and to which it is applied."""
    skipped: tuple[RuleStatus, ...]
    """Series to which a default rule is not applied, with the reason."""
    evaluated_periods: int
    """Periods evaluated, over all series, without those before which there was too little history."""
    alerts: tuple[Alert, ...]
    """Alerts that fired, oldest first, open ones among them."""
    pending: tuple[Alert, ...]
    span: timedelta
    """From the first period of any series to the end of the last one."""

    @property
    def per_month(self) -> float | None:
        """Alerts in 30.4 days, over all series; None if the past is a single moment."""
        return len(self.alerts) / (self.span / MONTH) if self.span else None


def backtest(snapshot: Snapshot) -> list[BacktestResult]:
    """Return the alerts of every rule over the history of a snapshot, in the order of the rules."""
    statuses: dict[str, list[RuleStatus]] = {rule.name: [] for rule in snapshot.rules}
    for status in snapshot.rule_statuses:
        statuses.setdefault(status.rule, []).append(status)
    alerts: dict[str, list[Alert]] = {rule.name: [] for rule in snapshot.rules}
    for alert in sorted(snapshot.alerts, key=lambda alert: alert.since):
        if alert.condition is Condition.THRESHOLD:
            alerts.setdefault(alert.rule, []).append(alert)
    rules = without_idle(snapshot.rules, snapshot.rule_statuses)
    return [_backtest_rule(rule, statuses[rule.name], alerts[rule.name], snapshot) for rule in rules]


def _backtest_rule(rule: Rule, statuses: list[RuleStatus], alerts: list[Alert], snapshot: Snapshot) -> BacktestResult:
    history = snapshot.history.series
    applied = tuple(history[status.key] for status in statuses if status.skip_reason is None)
    return BacktestResult(
        rule=rule,
        series=applied,
        skipped=tuple(status for status in statuses if status.skip_reason is not None),
        evaluated_periods=sum(
            max(0, int(series.evaluable(rule.min_count).sum()) - rule.detector.min_history) for series in applied
        ),
        alerts=tuple(alert for alert in alerts if alert.fired is not None),
        pending=tuple(alert for alert in alerts if alert.state is State.PENDING),
        span=_span([series.times for series in applied if len(series)]),
    )


def _span(columns: list[Times]) -> timedelta:
    if not columns:
        return timedelta()
    first, last = min(times[0] for times in columns), max(times[-1] for times in columns)
    return to_datetime(last) - to_datetime(first) + _median_distance(columns)


def _median_distance(columns: list[Times]) -> timedelta:
    gaps = np.concatenate([np.diff(times) for times in columns]).astype(np.int64)
    return timedelta(microseconds=float(median(gaps))) if len(gaps) else timedelta()


def describe_rate(result: BacktestResult) -> str:
    """Return how often a rule fired, such as `2 alerts in 24 months, 0.08 a month`, or why it could not."""
    if not result.series:
        return "applied to no series"
    if not result.evaluated_periods:
        needed = result.rule.detector.min_history
        return f"0 alerts: needs {pluralize(needed, 'earlier period')}" if needed else "0 alerts"
    count, rate, span = pluralize(len(result.alerts), "alert"), result.per_month, result.span
    if rate is None:
        return f"{count} in a single period"
    if span < MONTH:
        length = pluralize(span.days, "day") if span >= timedelta(days=1) else format_age(span)
        return f"{count} in {length}, {format_value(rate, 2)} a month at that rate"
    return f"{count} in {span / MONTH:.0f} months, {format_value(rate, 2)} a month"


def format_lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield the output of `rules test`: a paragraph a rule, its alerts with their dates below it."""
    for result in backtest(snapshot):
        rule = result.rule
        name = f"{'default rule ' if rule.default else ''}{sanitize(rule.name, 60)}"
        yield f"{name}: {rule_sentence(rule, snapshot)}"
        if result.series:
            yield f"  {_describe_evaluated(result, snapshot.taken_at)}"
        yield f"  {describe_rate(result)}"
        if len(result.alerts) > MAX_LISTED:
            yield f"  the newest {MAX_LISTED} of {len(result.alerts):,}; --json lists all"
        for alert in (*result.alerts[-MAX_LISTED:], *result.pending[:MAX_LISTED]):
            yield f"    {_describe_dates(alert, snapshot.taken_at)}  {alert_line(alert, snapshot)}"
        yield from skipped_rules(result.skipped)
    for notice in snapshot.notices:
        yield f"  {sanitize(notice, 300)}"
    for alert in snapshot.alerts:
        if alert.condition is Condition.UNREADABLE:
            yield f"  {alert_line(alert, snapshot)}"


def _describe_evaluated(result: BacktestResult, now: datetime) -> str:
    first = format_day(min(to_datetime(series.times[0]) for series in result.series), now)
    last = format_day(max(series.newest for series in result.series), now)
    return f"{len(result.series):,} series, {result.evaluated_periods:,} evaluated periods from {first} to {last}"


def _describe_dates(alert: Alert, now: datetime) -> str:
    fired = "not confirmed" if alert.fired is None else f"fired {format_day(alert.fired, now)}"
    return fired + (resolved_clause(alert, now) or ", open")


def _duration(alert: Alert, snapshot: Snapshot) -> timedelta:
    series = snapshot.history.series[alert.key]
    return (alert.resolved or series.newest + _median_distance([series.times])) - alert.since


def records(snapshot: Snapshot) -> list[dict[str, object]]:
    """Return the output of `rules test --json`: exact numbers, all alerts."""
    return [_record(result, snapshot) for result in backtest(snapshot)]


def _record(result: BacktestResult, snapshot: Snapshot) -> dict[str, object]:
    rule = result.rule
    return {
        "rule": rule.name,
        "sentence": describe_rule(rule, snapshot.catalog.get(rule.metric)),
        "default": rule.default,
        "series": len(result.series),
        "judged": result.evaluated_periods,
        "days": finite_or_none(result.span / timedelta(days=1)),
        "alerts": len(result.alerts),
        "alerts_a_month": finite_or_none(result.per_month),
        "episodes": [
            alert_record(alert, snapshot) | {"lasted_days": _duration(alert, snapshot) / timedelta(days=1)}
            for alert in (*result.alerts, *result.pending)
        ],
        "left_out": [
            {"model": key.model, "metric": key.metric, "segment": key.segment, "why": status.skip_reason}
            for status in result.skipped
            for key in (status.key,)
        ],
    }
