"""Causes between the model and its numbers: inverted scores, misjoined labels, or another model that is served."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import BeforeAfter, Cause, CauseHypothesis
from modeltop.core.metrics.phrases import metric_name
from modeltop.core.text import pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.causes.external import release_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.signals import (
    describe,
    describe_metric_change,
    held_decisions,
    inverted_labels,
    lost_skill,
    moved_output,
)


@cause
def inverted_scores(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the order of the scores is reversed, and not that of the labels."""
    skill = lost_skill(observations)
    if skill is None or not skill.is_inverted:
        return None
    contra = [*_broken_inputs(observations)]
    if labels := inverted_labels(observations):
        contra.append(EvidenceItem(labels, "reversed labels look the same"))
    text = f"{_describe_loss(observations, skill.change)}, below chance"
    return combine_evidence(Cause.INVERTED_SCORES, [EvidenceItem(0.95, text)], contra)


def _describe_loss(observations: Observations, change: BeforeAfter) -> str:
    came = f" {observations.overnight}" if observations.is_sudden else ""
    return f"{describe_metric_change(observations, change)}{came}"


@cause
def misjoined_labels(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether labels are reversed or of other rows: no skill is left, but inputs and scores are as before."""
    skill = lost_skill(observations)
    if skill is None:
        return None
    if skill.is_inverted:
        labels = observations.before_after.get("label_rate")
        if labels is None or (strength := inverted_labels(observations)) < 0.5:
            return None
        text = f"share of positives {describe(observations, labels)}, scores as before"
        return combine_evidence(Cause.MISJOINED_LABELS, [EvidenceItem(strength, text)], _broken_inputs(observations))
    return combine_evidence(Cause.MISJOINED_LABELS, _no_skill(observations, skill.change), _moved(observations))


def _no_skill(observations: Observations, change: BeforeAfter) -> Iterator[EvidenceItem]:
    yield EvidenceItem(0.5, f"{_describe_loss(observations, change)}, no better than chance")
    shifts = observations.feature_shifts
    if shifts.feature_count and not shifts.shifted:
        yield EvidenceItem(0.4, "features are as before")
    if shifts.outputs.keys() - {"label"} and moved_output(observations) is None:
        yield EvidenceItem(0.5, "scores and predictions are as before")


def _moved(observations: Observations) -> Iterator[EvidenceItem]:
    yield from _broken_inputs(observations)
    if (moved := moved_output(observations)) is not None:
        yield EvidenceItem(0.7, moved)
    yield from release_evidence(observations, 0.5)


def _broken_inputs(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if observations.faults:
        yield EvidenceItem(0.6, "a feature is broken")
    elif shifts.shifted:
        yield EvidenceItem(0.4, f"{len(shifts.shifted)} of {pluralize(shifts.feature_count, 'feature')} shifted")


@cause
def model_change(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether another model, or another way to serve it, answers: scores moved overnight, inputs did not."""
    if observations.focus is None or not observations.is_sudden or observations.loss(observations.focus) <= 0:
        return None
    return combine_evidence(Cause.MODEL_CHANGE, _moved_scores(observations), _moved_inputs(observations))


def _moved_scores(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    yield from release_evidence(observations, 0.6, marked=0.85)
    if (moved := moved_output(observations)) is None:
        return
    if shifts.feature_count and not shifts.shifted:
        yield EvidenceItem(0.8, f"{moved}, features as before")
    elif not shifts.feature_count and shifts.output is not None:
        yield EvidenceItem(0.3, f"{moved} {observations.overnight}")


def _moved_inputs(observations: Observations) -> Iterator[EvidenceItem]:
    yield from _broken_inputs(observations)
    if (ranking := held_decisions(observations)) is not None:
        yield EvidenceItem(0.7, f"{metric_name(ranking.key.metric)} is as before, {describe(observations, ranking)}")
    if (skill := lost_skill(observations)) is not None and skill.is_inverted:
        yield EvidenceItem(0.5, f"{describe_metric_change(observations, skill.change)}, below chance")
