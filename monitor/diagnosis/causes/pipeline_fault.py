"""Something broke before the model: its inputs, or the pipeline that brings them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from modeltop.core.diagnosis import ROW_COUNT, Cause, CauseHypothesis, FeatureShift, Pattern
from modeltop.core.series import Condition, to_datetime
from modeltop.core.text import format_period, format_value, pluralize, sanitize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_value_loss, expectation_held, format_count, safe_name
from modeltop.diagnosis.signals import best_pair, followed_share

MIN_BROKEN_SHARE = 0.05
"""Share of values lost from which a column is broken, rather than scratched."""
MIN_OTHER_MODELS = 2
"""Other models that went wrong at the same time, from which it is no accident."""
HALF = 0.5
"""Of the fall: the model expected less of it."""
DISJOINT_DISTANCE = 0.3
"""Jensen-Shannon distance of a column whose values hardly overlap with those of the reference."""


@cause
def outage(facts: Observations) -> CauseHypothesis | None:
    """No rows come, or far fewer."""
    return combine_evidence(Cause.OUTAGE, _stopped(facts))


def _stopped(facts: Observations) -> Iterator[EvidenceItem]:
    if facts.no_data_alert is not None:
        if facts.no_data_alert.condition is Condition.ERROR:
            message = facts.no_data_alert.breach.message if facts.no_data_alert.breach else "a source cannot be read"
            yield EvidenceItem(0.95, sanitize(message))
        else:
            yield EvidenceItem(0.95, f"rows were due by {format_period(facts.no_data_alert.since)}")
    count = facts.before_after.get(ROW_COUNT)
    if count is not None and count.is_significant and count.after < 0.5 * count.before:
        yield EvidenceItem(0.6, f"rows fell from {format_count(count.before)} to {format_count(count.after)} a period")


@cause
def upstream(facts: Observations) -> CauseHypothesis | None:
    """A column lost its values, got unknown ones, or jumped to others from one period to the next."""
    if facts.focus is None and not facts.feature_shifts.broken:
        return None
    return combine_evidence(Cause.UPSTREAM, _broken(facts), _whole(facts))


def _broken(facts: Observations) -> Iterator[EvidenceItem]:
    for one in facts.feature_shifts.broken[:3]:
        yield EvidenceItem(0.85 if _worst(one) >= MIN_BROKEN_SHARE else 0.5, describe_value_loss(one))
    for said in facts.value_anomalies[:2]:
        yield EvidenceItem(0.75, said)
    jumped = facts.feature_shifts.shifted[:1]
    lone = len(facts.feature_shifts.shifted) <= max(1, facts.feature_shifts.feature_count // 3)
    if (
        jumped
        and lone
        and facts.is_sudden
        and jumped[0].metric == "js_distance"
        and jumped[0].after >= DISJOINT_DISTANCE
    ):
        yield EvidenceItem(
            0.7, f"{safe_name(jumped[0].feature)} leapt to other values, distance {format_value(jumped[0].after, 2)}"
        )
    if len(alike := _together(facts)) >= MIN_OTHER_MODELS:
        yield EvidenceItem(0.4, f"{pluralize(len(alike), 'other model')} went wrong within a day of it")
    yield from _overnight(facts)


def _overnight(facts: Observations) -> Iterator[EvidenceItem]:
    """A sudden fall that the model noticed a little: what comes in has changed, and it makes the wrong thing of it."""
    pair = best_pair(facts)
    lasts = facts.pattern is not None and facts.pattern.pattern is Pattern.DROP
    if (
        pair is None
        or not lasts
        or not facts.is_overnight
        or followed_share(pair) >= HALF
        or (facts.feature_shifts.feature_count and not facts.feature_shifts.shifted)
    ):
        return
    if pair.expected.is_significant:
        yield EvidenceItem(0.5, f"overnight, {expectation_held(pair, facts.focus)}")
    else:
        yield EvidenceItem(0.25, "overnight, and the model does not notice")


def _together(facts: Observations) -> list[str]:
    """Other models that went wrong at the same time: what they share is not in this one."""
    if facts.windows is None:
        return []
    begin = to_datetime(facts.windows.onset)
    return [
        model for model, since in facts.context.other_failures_since.items() if abs(since - begin) <= timedelta(days=1)
    ]


def _whole(facts: Observations) -> Iterator[EvidenceItem]:
    if facts.feature_shifts.feature_count and not facts.feature_shifts.shifted:
        yield EvidenceItem(
            0.7, f"none of {pluralize(facts.feature_shifts.feature_count, 'feature')} moved or lost values"
        )
    if not facts.feature_shifts.feature_count:
        yield EvidenceItem(0.1, "no feature is logged")
    if (
        facts.pattern is not None
        and not facts.is_sudden
        and not facts.feature_shifts.broken
        and not facts.value_anomalies
    ):
        yield EvidenceItem(0.3, "it came gradually")


def _worst(one: FeatureShift) -> float:
    return max(pair[1] - pair[0] for pair in (one.missing, one.unseen) if pair is not None)
