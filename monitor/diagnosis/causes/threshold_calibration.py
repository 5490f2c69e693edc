"""The model ranks as well as before; what is made of its scores does not fit any more."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import BeforeAfter, Cause, CauseHypothesis
from modeltop.core.text import format_value
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import format_change
from modeltop.diagnosis.signals import RANKING, precision_recall_tradeoff, ranking_held

CALIBRATION = ("expected_calibration_error", "maximum_calibration_error", "brier_score", "log_loss")


@cause
def label_shift(facts: Observations) -> CauseHypothesis | None:
    """The share of positives moved; each class is told as well as before."""
    base = base_rate_change(facts)
    if facts.focus is None or base is None:
        return None
    pro = [EvidenceItem(0.6, f"the share of positives {base.direction} {format_change(base)}")]
    contra = []
    told = [one for name in ("recall", "specificity") if (one := facts.before_after.get(name)) is not None]
    if told and all(facts.loss(one) <= max(0.01, 0.2 * abs(facts.loss(facts.focus))) for one in told):
        pro.append(
            EvidenceItem(0.4, "recall and specificity hold" if len(told) == 2 else f"{told[0].key.metric} holds")
        )
    contra += [
        EvidenceItem(0.4, f"{one.key.metric} fell too, {format_change(one)}")
        for one in told
        if one.is_significant and facts.loss(one) > 0.03
    ]
    return combine_evidence(Cause.LABEL_SHIFT, pro, contra)


def base_rate_change(facts: Observations) -> BeforeAfter | None:
    """The share of positives, if it moved by enough to matter: 3 points, and a tenth of what it was."""
    base = facts.before_after.get("label_rate")
    return (
        base if base is not None and base.is_significant and abs(base.delta) >= max(0.03, 0.1 * base.before) else None
    )


@cause
def threshold(facts: Observations) -> CauseHypothesis | None:
    """The line is drawn elsewhere, the model is not worse: precision and recall move against each other."""
    return None if facts.focus is None else combine_evidence(Cause.THRESHOLD, _redrawn(facts), _shifted(facts))


def _redrawn(facts: Observations) -> Iterator[EvidenceItem]:
    exchanged, positive, ranking = (
        precision_recall_tradeoff(facts),
        facts.before_after.get("positive_rate"),
        ranking_held(facts),
    )
    if exchanged is not None:
        yield EvidenceItem(0.6, exchanged)
    moved = positive is not None and positive.is_significant and not _moved(facts, "label_rate")
    if positive is not None and moved and ranking is not None and not _moved(facts, "brier_score"):
        yield EvidenceItem(
            0.75, f"positive predictions {positive.direction} {format_change(positive)}, {ranking.key.metric} holds"
        )
    elif exchanged is not None and ranking is not None:
        yield EvidenceItem(0.3, f"{ranking.key.metric} holds at {format_value(ranking.after)}")
    if exchanged is not None and facts.is_unchanged("accuracy"):
        yield EvidenceItem(0.2, "accuracy holds")


def _moved(facts: Observations, name: str) -> bool:
    found = facts.before_after.get(name)
    return found is not None and found.is_significant


def _shifted(facts: Observations) -> Iterator[EvidenceItem]:
    base = facts.before_after.get("label_rate")
    if base is not None and base.is_significant:
        yield EvidenceItem(0.3, f"the share of positives {base.direction} too, {format_change(base)}")
    if facts.feature_shifts.broken:
        yield EvidenceItem(0.5, "a feature lost values")


@cause
def calibration(facts: Observations) -> CauseHypothesis | None:
    """Ranking holds while scores are not what they say: recalibration is enough."""
    if facts.focus is None:
        return None
    worse = [
        one
        for name in CALIBRATION
        if (one := facts.before_after.get(name)) and one.is_significant and facts.loss(one) > 0
    ]
    if not worse:
        return None
    ranking = ranking_held(facts)
    pro = [EvidenceItem(0.35, f"{one.key.metric} {format_change(one)}") for one in worse[:2]]
    if ranking is not None:
        pro.append(EvidenceItem(0.5, f"{ranking.key.metric} holds at {format_value(ranking.after)}"))
    return combine_evidence(Cause.CALIBRATION, pro, _otherwise(facts, ranking))


def _otherwise(facts: Observations, ranking: BeforeAfter | None) -> Iterator[EvidenceItem]:
    """What speaks against scores that are off by themselves."""
    fell = [
        one for name in RANKING if (one := facts.before_after.get(name)) and one.is_significant and facts.loss(one) > 0
    ]
    if ranking is None and fell:
        yield EvidenceItem(0.7, f"{fell[0].key.metric} fell too, {format_change(fell[0])}")
    elif ranking is None:
        yield EvidenceItem(0.5, "no metric of ranking is known")
    if facts.is_within_noise:
        yield EvidenceItem(0.5, "the difference is within chance")
    if (base := base_rate_change(facts)) is not None:
        yield EvidenceItem(
            0.3, f"the share of positives {base.direction}, {format_change(base)}: scores are off because of it"
        )
