"""Causes of drift: the inputs changed, or the world behind them."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import Cause, CauseHypothesis, ExpectedVsRealized, Pattern
from modeltop.core.metrics.phrases import safe_name
from modeltop.core.text import format_day, format_value, pluralize
from modeltop.diagnosis import phrases, signals
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.feature_drift import FeatureShifts
from modeltop.diagnosis.observations import ESTIMATED, Observations
from modeltop.diagnosis.phrases import FOLLOWED_FROM, UNMOVED_BELOW, followed_ratio
from modeltop.diagnosis.signals import linear_ramp


@cause
def data_drift(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether many inputs changed, and the model notices: its expectation fell with the realized metric."""
    is_explained = observations.faults and not observations.feature_shifts.is_broad
    if observations.loss(observations.focus) <= 0 or is_explained:
        return None
    return combine_evidence(Cause.DATA_DRIFT, _drift(observations), _no_drift(observations))


@cause
def feature_drift(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether one or a few inputs changed, with values that are valid."""
    shifts = observations.feature_shifts
    if observations.loss(observations.focus) <= 0 or not shifts.sound or shifts.is_broad:
        return None
    text = f"{_moved(shifts)}: {phrases.top_features(shifts.sound, 3)}"
    pro = [EvidenceItem(0.7, text), *_followed(observations)]
    return combine_evidence(Cause.FEATURE_DRIFT, pro, _of_labels(observations))


@cause
def concept_drift(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the same inputs mean something else: the realized metric fell, the expectation did not."""
    if observations.loss(observations.focus) <= 0 or not observations.metric.needs_labels:
        return None
    return combine_evidence(Cause.CONCEPT_DRIFT, _unnoticed(observations), _noticed(observations))


def _moved(shifts: FeatureShifts) -> str:
    if faults := len(shifts.shifted) - len(shifts.sound):
        return f"{len(shifts.sound) or 'none'} of {pluralize(shifts.feature_count - faults, 'other feature')} shifted"
    return f"{len(shifts.shifted) or 'none'} of {pluralize(shifts.feature_count, 'feature')} shifted"


def _drift(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if shifts.is_broad:
        yield EvidenceItem(0.6, f"{_moved(shifts)}: {phrases.top_features(shifts.sound)}")
    if not shifts.feature_count and (score := shifts.outputs.get("score")) is not None:
        distance = format_value(score.after, 2)
        yield EvidenceItem(0.5, f"the score distribution shifted, distance {distance}")
    yield from _followed(observations)
    yield from _led_by_confidence(observations)


def _followed(observations: Observations) -> Iterator[EvidenceItem]:
    for pair in _explained_pairs(observations)[:2]:
        strength = linear_ramp(followed_ratio(pair), UNMOVED_BELOW, FOLLOWED_FROM)
        if strength and pair.expected.is_significant:
            yield EvidenceItem(round(0.6 * strength, 2), _describe(observations, pair))


def _explained_pairs(observations: Observations) -> tuple[ExpectedVsRealized, ...]:
    return () if observations.faults else signals.worsened_pairs(observations)


def _led_by_confidence(observations: Observations) -> Iterator[EvidenceItem]:
    start, pattern = signals.confidence_lead(observations), observations.pattern
    if start is not None and pattern is not None and pattern.started_at is not None:
        days = (pattern.started_at - start).days
        lead = "a week" if days == 7 else pluralize(days, "day")
        day = format_day(start, observations.context.now)
        yield EvidenceItem(0.3, f"confidence fell {lead} earlier, on {day}", leads=True)


def _describe(observations: Observations, pair: ExpectedVsRealized) -> str:
    return phrases.describe_expectation(pair, signals.describe(observations, pair.expected), observations.focus)


def _no_drift(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if shifts.feature_count and not shifts.shifted:
        yield EvidenceItem(0.7, _moved(shifts))
    elif shifts.shifted and not shifts.is_broad:
        yield EvidenceItem(0.5, f"only {_moved(shifts)}")
    if shifts.is_score_steady:
        yield EvidenceItem(0.3, "the score distribution is as before")
    yield from _other_explanations(observations)
    for pair in _explained_pairs(observations)[:1]:
        strength = 1 - linear_ramp(followed_ratio(pair), 0.0, UNMOVED_BELOW)
        if strength:
            yield EvidenceItem(round(0.5 * strength, 2), _describe(observations, pair))


def _other_explanations(observations: Observations) -> Iterator[EvidenceItem]:
    brier, is_broad = observations.before_after.get("brier_score"), observations.feature_shifts.is_broad
    is_calibrated = brier is not None and not brier.is_significant
    # A model may rank other inputs as well as before and yet be right of fewer of them.
    if is_calibrated and not is_broad and signals.held_ranking(observations) is not None:
        yield EvidenceItem(0.6, "scores rank and calibrate as before")
    elif (tradeoff := signals.precision_recall_tradeoff(observations)) is not None:
        yield EvidenceItem(0.4, tradeoff)
    if observations.pattern is not None and observations.pattern.pattern is Pattern.SPIKE:
        yield EvidenceItem(0.6, "it lasted one period")
    yield from _of_labels(observations)
    if not is_broad and (dominant := signals.dominant_segment(observations)) is not None:
        yield EvidenceItem(0.5, f"only {safe_name(dominant[1].segment)} fell")
    if any(observations.is_near_onset(note) for note in observations.notes):
        yield EvidenceItem(0.3, "a note explains that day")
    for segment in observations.new_segments[:1]:
        yield EvidenceItem(0.3, f"{safe_name(segment)} is new since then")


def _of_labels(observations: Observations) -> Iterator[EvidenceItem]:
    """Yield that the labels moved and each class is recognized as before: the inputs only follow the labels.

    Beside a broken input no class is recognized as before.
    """
    labels = signals.moved_labels(observations)
    if labels is not None and (observations.faults or signals.are_classes_recognized(observations)):
        yield EvidenceItem(0.5, labels)


def _unnoticed(observations: Observations) -> Iterator[EvidenceItem]:
    pairs, shifts = signals.worsened_pairs(observations), observations.feature_shifts
    for pair in pairs[:2]:
        strength = 1 - linear_ramp(followed_ratio(pair), UNMOVED_BELOW, FOLLOWED_FROM)
        if strength:
            max_strength = 0.65 if pair.expected.key.metric.startswith(ESTIMATED) else 0.6
            yield EvidenceItem(round(max_strength * strength, 2), _describe(observations, pair))
    # Of a model without any expectation of itself, such as a regression, unmoved features are all there is.
    is_only_evidence = not observations.pairs and not observations.is_within_noise
    if (pairs or is_only_evidence) and shifts.feature_count and not shifts.shifted:
        yield EvidenceItem(0.4 if pairs else 0.5, _moved(shifts))
    if pairs and shifts.is_score_steady:
        yield EvidenceItem(0.2, "the score distribution is as before")


def _noticed(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if observations.faults:
        yield EvidenceItem(0.6, observations.faults[0].clause)
    elif shifts.is_broad:
        yield EvidenceItem(0.4, _moved(shifts))
    elif shifts.shifted:
        yield EvidenceItem(0.3, f"{phrases.top_features(shifts.shifted, 1)} shifted")
    if signals.lost_skill(observations) is not None:
        yield EvidenceItem(0.7, "no skill is left")
    if (labels := signals.labels_moved_alone(observations)) is not None:
        levels = signals.describe(observations, labels)
        yield EvidenceItem(0.4, f"the share of positives {labels.direction} {levels}, features and scores did not")
    moved = signals.moved_output(observations)
    if observations.is_sudden and moved is not None and not shifts.shifted and shifts.feature_count:
        yield EvidenceItem(0.5, f"{moved}, features as before")
    yield from _other_explanations(observations)
    if observations.is_overnight and not (shifts.feature_count and not shifts.shifted):
        yield EvidenceItem(0.3, "concept drift is rarely this sudden")
