"""The inputs moved, or the world behind them."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import Cause, CauseHypothesis, Pattern
from modeltop.core.text import format_period, format_value, pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import ESTIMATED, Observations, is_near_onset
from modeltop.diagnosis.phrases import expectation_held, expectation_moved, format_share_change, safe_name, top_features
from modeltop.diagnosis.signals import (
    FOLLOWED_FROM,
    UNMOVED_BELOW,
    expectation_followed,
    followed_share,
    linear_ramp,
    most_dominant_segment,
    precision_recall_tradeoff,
    ranking_and_calibration_held,
    worsened_pairs,
)

MIN_LEAD_DAYS = 3
"""Days by which one must precede the other: begins are known within a few periods."""


def is_broad_shift(facts: Observations) -> bool:
    """Whether the inputs as a whole moved: three features or more, and a third of all."""
    moved, features = len(facts.feature_shifts.shifted), facts.feature_shifts.feature_count
    return moved >= 3 and 3 * moved >= features


@cause
def data_drift(facts: Observations) -> CauseHypothesis | None:
    """Many inputs moved, and the model knows it: what it expects of itself fell with what came true."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or facts.feature_shifts.broken or facts.value_anomalies:
        return None
    return combine_evidence(Cause.DATA_DRIFT, _spread(facts), _unmoved(facts))


def _spread(facts: Observations) -> Iterator[EvidenceItem]:
    columns = facts.feature_shifts
    if is_broad_shift(facts):
        yield EvidenceItem(
            0.6, f"{len(columns.shifted)} of {columns.feature_count} features moved: {top_features(columns.shifted)}"
        )
    if not columns.feature_count and columns.score is not None:
        yield EvidenceItem(
            0.5, f"the score's distribution moved, {format_value(columns.score.after, 2)} from the reference"
        )
    yield from _followed(facts)
    confidence, course = facts.pattern_of("avg_confidence"), facts.pattern
    if (
        confidence
        and course
        and confidence.started_at
        and course.started_at
        and confidence.started_at < course.started_at
    ):
        days = (course.started_at - confidence.started_at).days
        if (
            MIN_LEAD_DAYS <= days <= 30
            and (followed := expectation_followed(facts)) is not None
            and followed > UNMOVED_BELOW
        ):
            yield EvidenceItem(
                0.3, f"confidence fell {pluralize(days, 'day')} before, on {format_period(confidence.started_at)}"
            )


def _followed(facts: Observations) -> Iterator[EvidenceItem]:
    for pair in worsened_pairs(facts)[:2]:
        strength = linear_ramp(followed_share(pair), UNMOVED_BELOW, FOLLOWED_FROM)
        if strength and pair.expected.is_significant:
            most = 0.6 if pair.expected.key.metric.startswith(ESTIMATED) else 0.5
            yield EvidenceItem(round(most * strength, 2), expectation_moved(pair, facts.focus))


def _unmoved(facts: Observations) -> Iterator[EvidenceItem]:
    columns = facts.feature_shifts
    if columns.feature_count and not columns.shifted:
        yield EvidenceItem(0.7, f"none of {pluralize(columns.feature_count, 'feature')} moved")
    elif columns.shifted and not is_broad_shift(facts):
        yield EvidenceItem(0.5, f"only {len(columns.shifted)} of {pluralize(columns.feature_count, 'feature')} moved")
    if columns.has_score_drift and columns.score is None:
        yield EvidenceItem(0.3, "the score's distribution is as before")
    yield from _beyond(facts)
    for pair in worsened_pairs(facts)[:1]:
        strength = 1 - linear_ramp(followed_share(pair), 0.0, UNMOVED_BELOW)
        if strength:
            yield EvidenceItem(round(0.5 * strength, 2), expectation_held(pair, facts.focus))


def _beyond(facts: Observations) -> Iterator[EvidenceItem]:
    """What speaks against any drift."""
    if ranking_and_calibration_held(facts):
        yield EvidenceItem(0.6, "the scores are as good as before, by order and by their Brier score")
    elif (exchanged := precision_recall_tradeoff(facts)) is not None:
        yield EvidenceItem(0.25, exchanged)
    if facts.pattern is not None and facts.pattern.pattern is Pattern.SPIKE:
        yield EvidenceItem(0.6, "it was over at once")
    if (found := most_dominant_segment(facts)) is not None:
        yield EvidenceItem(0.5, f"it is {safe_name(found[1].segment)} alone")
    if any(is_near_onset(facts, note) for note in facts.notes):
        yield EvidenceItem(0.3, "something else was noted for that day")
    for segment in facts.new_segments[:1]:
        yield EvidenceItem(0.3, f"{safe_name(segment)} is new since then")


@cause
def feature_drift(facts: Observations) -> CauseHypothesis | None:
    """One or a few inputs moved, with values that are valid."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or not facts.feature_shifts.shifted or is_broad_shift(facts):
        return None
    columns = facts.feature_shifts
    named = EvidenceItem(
        0.7,
        f"{len(columns.shifted)} of {pluralize(columns.feature_count, 'feature')} moved: {top_features(columns.shifted, 3)}",
    )
    broken = [
        EvidenceItem(
            0.7,
            f"values are lost: missing {format_share_change(one.missing)}"
            if one.missing
            else "values never seen before",
        )
        for one in columns.broken[:1]
    ]
    broken += [EvidenceItem(0.5, said) for said in facts.value_anomalies[:1]]
    return combine_evidence(Cause.FEATURE_DRIFT, [named, *_followed(facts)], broken)


@cause
def concept_drift(facts: Observations) -> CauseHypothesis | None:
    """The same inputs mean something else: what came true fell, what the model expected did not."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or not facts.metric.needs_labels:
        return None
    return combine_evidence(Cause.CONCEPT_DRIFT, _unnoticed(facts), _noticed(facts))


def _unnoticed(facts: Observations) -> Iterator[EvidenceItem]:
    pairs = worsened_pairs(facts)
    for pair in pairs[:2]:
        strength = 1 - linear_ramp(followed_share(pair), UNMOVED_BELOW, FOLLOWED_FROM)
        if strength:
            most = 0.65 if pair.expected.key.metric.startswith(ESTIMATED) else 0.6
            yield EvidenceItem(round(most * strength, 2), expectation_held(pair, facts.focus))
    columns = facts.feature_shifts
    if (pairs or not (facts.pairs or facts.is_within_noise)) and columns.feature_count and not columns.shifted:
        # Of a model that says nothing of its own sureness, such as a regression, this is all there is.
        yield EvidenceItem(0.4 if pairs else 0.5, f"none of {pluralize(columns.feature_count, 'feature')} moved")
    if pairs and columns.has_score_drift and columns.score is None:
        yield EvidenceItem(0.2, "the score's distribution is as before")


def _noticed(facts: Observations) -> Iterator[EvidenceItem]:
    columns = facts.feature_shifts
    if columns.broken:
        yield EvidenceItem(0.6, "a feature lost values")
    elif facts.value_anomalies:
        yield EvidenceItem(0.6, facts.value_anomalies[0])
    elif is_broad_shift(facts):
        yield EvidenceItem(0.4, f"{len(columns.shifted)} of {columns.feature_count} features moved")
    elif columns.shifted:
        yield EvidenceItem(0.3, f"{top_features(columns.shifted, 1)} moved")
    yield from _beyond(facts)
    if facts.is_overnight and not (columns.feature_count and not columns.shifted):
        yield EvidenceItem(0.3, "the world seldom changes from one period to the next")
