"""The model ranks as well as before; what is made of its scores does not fit any more."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import Cause, Finding, Reading
from modeltop.core.text import brief
from modeltop.diagnosis.causes.base import Clause, cause, weighed
from modeltop.diagnosis.observations import Facts
from modeltop.diagnosis.phrases import went
from modeltop.diagnosis.signals import RANKING, exchange, ranks

CALIBRATION = ("expected_calibration_error", "maximum_calibration_error", "brier_score", "log_loss")


@cause
def label_shift(facts: Facts) -> Finding | None:
    """The share of positives moved; each class is told as well as before."""
    base = rebased(facts)
    if facts.focus is None or base is None:
        return None
    pro = [Clause(0.6, f"the share of positives {base.word} {went(base)}")]
    contra = []
    told = [one for name in ("recall", "specificity") if (one := facts.readings.get(name)) is not None]
    if told and all(facts.loss(one) <= max(0.01, 0.2 * abs(facts.loss(facts.focus))) for one in told):
        pro.append(Clause(0.4, "recall and specificity hold" if len(told) == 2 else f"{told[0].key.metric} holds"))
    contra += [
        Clause(0.4, f"{one.key.metric} fell too, {went(one)}") for one in told if one.moved and facts.loss(one) > 0.03
    ]
    return weighed(Cause.LABEL_SHIFT, pro, contra)


def rebased(facts: Facts) -> Reading | None:
    """The share of positives, if it moved by enough to matter: 3 points, and a tenth of what it was."""
    base = facts.readings.get("label_rate")
    return base if base is not None and base.moved and abs(base.delta) >= max(0.03, 0.1 * base.before) else None


@cause
def threshold(facts: Facts) -> Finding | None:
    """The line is drawn elsewhere, the model is not worse: precision and recall move against each other."""
    return None if facts.focus is None else weighed(Cause.THRESHOLD, _redrawn(facts), _shifted(facts))


def _redrawn(facts: Facts) -> Iterator[Clause]:
    exchanged, positive, ranking = exchange(facts), facts.readings.get("positive_rate"), ranks(facts)
    if exchanged is not None:
        yield Clause(0.6, exchanged)
    moved = positive is not None and positive.moved and not _moved(facts, "label_rate")
    if positive is not None and moved and ranking is not None and not _moved(facts, "brier_score"):
        yield Clause(0.75, f"positive predictions {positive.word} {went(positive)}, {ranking.key.metric} holds")
    elif exchanged is not None and ranking is not None:
        yield Clause(0.3, f"{ranking.key.metric} holds at {brief(ranking.after)}")
    if exchanged is not None and facts.held("accuracy"):
        yield Clause(0.2, "accuracy holds")


def _moved(facts: Facts, name: str) -> bool:
    found = facts.readings.get(name)
    return found is not None and found.moved


def _shifted(facts: Facts) -> Iterator[Clause]:
    base = facts.readings.get("label_rate")
    if base is not None and base.moved:
        yield Clause(0.3, f"the share of positives {base.word} too, {went(base)}")
    if facts.columns.broken:
        yield Clause(0.5, "a feature lost values")


@cause
def calibration(facts: Facts) -> Finding | None:
    """Ranking holds while scores are not what they say: recalibration is enough."""
    if facts.focus is None:
        return None
    worse = [one for name in CALIBRATION if (one := facts.readings.get(name)) and one.moved and facts.loss(one) > 0]
    if not worse:
        return None
    ranking = ranks(facts)
    pro = [Clause(0.35, f"{one.key.metric} {went(one)}") for one in worse[:2]]
    if ranking is not None:
        pro.append(Clause(0.5, f"{ranking.key.metric} holds at {brief(ranking.after)}"))
    return weighed(Cause.CALIBRATION, pro, _otherwise(facts, ranking))


def _otherwise(facts: Facts, ranking: Reading | None) -> Iterator[Clause]:
    """What speaks against scores that are off by themselves."""
    fell = [one for name in RANKING if (one := facts.readings.get(name)) and one.moved and facts.loss(one) > 0]
    if ranking is None and fell:
        yield Clause(0.7, f"{fell[0].key.metric} fell too, {went(fell[0])}")
    elif ranking is None:
        yield Clause(0.5, "no metric of ranking is known")
    if facts.chance:
        yield Clause(0.5, "the difference is within chance")
    if (base := rebased(facts)) is not None:
        yield Clause(0.3, f"the share of positives {base.word}, {went(base)}: scores are off because of it")
