"""From a case to its diagnosis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from modeltop.core.diagnosis import (
    ROW_COUNT,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Diagnosis,
    Pattern,
    SeriesPattern,
    TrendOutlook,
)
from modeltop.core.distribution import Distributions
from modeltop.core.series import Alert, Condition, Direction, Series, SeriesKey, Severity
from modeltop.diagnosis.advice import advice, insufficient_data_reason, next_actions
from modeltop.diagnosis.before_after import compare, windows_around
from modeltop.diagnosis.causes.base import MIN_WEIGHT, rank_causes
from modeltop.diagnosis.context import ALL, ModelContext
from modeltop.diagnosis.observations import Observations, contributions, observe_change
from modeltop.diagnosis.patterns import metric_patterns, pattern_of
from modeltop.diagnosis.summary import summary_sentence
from modeltop.diagnosis.timeseries.forecast import forecast_trend
from modeltop.rules.rule import rules_for
from modeltop.rules.snapshot import Snapshot

WORST_FIRST_KINDS = ((Pattern.DROP, Pattern.DECLINE), (Pattern.SPIKE, Pattern.SEASONAL))
WORST_FIRST = tuple(pattern for kinds in WORST_FIRST_KINDS for pattern in kinds)
HEALTHY_PATTERNS = (Pattern.STEADY, Pattern.TOO_LITTLE)


def diagnose(case: ModelContext) -> Diagnosis:
    """What happened to a model, why, and what to do; a pure function of the case."""
    alerting = focus(case)
    known = metric_patterns(case, alerting)
    key = alerting or _worst(case, known)
    series = next((one for one in case.series if one.key == key), None)
    course = next((one for one in known if one.key == key), None)
    others = tuple(one for one in known if one.key != key and one.pattern not in HEALTHY_PATTERNS)
    facts = observe_change(case, series, course, others)
    found = _named(facts)
    taken = next_actions(facts, found)
    return Diagnosis(
        model=case.model,
        severity=case.severity,
        key=key,
        sentence=summary_sentence(facts, found, taken),
        series_pattern=course,
        hypotheses=found,
        actions=taken,
        advice=advice(facts, taken, found),
        other_patterns=others,
        metric_changes=tuple(_ordered(facts)),
        feature_shifts=facts.feature_shifts.shifted,
        segments=contributions(facts),
        expectations=tuple(facts.pairs),
        labels_since_change=facts.labels_since_change,
    )


def focus(case: ModelContext) -> SeriesKey | None:
    """The series that an alert is about; None without any.

    Of what stands the worst, before what is pending. Among alerts that are as bad the one that says most comes first:
    over all rows, known rather than estimated, a share of all rows or of some rather than a score; else as ordered.
    """
    known = {one.key for one in case.series}
    asked = [one for one in case.alerts if one.resolved is None and one.condition is Condition.THRESHOLD]

    def place(one: Alert) -> tuple[bool, int, bool, bool, int]:
        metric = case.catalog.get(one.key.metric)
        plain = metric.proportion + (metric.support == ROW_COUNT)
        return not one.is_active, -one.severity, one.key.segment != ALL, not metric.needs_labels, -plain

    return next((one.key for one in sorted(asked, key=place) if one.key in known), None)


def _worst(case: ModelContext, found: Sequence[SeriesPattern]) -> SeriesKey | None:
    """The series with the worst course; None if all is calm."""
    wrong = [one for one in found if one.pattern in WORST_FIRST and _judges(case, one.key)]
    return max(wrong, key=lambda one: _weight(case, one)).key if wrong else None


def _weight(case: ModelContext, course: SeriesPattern) -> tuple[int, bool, bool, float]:
    """What lasts before what is over, what is known before what is estimated, shares of counts, then the surest."""
    series, metric = case.overall_series()[course.key.metric], case.catalog.get(course.key.metric)
    found = (
        compare(series, windows_around(series, course.started_at, course)) if course.started_at is not None else None
    )
    rank = next(place for place, kinds in enumerate(WORST_FIRST_KINDS) if course.pattern in kinds)
    return -rank, metric.needs_labels, metric.proportion, abs(found.z) if found is not None else 0.0


def _judges(case: ModelContext, key: SeriesKey) -> bool:
    return case.catalog.get(key.metric).better is not Direction.NEITHER and key.segment == ALL


def _named(facts: Observations) -> tuple[CauseHypothesis, ...]:
    """The causes; where none is heavy enough, first that there is not enough to tell. None if nothing is wrong."""
    if facts.series is None and facts.no_data_alert is None:
        return ()
    found = rank_causes(facts)
    if found and found[0].weight >= MIN_WEIGHT:
        return found
    return (CauseHypothesis(Cause.UNKNOWN, 0.0, (insufficient_data_reason(facts),)), *found)


def _ordered(facts: Observations) -> Iterable[BeforeAfter]:
    """The series that it is about, then what moved, surest first, then the rest as it stands in the history."""
    if facts.focus is not None:
        yield facts.focus
    rest = [one for name, one in facts.before_after.items() if one is not facts.focus and name != ROW_COUNT]
    yield from sorted(rest, key=lambda one: -abs(one.z) if one.is_significant else 0.0)
    if ROW_COUNT in facts.before_after:
        yield facts.before_after[ROW_COUNT]


CONTINUING_PATTERNS = (Pattern.DROP, Pattern.DECLINE, Pattern.RECOVERING, Pattern.IMPROVING)
"""Courses that may go on."""
CACHE_SIZE = 2
"""Snapshots whose diagnoses are remembered: the one on the screen, and the one that takes its place."""


class _SnapshotCache(NamedTuple):
    """Beside the snapshot, so that its id is no other's meanwhile."""

    snapshot: Snapshot
    diagnoses: dict[str, Diagnosis]
    outlooks: dict[SeriesKey, TrendOutlook]


