"""Diagnosis of a model: what happened, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from modeltop.core.diagnosis import (
    POSSIBLE_WEIGHT,
    ROW_COUNT,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Diagnosis,
    Forecast,
    Pattern,
    SeriesPattern,
    TrendOutlook,
)
from modeltop.core.distribution import Distributions
from modeltop.core.incident import Incident
from modeltop.core.series import Alert, Condition, Direction, Series, SeriesKey, Severity, to_datetime64
from modeltop.diagnosis.advice import insufficient_data_reason, next_actions
from modeltop.diagnosis.before_after import compare, incident_end, windows_around
from modeltop.diagnosis.causes.base import rank_causes
from modeltop.diagnosis.context import ALL, ModelContext
from modeltop.diagnosis.observations import Observations, observe_change
from modeltop.diagnosis.patterns import metric_patterns, pattern_of
from modeltop.diagnosis.questions import five_questions
from modeltop.diagnosis.signals import dominant_share
from modeltop.diagnosis.timeseries.forecast import forecast_trend
from modeltop.diagnosis.timeseries.pattern import DECLINES
from modeltop.diagnosis.verdict import verdict
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.rule import rules_for
from modeltop.rules.snapshot import Snapshot

BAD_PATTERNS = (*DECLINES, Pattern.SPIKE, Pattern.SEASONAL)
"""Patterns that a diagnosis without an alert may be about; a decline comes before the others."""
RECENT_PERIODS = 7
"""Newest periods of a model within which a resolved incident is still explained."""
HEALTHY_PATTERNS = (Pattern.STEADY, Pattern.TOO_LITTLE)
LASTING_PATTERNS = (*DECLINES, Pattern.IMPROVING)
"""Patterns that have a forecast: for a temporary or no change, a trend would mislead."""


def diagnose_model(snapshot: Snapshot, model: str) -> Diagnosis:
    """Return the diagnosis of a model in a snapshot; computed once per snapshot object."""
    diagnoses = _cached_diagnoses(snapshot)
    if model not in diagnoses:
        incident = snapshot.incident_of(model) or _recent_incident(snapshot, model)
        diagnoses[model] = diagnose(context_for(snapshot, model, incident))
    return diagnoses[model]


def diagnose_incident(snapshot: Snapshot, incident: Incident) -> Diagnosis:
    """Return the diagnosis of an incident, open or resolved: over its window, whatever came later."""
    if incident == snapshot.incident_of(incident.model):
        return diagnose_model(snapshot, incident.model)
    return diagnose(context_for(snapshot, incident.model, incident))


def _recent_incident(snapshot: Snapshot, model: str) -> Incident | None:
    resolved = (incident for incident in snapshot.incidents if incident.model == model and incident.resolved_at)
    last = next(resolved, None)
    periods = snapshot.history.periods.get(model)
    if last is None or last.resolved_at is None or periods is None or not len(periods):
        return None
    return last if to_datetime64(last.resolved_at) >= periods[-RECENT_PERIODS:][0] else None


@lru_cache(maxsize=2)  # the snapshot on the screen, and its successor
def _cached_diagnoses(snapshot: Snapshot) -> dict[str, Diagnosis]:  # noqa: ARG001  the key of the cache
    return {}


def outlook(snapshot: Snapshot, key: SeriesKey) -> TrendOutlook:
    """Return the pattern of a series, and its forecast by the limits of its rules: those of a diagnosis about it."""
    series = snapshot.history.series.get(key)
    if series is None:
        return TrendOutlook()
    diagnosis = diagnose_model(snapshot, key.model)
    if diagnosis.key == key:
        return TrendOutlook(diagnosis.series_pattern, diagnosis.forecast)
    pattern = pattern_of(series)
    return TrendOutlook(pattern, _forecast(series, pattern, _limits(snapshot, key)))


def _forecast(series: Series, pattern: SeriesPattern | None, limits: Sequence[Limit]) -> Forecast | None:
    if pattern is None or pattern.pattern not in LASTING_PATTERNS:
        return None
    return forecast_trend(series, limits, started_at=pattern.started_at)


def _limits(snapshot: Snapshot, key: SeriesKey) -> list[Limit]:
    skipped = {status.rule for status in snapshot.rule_statuses if status.skip_reason is not None and status.key == key}
    rules = [rule for rule in rules_for(snapshot.rules, key, snapshot.history.series) if rule.name not in skipped]
    return [limit for rule in rules for _, limit in rule.detector.limits()]


def context_for(snapshot: Snapshot, model: str, incident: Incident | None = None) -> ModelContext:
    """Collect the data of a snapshot about one model, and the incident to explain."""
    status = next((status for status in snapshot.model_statuses if status.model == model), None)
    active = [alert for alert in snapshot.alerts if alert.is_active and alert.condition is not Condition.UNREADABLE]
    others = [alert for alert in active if alert.key.model != model]
    evaluated = {status.key for status in snapshot.rule_statuses if status.key.model == model and status.is_evaluated}
    return ModelContext(
        model=model,
        series=snapshot.history.for_model(model),
        catalog=snapshot.catalog,
        alerts=[alert for alert in snapshot.alerts if alert.key.model == model],
        severity=Severity.OK if status is None else status.severity,
        status_sentence="" if status is None else status.sentence,
        notes=snapshot.notes_about(model),
        calendar=[event for event in snapshot.calendar if fnmatchcase(model, event.model)],
        distributions=snapshot.distributions.get(model, Distributions()),
        other_failures_since={alert.key.model: alert.since for alert in others},
        concerns=() if status is None else status.concerns,
        shared_start=next((shared for shared in snapshot.shared_starts if model in shared.models), None),
        incident=incident,
        evaluated=len(evaluated),
        limits=lambda key: _limits(snapshot, key),
        taken_at=snapshot.taken_at,
    )


def diagnose(context: ModelContext) -> Diagnosis:
    """Return the diagnosis of a model; a pure function of the context.

    An incident is explained by the periods up to its end: what came after changes nothing of its cause.
    """
    end = incident_end(context)
    past = context if end is None else replace(context.until(end), is_past=True)
    alerting = _alerting_series(past)
    patterns = metric_patterns(past, alerting or (past.concerns[0].key if past.concerns else None))
    key = alerting or (past.concerns[0].key if past.concerns else _worst_series(past, patterns))
    series = past.find_series(key)
    pattern = next((pattern for pattern in patterns if pattern.key == key), None)
    others = tuple(
        _with_alert_start(other, past)
        for other in patterns
        if other.key != key and other.pattern not in HEALTHY_PATTERNS
    )
    observations = observe_change(past, series, pattern, others)
    explained = observations.pattern
    if explained is not None and (pattern is None or explained.pattern in (pattern.pattern, *DECLINES)):
        pattern = explained  # with the start of the incident
    forecast = None if series is None or end is not None else _forecast(series, pattern, context.limits(series.key))
    hypotheses = _hypotheses(observations)
    actions = next_actions(observations, hypotheses)
    return Diagnosis(
        model=context.model,
        severity=context.severity,
        key=key,
        verdict=verdict(observations, hypotheses, actions),
        series_pattern=pattern,
        hypotheses=hypotheses,
        actions=actions,
        questions=five_questions(observations, hypotheses, forecast),
        other_patterns=others,
        forecast=forecast,
        metric_changes=tuple(_ordered_changes(observations)),
        feature_shifts=observations.feature_shifts.shifted,
        segments=observations.contributions,
        dominant_segment=dominant_share(observations),
        labels_since_change=observations.labels_since_change,
    )


def _with_alert_start(pattern: SeriesPattern, context: ModelContext) -> SeriesPattern:
    """Return the pattern of another metric with the start of its alert, if that fires: one start on every surface."""
    starts = [alert.since for alert in context.alerts if alert.key == pattern.key and alert.resolved is None]
    return replace(pattern, started_at=min(starts)) if starts and pattern.started_at is not None else pattern


def _alerting_series(context: ModelContext) -> SeriesKey | None:
    """Return the series of the worst alert, active before pending; None without any."""
    keys = {series.key for series in context.series}
    if context.incident is not None:
        return context.incident.key if context.incident.key in keys else None

    def order(alert: Alert) -> tuple[bool, int, bool, bool, int]:
        metric = context.catalog.get(alert.key.metric)
        plainness = metric.proportion + (metric.support == ROW_COUNT)
        return not alert.is_active, -alert.severity, alert.key.segment != ALL, not metric.needs_labels, -plainness

    alerts = [
        alert
        for alert in context.alerts
        if alert.resolved is None and alert.condition is Condition.THRESHOLD and alert.key in keys
    ]
    return min(alerts, key=order).key if alerts else None


def _worst_series(context: ModelContext, patterns: Sequence[SeriesPattern]) -> SeriesKey | None:
    """Return the series with the worst pattern; None if all are healthy."""
    overall = context.overall_series()

    def order(pattern: SeriesPattern) -> tuple[bool, bool, bool, float]:
        series, metric = overall[pattern.key.metric], context.catalog.get(pattern.key.metric)
        started_at = pattern.started_at
        change = None if started_at is None else compare(series, windows_around(series, started_at, pattern))
        z = 0.0 if change is None else abs(change.z)
        return pattern.pattern in DECLINES, metric.needs_labels, metric.proportion, z

    bad = [
        pattern
        for pattern in patterns
        if pattern.pattern in BAD_PATTERNS
        and pattern.key.segment == ALL
        and context.catalog.get(pattern.key.metric).better is not Direction.NEITHER
    ]
    return max(bad, key=order).key if bad else None


def _hypotheses(observations: Observations) -> tuple[CauseHypothesis, ...]:
    if observations.series is None and observations.no_data_alert is None:
        return ()
    if observations.context.missing_input is not None:
        return ()
    hypotheses = rank_causes(observations)
    if hypotheses and hypotheses[0].weight >= POSSIBLE_WEIGHT:
        return hypotheses
    return (CauseHypothesis(Cause.UNKNOWN, 0.0, (insufficient_data_reason(observations),)), *hypotheses)


def _ordered_changes(observations: Observations) -> Iterable[BeforeAfter]:
    """Yield the focus, then changed metrics, most significant first, then the rest in the order of the history."""
    if observations.focus is not None:
        yield observations.shown(observations.focus)
    changes = dict(observations.before_after)
    row_counts = changes.pop(ROW_COUNT, None)
    rest = [change for change in changes.values() if change is not observations.focus]
    rest.sort(key=lambda change: -abs(change.z) if change.is_significant else 0.0)
    yield from map(observations.shown, rest)
    if row_counts is not None:
        yield row_counts
