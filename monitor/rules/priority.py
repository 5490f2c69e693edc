"""The order of alerts and models by urgency, used everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import attrgetter

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    Alert,
    Concern,
    Condition,
    History,
    ModelStatus,
    RuleStatus,
    SeriesKey,
    Severity,
    State,
    to_datetime,
)
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, pluralize
from modeltop.rules.concerns import describe_concern
from modeltop.rules.label_coverage import LabelCoverage, LabelState
from modeltop.rules.rule import UNKNOWN_METRIC, direction_hint

NO_ACKNOWLEDGEMENTS: frozenset[str] = frozenset()
Rank = tuple[int, bool, float, float]
"""Smaller comes first: severity, acknowledged, age of `fired`, relative excess."""
NO_LEADS: AbstractSet[str] = frozenset()
HEALTHY_RANK: Rank = (0, False, 0.0, 0.0)
UNEVALUATED_RANK: Rank = (-Severity.UNKNOWN, False, 0.0, 0.0)


def ordered_alerts(
    alerts: Iterable[Alert],
    acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS,
    leads: AbstractSet[str] = NO_LEADS,
) -> tuple[Alert, ...]:
    """Return active alerts, worst first; then the pending, likewise; then the past, newest first.

    Worst is: severity, then unacknowledged ones, then newest fired, then the relative distance beyond the limit, then
    the names. The lead of a model's incident is where the model's first alert would be: each surface leads on it.

    Args:
        alerts: In any order.
        acknowledged: The ids that a person has acknowledged.
        leads: The ids of the leads of open incidents.
    """

    def sort_key(alert: Alert) -> tuple[object, ...]:
        severity, is_acknowledged, fired, excess = _rank(alert, acknowledged)
        names = (alert.key, alert.rule)
        if alert.is_active:
            return (0, severity, is_acknowledged, fired, excess, *names)
        if alert.state is State.PENDING:
            return (1, severity, is_acknowledged, -alert.since.timestamp(), excess, *names)
        return (2, fired, severity, is_acknowledged, excess, *names)

    ordered = sorted(alerts, key=sort_key)
    worst = {alert.key.model: alert.severity for alert in reversed(ordered)}
    # An unknown alert comes before a warning here, and is below it for who leads.
    lead_of = {
        alert.key.model: alert for alert in ordered if alert.id in leads and alert.severity is worst[alert.key.model]
    }
    moved = {alert.id for alert in lead_of.values()}
    out: list[Alert] = []
    for alert in ordered:
        if (lead := lead_of.pop(alert.key.model, None)) is not None:
            out.append(lead)
        if alert.id not in moved:
            out.append(alert)
    return tuple(out)


def _rank(alert: Alert, acknowledged: AbstractSet[str]) -> Rank:
    fired = alert.fired or alert.since
    return (-alert.severity, alert.id in acknowledged, -fired.timestamp(), -relative_excess(alert))


def relative_excess(alert: Alert) -> float:
    """Return the newest value's distance from the limit as a fraction of it; the distance itself if the limit is 0.

    0 if it is only compared with the past: an error that doubles is no worse than an accuracy that falls by a tenth.
    """
    breach = alert.breach
    if breach is None or breach.limit is None or breach.is_baseline:
        return 0.0
    return abs(breach.value - breach.limit) / (abs(breach.limit) or 1.0)


def model_statuses(
    history: History,
    alerts: Iterable[Alert],
    rule_statuses: Iterable[RuleStatus],
    catalog: MetricRegistry,
    *,
    acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS,
    labels: Mapping[str, LabelCoverage] | None = None,
    missing_values: Mapping[str, str] | None = None,
    concerns: Mapping[str, tuple[Concern, ...]] | None = None,
) -> tuple[ModelStatus, ...]:
    """Return the most urgent status of each model, and of each source without any model: worst first.

    Args:
        history: Contains the models.
        alerts: Worst first, as `ordered_alerts` returns them; only active ones make a model bad.
        rule_statuses: Of all models.
        catalog: Names the metrics.
        acknowledged: The ids that a person has acknowledged.
        labels: Missing labels by model.
        missing_values: A clause on metrics without a value in the newest period, by model.
        concerns: What is worth a word beside, by model.

    A model for which no rule could be evaluated is unknown, never ok; so is one with a value beyond a default limit
    and too little history to say more.
    """
    unresolved = [alert for alert in alerts if alert.resolved is None]
    ranks: dict[str, Rank] = {}
    for active in filter(attrgetter("is_active"), unresolved):
        rank = _rank(active, acknowledged)
        ranks[active.key.model] = min(rank, ranks.get(active.key.model, rank))
    current = {alert.key.model: alert for alert in reversed(unresolved)}
    coverages, rule_statuses = labels or {}, list(rule_statuses)
    suspects = {status.key.model: status for status in rule_statuses if status.severity is Severity.UNKNOWN}
    sentences = _sentences(rule_statuses) | {model: status.sentence for model, status in suspects.items()}
    evaluated = {status.key.model for status in rule_statuses if status.is_evaluated}
    ranked: list[tuple[Rank, str, ModelStatus]] = []
    for model in dict.fromkeys((*history.periods, *(key.model for key in history.series), *current)):
        alert, own_concerns = current.get(model), (concerns or {}).get(model, ())
        if alert and not alert.is_active and model in suspects:
            alert = None
        rank, severity = HEALTHY_RANK, Severity.OK
        if alert and alert.is_active:
            rank, severity = ranks[model], alert.severity
        elif alert is None and (model in suspects or model not in evaluated):
            rank, severity = UNEVALUATED_RANK, Severity.UNKNOWN
        if alert is not None:
            text = _describe_alert(alert, history, catalog)
        elif severity is Severity.OK and own_concerns:
            first, series = own_concerns[0], history.series[own_concerns[0].key]
            concern = describe_concern(first, catalog.get(first.key.metric), period_unit(series), series.newest)
            text = f"ok, but {concern}"
        else:
            text = sentences.get(model, "no rule evaluates it")
        clauses = _with_missing(text, alert, coverages.get(model), (missing_values or {}).get(model))
        ranked.append((rank, model, ModelStatus(model, severity, clauses, own_concerns)))
    return tuple(status for *_, status in sorted(ranked, key=lambda entry: entry[:2]))


def _with_missing(text: str, alert: Alert | None, coverage: LabelCoverage | None, missing: str | None) -> str:
    """Return the text of a status with what is known of missing labels and of missing values."""
    if coverage:
        lacks_labels = coverage.state is LabelState.NOT_ENOUGH
        text = coverage.sentence if alert is None and lacks_labels else f"{text}; {coverage.sentence}"
    if missing:
        # What was not evaluated is said before a model is called healthy.
        text = f"{missing}; {text}" if alert is None else f"{text}; {missing}"
    return text


def worst_series(
    model: str,
    history: History,
    alerts: Iterable[Alert],
    rule_statuses: Iterable[RuleStatus] = (),
    *,
    acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS,
) -> SeriesKey | None:
    """Return the series of a model to open on: of its worst alert, else one that is evaluated, else its first, if any.

    Args:
        model: The model.
        history: Contains its series.
        alerts: Of any models, in any order.
        rule_statuses: Of any models.
        acknowledged: The ids that a person has acknowledged.
    """
    current = [alert for alert in alerts if alert.key.model == model and alert.resolved is None]
    statuses = [status for status in rule_statuses if status.key.model == model]
    keys = [alert.key for alert in ordered_alerts(current, acknowledged)]
    keys += [status.key for status in sorted(statuses, key=_is_skipped)]
    keys += [series.key for series in history.for_model(model)]
    return next((key for key in keys if key in history.series), None)


def _is_skipped(status: RuleStatus) -> bool:
    return status.skip_reason is not None


def _sentences(rule_statuses: Iterable[RuleStatus]) -> dict[str, str]:
    """Return, per model, the sentence of the first rule that was applied; else that none was."""
    sentences: dict[str, str] = {}
    for status in sorted(rule_statuses, key=_is_skipped):
        text = f"no rule evaluates it: {status.skip_reason}" if status.skip_reason else status.sentence
        sentences.setdefault(status.key.model, _with_segment(status.key, text))
    return sentences


def _with_segment(key: SeriesKey, text: str) -> str:
    return text if key.segment == "all" else f"{key.segment}: {text}"


def _describe_alert(alert: Alert, history: History, catalog: MetricRegistry) -> str:
    """Describe an alert without the name of its model."""
    message = alert.breach.message if alert.breach else ""
    if alert.is_model_wide and alert.condition is Condition.NO_DATA:
        periods = history.periods.get(alert.key.model)
        return (
            message
            if periods is None or not len(periods)
            else f"no rows since {format_day(to_datetime(periods[-1]), alert.since)}"
        )
    if alert.key.metric == "*":
        return message
    metric = catalog.get(alert.key.metric).name
    if alert.condition is not Condition.THRESHOLD:
        return _with_segment(alert.key, f"{metric} {message}")
    series = history.series.get(alert.key)
    span = pluralize(alert.periods, period_unit(series))
    since = format_day(alert.since, alert.since if series is None else series.newest)
    if alert.state is State.PENDING:
        text = f"{metric} {message} for {span}, not confirmed"
    elif alert.state is State.RECOVERING:
        text = f"{metric} recovering from {message}, since {since}"
    else:
        text = f"{metric} {message} for {span}, since {since}"
    if alert.rule == UNKNOWN_METRIC:
        text = f"{text}; {direction_hint(alert.key.metric, catalog.resembles(alert.key.metric))}"
    return _with_segment(alert.key, text)