_known: OrderedDict[int, _SnapshotCache] = OrderedDict()


def diagnose_model(snapshot: Snapshot, model: str) -> Diagnosis:
    """What happened to a model, why, and what to do; a pure function of the snapshot, made once."""
    found = _remembered(snapshot).diagnoses
    if model not in found:
        made = diagnose(context_for(snapshot, model))
        ahead = outlook(snapshot, made.key).forecast if made.series_pattern is not None and made.key else None
        found[model] = replace(made, forecast=ahead)
    return found[model]


def outlook(snapshot: Snapshot, key: SeriesKey) -> TrendOutlook:
    """How one series has gone, and where that leads, by the limits it is judged by; made once."""
    found = _remembered(snapshot).outlooks
    if key not in found:
        series = snapshot.history.series.get(key)
        found[key] = TrendOutlook() if series is None else _outlook(snapshot, series)
    return found[key]


def _outlook(snapshot: Snapshot, series: Series) -> TrendOutlook:
    out = {one.rule for one in snapshot.rule_statuses if one.key == series.key and one.skip_reason is not None}
    rules = [rule for rule in rules_for(snapshot.rules, series.key) if rule.name not in out]
    limits = [limit for rule in rules for _, limit in rule.detector.limits()]
    course = pattern_of(series)
    # Of what came and went, or is as it was, a line through the newest points would only mislead.
    led = forecast_trend(series, limits) if course.pattern in CONTINUING_PATTERNS else None
    return TrendOutlook(course, led)


def _remembered(snapshot: Snapshot) -> _SnapshotCache:
    known = _known.get(id(snapshot))
    if known is None or known.snapshot is not snapshot:
        known = _known[id(snapshot)] = _SnapshotCache(snapshot, {}, {})
    _known.move_to_end(id(snapshot))
    while len(_known) > CACHE_SIZE:
        _known.popitem(last=False)
    return known


def focus_series(snapshot: Snapshot, model: str) -> SeriesKey | None:
    """The series that the diagnosis is about; None where nothing happened to any."""
    return diagnose_model(snapshot, model).key


def context_for(snapshot: Snapshot, model: str) -> ModelContext:
    """What a snapshot knows of one model."""
    verdict = next((one for one in snapshot.model_statuses if one.model == model), None)
    mine = [one for one in snapshot.alerts if one.key.model == model]
    return ModelContext(
        model=model,
        series=snapshot.history.for_model(model),
        taken_at=snapshot.taken_at,
        catalog=snapshot.catalog,
        alerts=mine,
        severity=Severity.OK if verdict is None else verdict.severity,
        status_sentence="" if verdict is None else verdict.sentence,
        label_coverage=snapshot.label_coverage.get(model),
        notes=[note for note in snapshot.alerting_state.notes if fnmatchcase(model, note.model)],
        distributions=snapshot.distributions.get(model, Distributions()),
        other_failures_since={
            one.key.model: one.since for one in snapshot.alerts if one.is_active and one.key.model != model
        },
    )
