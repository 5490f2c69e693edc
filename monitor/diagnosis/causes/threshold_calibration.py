"""Causes in which the model ranks as well as before, but its threshold or calibration does not fit any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modeltop.core.diagnosis import BeforeAfter, Cause, CauseHypothesis
from modeltop.core.metrics.phrases import format_values, metric_name
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.signals import (
    RANKING,
    are_classes_recognized,
    base_rate_change,
    class_rates,
    describe,
    describe_metric_change,
    held_decisions,
    held_ranking,
    moved_labels,
    precision_recall_tradeoff,
)

MIN_LOSS = 0.01
"""Loss of calibration, or of ranking, below which it does not matter, however significant."""
CALIBRATION = ("expected_calibration_error", "maximum_calibration_error", "brier_score", "log_loss")


@cause
def label_shift(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the proportions of the classes changed, and each is recognized as well as before."""
    if observations.focus is None or (moved := moved_labels(observations)) is None:
        return None
    rates, pro = class_rates(observations), [EvidenceItem(0.6, moved)]
    if are_classes_recognized(observations):
        names = " and ".join(metric_name(rate.key.metric) for rate in rates)
        pro.append(EvidenceItem(0.4, f"{names} {'are' if len(rates) > 1 else 'is'} as before"))
    contra = [
        EvidenceItem(0.4, describe_metric_change(observations, rate))
        for rate in rates
        if rate.is_significant and observations.loss(rate) > 0.03 and not observations.faults  # lowers them too
    ]
    return combine_evidence(Cause.LABEL_SHIFT, pro, contra)


def _significant(observations: Observations, name: str) -> BeforeAfter | None:
    change = observations.before_after.get(name)
    return change if change is not None and change.is_significant else None


@cause
def threshold(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the decision threshold moved: precision and recall change against each other."""
    if observations.focus is None:
        return None
    return combine_evidence(Cause.THRESHOLD, _moved_threshold(observations), _moved_inputs(observations))


def _moved_threshold(observations: Observations) -> Iterator[EvidenceItem]:
    tradeoff, ranking = precision_recall_tradeoff(observations), held_ranking(observations)
    if tradeoff is not None:
        yield EvidenceItem(0.6, tradeoff)
    positives = _significant(observations, "positive_rate")
    others_moved = any(_significant(observations, name) for name in ("label_rate", "brier_score"))
    if positives is not None and ranking is not None and not others_moved:
        change = f"positive predictions {positives.direction} {describe(observations, positives)}"
        yield EvidenceItem(0.75, f"{change}, {ranking.key.metric} is as before")
    elif tradeoff is not None and ranking is not None:
        yield EvidenceItem(0.3, _describe_ranking(observations, ranking))
    accuracy = observations.before_after.get("accuracy")
    if tradeoff is not None and accuracy is not None and not observations.got_worse(accuracy):
        yield EvidenceItem(0.2, "accuracy is as before")


def _moved_inputs(observations: Observations) -> Iterator[EvidenceItem]:
    if (positives := _significant(observations, "label_rate")) is not None:
        yield EvidenceItem(
            0.3, f"the share of positives {positives.direction} too, {describe(observations, positives)}"
        )
    if observations.faults:
        yield EvidenceItem(0.5, observations.faults[0].clause)


@cause
def calibration(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether ranking holds while scores are no probabilities: recalibration is enough."""
    worse = _worse(observations, CALIBRATION)
    if observations.focus is None or not worse:
        return None
    ranking = held_decisions(observations)
    pro = [EvidenceItem(0.35, describe_metric_change(observations, change)) for change in worse[:2]]
    if ranking is not None:
        pro.append(EvidenceItem(0.5, _describe_ranking(observations, ranking)))
    return combine_evidence(Cause.CALIBRATION, pro, _not_calibration(observations, ranking))


def _describe_ranking(observations: Observations, ranking: BeforeAfter) -> str:
    (value,) = format_values(observations.context.catalog.get(ranking.key.metric), ranking.after)
    return f"{ranking.key.metric} is as before, {value}"


def _worse(observations: Observations, names: Sequence[str]) -> list[BeforeAfter]:
    changes = observations.before_after
    worse = [changes[name] for name in names if observations.got_worse(changes.get(name))]
    return [change for change in worse if observations.loss(change) >= MIN_LOSS]


def _not_calibration(observations: Observations, ranking: BeforeAfter | None) -> Iterator[EvidenceItem]:
    worse = _worse(observations, RANKING)
    if ranking is None and worse:
        yield EvidenceItem(0.7, describe_metric_change(observations, worse[0]))
    elif ranking is None:
        yield EvidenceItem(0.5, "no ranking metric is logged")
    if observations.is_within_noise:
        yield EvidenceItem(0.5, "the difference is not significant")
    for fault in observations.faults[:1]:
        yield EvidenceItem(0.5, fault.clause)
    shifts = observations.feature_shifts
    if shifts.is_score_steady:
        yield EvidenceItem(0.4, "the score distribution is as before")
    if (positives := base_rate_change(observations)) is not None:
        yield EvidenceItem(0.3, f"the share of positives {positives.direction} {describe(observations, positives)}")
