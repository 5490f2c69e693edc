"""Causes before the model: broken inputs, or an outage of the pipeline that brings them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from modeltop.core.diagnosis import ROW_COUNT, Cause, CauseHypothesis, Pattern
from modeltop.core.metrics.phrases import safe_name
from modeltop.core.series import Condition, to_datetime
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, format_value, per_unit, pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_expectation, followed_ratio
from modeltop.diagnosis.signals import best_pair, describe, lost_rows

MAX_FEW_ROWS = 0.2
"""Ratio to the usual rows up to which most of them are certainly missing."""
MIN_OTHERS = 0.8
"""Ratio to their usual rows from which the other segments are as before."""
MIN_OTHER_MODELS = 2
"""Other models that fail at the same time, from which it is no coincidence."""
MAX_FOLLOWED = 0.5
"""Ratio of the fall that the model expected, from which it noticed."""
DISJOINT_DISTANCE = 0.6
"""Jensen-Shannon distance of a feature that has less than half of the values of its reference."""


@cause
def outage(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether no rows arrive, or far fewer."""
    return combine_evidence(Cause.OUTAGE, _missing_rows(observations))


def _missing_rows(observations: Observations) -> Iterator[EvidenceItem]:
    alert = observations.no_data_alert
    if alert is not None:
        yield EvidenceItem(0.95, f"rows were due by {format_day(alert.since, observations.context.now)}")
    rows = observations.before_after.get(ROW_COUNT)
    unit = per_unit(period_unit(observations.series))
    if rows is not None and rows.is_significant and rows.after < 0.5 * rows.before:
        strength = 0.85 if rows.after <= MAX_FEW_ROWS * rows.before else 0.6
        shown = observations.shown(rows)
        yield EvidenceItem(strength, f"rows fell {shown.before:,.0f}→{shown.after:,.0f} {unit}")
        return
    for lost in lost_rows(observations)[:2]:
        levels = f"{lost.before:,.0f}→{lost.after:,.0f}"
        yield EvidenceItem(0.85, f"rows of {safe_name(lost.key.segment)} fell {levels} {unit}")
        if rows is not None and rows.after - lost.after >= MIN_OTHERS * (rows.before - lost.before) > 0:
            yield EvidenceItem(0.4, "other segments have as many rows as before")


@cause
def shared(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether several models got worse at the same time: that is seldom in each of them."""
    start = observations.context.shared_start
    if start is None or start.condition is not Condition.THRESHOLD:
        return None
    day = format_day(start.started_at, observations.context.now)
    models = pluralize(len(start.models), "model")
    return combine_evidence(Cause.SHARED, [EvidenceItem(0.8, f"{models} got worse on {day}")])


@cause
def upstream(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether a feature lost its values, got unknown ones, or jumped to others from one period to the next."""
    if observations.focus is None and not observations.faults:
        return None
    return combine_evidence(Cause.UPSTREAM, _faults(observations), _intact(observations))


def _faults(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    for fault in observations.faults[:3]:
        yield EvidenceItem(fault.strength, fault.clause)
    few = not observations.faults and len(shifts.shifted) <= max(1, shifts.feature_count // 3)
    for shift in shifts.sound[:1]:
        is_disjoint = shift.metric == "js_distance" and shift.after >= DISJOINT_DISTANCE
        if few and observations.is_sudden and is_disjoint:
            distance = format_value(shift.after, 2)
            yield EvidenceItem(0.7, f"{safe_name(shift.feature)} jumped to other values, distance {distance}")
    if observations.windows is not None and observations.context.shared_start is None:
        onset = to_datetime(observations.windows.onset)
        starts = observations.context.other_failures_since.values()
        others = sum(abs(since - onset) <= timedelta(days=1) for since in starts)
        if others >= MIN_OTHER_MODELS:
            yield EvidenceItem(0.4, f"{pluralize(others, 'other model')} dropped within a day of it")
    yield from _overnight(observations)


def _overnight(observations: Observations) -> Iterator[EvidenceItem]:
    """Yield that a sudden fall was little noticed by the model: its input changed, and it misreads it."""
    pair, shifts = best_pair(observations), observations.feature_shifts
    if pair is None or followed_ratio(pair) >= MAX_FOLLOWED or (shifts.feature_count and not shifts.shifted):
        return
    is_drop = observations.pattern is not None and observations.pattern.pattern is Pattern.DROP
    if not is_drop or not observations.is_overnight:
        return
    text = describe_expectation(pair, describe(observations, pair.expected), observations.focus)
    yield EvidenceItem(0.5 if pair.expected.is_significant else 0.25, f"{observations.overnight}, and {text}")


def _intact(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if not shifts.feature_count:
        yield EvidenceItem(0.1, "no features are logged")
    elif not shifts.shifted:
        yield EvidenceItem(0.7, f"none of {pluralize(shifts.feature_count, 'feature')} shifted or lost values")
    if observations.pattern is not None and not observations.is_sudden and not observations.faults:
        yield EvidenceItem(0.3, "it was gradual")
