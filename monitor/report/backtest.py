"""What rules would have told in the past: which alerts, for how long, how many a month. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Alert, Condition, RuleStatus, Series, SeriesKey, State, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.text import format_age, format_period, format_value, pluralize, sanitize
from modeltop.report.json import alert_record, json_number
from modeltop.report.phrases import alert_line, skipped_rules
from modeltop.rules.rule import Rule, describe_rule
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Times

MONTH = timedelta(days=30.4375)
MAX_LISTED = 20
"""Alerts of one rule shown to a person; the newest."""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """One rule, tried on all of the past."""

    rule: Rule
    series: tuple[Series, ...]
    """Those that it asks about and is applied to."""
    skipped: tuple[RuleStatus, ...]
    """Where a default rule is not applied, and why."""
    evaluated_periods: int
    """Periods judged, over all series, without those before which there was too little history."""
    alerts: tuple[Alert, ...]
    """Those that fired, oldest first; those that still stand among them."""
    pending: tuple[Alert, ...]
    span: timedelta
    """From the first period of any series to the end of the last one."""

    @property
    def per_month(self) -> float | None:
        """Alerts in 30.4 days, over all series; None where the past is a single moment."""
        return len(self.alerts) / (self.span / MONTH) if self.span else None


def backtest(snapshot: Snapshot) -> list[BacktestResult]:
    """Every rule in force over the history of a snapshot, in the order of the rules."""
    series: dict[str, list[Series]] = {}
    without: dict[str, list[RuleStatus]] = {}
    for standing in snapshot.rule_statuses:
        if standing.skip_reason is None:
            series.setdefault(standing.rule, []).append(snapshot.history.series[standing.key])
        else:
            without.setdefault(standing.rule, []).append(standing)
    episodes: dict[str, list[Alert]] = {}
    for episode in sorted(snapshot.alerts, key=lambda one: one.since):
        if episode.condition is Condition.THRESHOLD:
            episodes.setdefault(episode.rule, []).append(episode)
    return [
        _trial(rule, series.get(rule.name, []), without.get(rule.name, []), episodes.get(rule.name, []))
        for rule in snapshot.rules
    ]


def _trial(rule: Rule, series: list[Series], without: list[RuleStatus], episodes: list[Alert]) -> BacktestResult:
    return BacktestResult(
        rule=rule,
        series=tuple(series),
        skipped=tuple(without),
        evaluated_periods=sum(
            max(0, int(one.evaluable(rule.min_count).sum()) - rule.detector.min_history) for one in series
        ),
        alerts=tuple(one for one in episodes if one.fired is not None),
        pending=tuple(one for one in episodes if one.state is State.PENDING),
        span=_span([one.times for one in series if len(one)]),
    )


def _span(columns: list[Times]) -> timedelta:
    """From the first start to the last, and one usual period more: the last one lasts as well."""
    if not columns:
        return timedelta()
    first, last = min(times[0] for times in columns), max(times[-1] for times in columns)
    return to_datetime(last) - to_datetime(first) + _usual(columns)


def _usual(columns: list[Times]) -> timedelta:
    """The usual distance of two periods; nothing where no series has two."""
    gaps = np.concatenate([np.diff(times) for times in columns]).astype(np.int64)
    return timedelta(microseconds=float(median(gaps))) if len(gaps) else timedelta()


def describe_rate(trial: BacktestResult) -> str:
    """How often, in words.

    Such as `2 alerts in 24 months, 0.08 a month`; of less than a month the number of days is said, and where nothing
    could be judged, why.
    """
    if not trial.series:
        return "applied to no series"
    if not trial.evaluated_periods:
        needed = trial.rule.detector.min_history
        return f"0 alerts: too little history, {pluralize(needed, 'earlier period')} needed" if needed else "0 alerts"
    many = pluralize(len(trial.alerts), "alert")
    rate = trial.per_month
    if rate is None:
        return f"{many} in a single period"
    if trial.span < MONTH:
        return f"{many} in {_length(trial.span)}, {format_value(rate, 2)} a month at that rate"
    return f"{many} in {trial.span / MONTH:.0f} months, {format_value(rate, 2)} a month"


def _length(span: timedelta) -> str:
    return pluralize(span.days, "day") if span >= timedelta(days=1) else format_age(span)


def format_lines(snapshot: Snapshot) -> Iterator[str]:
    """What `rules test` prints: a paragraph a rule, its alerts with their dates beneath."""
    for trial in backtest(snapshot):
        rule = trial.rule
        name = f"{'default rule ' if rule.default else ''}{sanitize(rule.name, 60)}"
        yield f"{name}: {sanitize(describe_rule(rule, snapshot.catalog.get(rule.metric)), 300)}"
        if trial.series:
            yield f"  {_judged(trial)}"
        yield f"  {describe_rate(trial)}"
        if len(trial.alerts) > MAX_LISTED:
            yield f"  the newest {MAX_LISTED} of {len(trial.alerts):,}; --json lists all"
        for episode in (*trial.alerts[-MAX_LISTED:], *trial.pending[:MAX_LISTED]):
            yield f"    {_when(episode, snapshot.history.series)}  {alert_line(episode)}"
        yield from skipped_rules(trial.skipped)
    for notice in snapshot.notices:
        yield f"  {sanitize(notice, 300)}"


def _judged(trial: BacktestResult) -> str:
    first = min(to_datetime(one.times[0]) for one in trial.series)
    last = max(one.newest for one in trial.series)
    many = f"{len(trial.series):,} series" if len(trial.series) > 1 else "1 series"
    return f"{many}, {trial.evaluated_periods:,} judged periods from {format_period(first)} to {format_period(last)}"


def _when(episode: Alert, history: Mapping[SeriesKey, Series]) -> str:
    """When it fired and ended, and how long it lasted."""
    begin = episode.fired or episode.since
    span = format_age(alert_duration(episode, history[episode.key]))
    return (
        f"{format_period(begin)} to {format_period(episode.resolved)}, {span}"
        if episode.resolved
        else f"{format_period(begin)} on, {span} so far"
    )


def alert_duration(episode: Alert, series: Series) -> timedelta:
    """From its first wrong period to the one that ended it; while it is open, to the end of the newest period."""
    return (episode.resolved or series.newest + _usual([series.times])) - episode.since


def records(snapshot: Snapshot) -> list[dict[str, object]]:
    """The same for a script: exact, all alerts."""
    return [_record(trial, snapshot) for trial in backtest(snapshot)]


def _record(trial: BacktestResult, snapshot: Snapshot) -> dict[str, object]:
    rule = trial.rule
    return {
        "rule": rule.name,
        "sentence": describe_rule(rule, snapshot.catalog.get(rule.metric)),
        "default": rule.default,
        "series": len(trial.series),
        "judged": trial.evaluated_periods,
        "days": json_number(trial.span / timedelta(days=1)),
        "alerts": len(trial.alerts),
        "alerts_a_month": json_number(trial.per_month),
        "episodes": [
            alert_record(episode, snapshot)
            | {"lasted_days": alert_duration(episode, snapshot.history.series[episode.key]) / timedelta(days=1)}
            for episode in (*trial.alerts, *trial.pending)
        ],
        "left_out": [
            {"model": one.key.model, "metric": one.key.metric, "segment": one.key.segment, "why": one.skip_reason}
            for one in trial.skipped
        ],
    }
