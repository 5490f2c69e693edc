"""The next step. Nothing is done by itself."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Cause, Finding, Step
from modeltop.core.series import Severity
from modeltop.core.text import plural
from modeltop.diagnosis.causes.external import releases
from modeltop.diagnosis.observations import Facts
from modeltop.diagnosis.phrases import name, rows

LASTING = 5
"""Periods that a fall must last before a new model is worth its risk."""
LABELS = 1000
"""Labelled rows since the begin that a retraining needs to see what is new."""
STEPS = {
    Cause.OUTAGE: Step.FIX_PIPELINE,
    Cause.UPSTREAM: Step.FIX_PIPELINE,
    Cause.LABEL_SHIFT: Step.RECALIBRATE,
    Cause.BUSINESS: Step.LOOK,
    Cause.SEGMENT: Step.LOOK,
    Cause.NOISE: Step.WAIT,
    Cause.SEASON: Step.NOTHING,
    Cause.THRESHOLD: Step.MOVE_THRESHOLD,
    Cause.CALIBRATION: Step.RECALIBRATE,
    Cause.UNKNOWN: Step.LOOK,
}
"""Causes without an entry are drifts: whether to retrain is a question of labels and of time."""


def steps(facts: Facts, findings: Sequence[Finding]) -> tuple[Step, ...]:
    """What to do, first things first."""
    if not findings:
        return (Step.NOTHING,)
    kind = findings[0].cause
    if facts.over:
        return (Step.NOTHING,)
    first = STEPS.get(kind) or (Step.RETRAIN if trainable(facts) else Step.WAIT)
    taken = [first]
    if releases(facts) and facts.sudden and kind not in (Cause.OUTAGE, Cause.NOISE, Cause.SEASON):
        taken.insert(0, Step.ROLL_BACK)
    if facts.case.severity <= Severity.WARNING and first not in (Step.NOTHING, Step.WAIT):
        taken.append(Step.TICKET)
    return tuple(dict.fromkeys(taken))


def trainable(facts: Facts) -> bool:
    """Whether the fall has lasted, and there are labels enough of the new times."""
    lasted = facts.focus is not None and _periods(facts) >= LASTING
    return lasted and facts.labels is not None and facts.labels >= LABELS


def _periods(facts: Facts) -> int:
    if facts.series is None or facts.span is None:
        return 0
    return int((facts.series.judged() & (facts.series.times >= facts.span.begin)).sum())


def advice(facts: Facts, taken: Sequence[Step], findings: Sequence[Finding]) -> str:
    """The first step in a sentence, with its numbers."""
    first = taken[0]
    kind = findings[0].cause if findings else None
    if first is Step.ROLL_BACK:
        return "roll back what was released then, and look at what it changed"
    if first is Step.FIX_PIPELINE:
        broken = facts.columns.broken or facts.columns.moved
        where = f" ({name(broken[0].feature)})" if kind is Cause.UPSTREAM and broken else ""
        return f"fix the pipeline first{where}; do not retrain on broken data"
    if first is Step.RETRAIN:
        return f"retrain: {rows(facts.labels or 0)} labelled rows since the change began"
    if first is Step.WAIT and kind is not Cause.NOISE:
        return _not_yet(facts)
    return _PLAIN[first] if kind is not Cause.UNKNOWN else needed(facts)


_PLAIN = {
    Step.NOTHING: "nothing to do",
    Step.WAIT: "wait for more cases",
    Step.RECALIBRATE: "recalibrate the scores; the model itself need not be trained anew",
    Step.MOVE_THRESHOLD: "move the decision threshold back to the wanted balance",
    Step.LOOK: "look at what changed there; a retraining is not the answer yet",
    Step.TICKET: "open a ticket",
}


def why_not_yet(facts: Facts) -> str:
    """What is missing to retrain, in a few words."""
    return "too early to retrain" if _periods(facts) < LASTING else "not enough new labels to retrain"


def _not_yet(facts: Facts) -> str:
    known = "" if facts.labels is None else f", {rows(facts.labels)} labelled rows"
    return f"{why_not_yet(facts)}: {plural(_periods(facts), 'period')}{known} since it began"


def needed(facts: Facts) -> str:
    """What to do where there is not enough to tell, and what would tell more the next time."""
    if facts.focus is None or facts.columns.features:
        return "look at what changed then"
    if not facts.pairs:
        return "look at what changed then; log features and scores to tell why: modeltop compute"
    return "look at what changed then; log features to tell why: modeltop compute --feature all"


def missing(facts: Facts) -> str:
    """Why there is not enough to tell."""
    if facts.focus is None:
        return "no better periods before it to compare with"
    if facts.columns.features:
        return "no single cause stands out"
    return "no feature is logged" if facts.pairs else "no feature and no score is logged"
