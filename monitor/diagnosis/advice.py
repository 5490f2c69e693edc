"""The next step. Nothing is done by itself."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Action, Cause, CauseHypothesis
from modeltop.core.series import Severity
from modeltop.core.text import pluralize
from modeltop.diagnosis.causes.external import release_notes
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import format_count, safe_name

MIN_LASTING_PERIODS = 5
"""Periods that a fall must last before a new model is worth its risk."""
MIN_LABELS = 1000
"""Labelled rows since the begin that a retraining needs to see what is new."""
STEPS = {
    Cause.OUTAGE: Action.FIX_PIPELINE,
    Cause.UPSTREAM: Action.FIX_PIPELINE,
    Cause.LABEL_SHIFT: Action.RECALIBRATE,
    Cause.BUSINESS: Action.INVESTIGATE,
    Cause.SEGMENT: Action.INVESTIGATE,
    Cause.NOISE: Action.WAIT,
    Cause.SEASON: Action.NOTHING,
    Cause.THRESHOLD: Action.MOVE_THRESHOLD,
    Cause.CALIBRATION: Action.RECALIBRATE,
    Cause.UNKNOWN: Action.INVESTIGATE,
}
"""Causes without an entry are drifts: whether to retrain is a question of labels and of time."""


def next_actions(facts: Observations, findings: Sequence[CauseHypothesis]) -> tuple[Action, ...]:
    """What to do, first things first."""
    if not findings:
        return (Action.NOTHING,)
    kind = findings[0].cause
    if facts.is_over:
        return (Action.NOTHING,)
    first = STEPS.get(kind) or (Action.RETRAIN if can_retrain(facts) else Action.WAIT)
    taken = [first]
    if release_notes(facts) and facts.is_sudden and kind not in (Cause.OUTAGE, Cause.NOISE, Cause.SEASON):
        taken.insert(0, Action.ROLL_BACK)
    if facts.context.severity <= Severity.WARNING and first not in (Action.NOTHING, Action.WAIT):
        taken.append(Action.TICKET)
    return tuple(dict.fromkeys(taken))


def can_retrain(facts: Observations) -> bool:
    """Whether the fall has lasted, and there are labels enough of the new times."""
    lasted = facts.focus is not None and _periods(facts) >= MIN_LASTING_PERIODS
    return lasted and facts.labels_since_change is not None and facts.labels_since_change >= MIN_LABELS


def _periods(facts: Observations) -> int:
    if facts.series is None or facts.windows is None:
        return 0
    return int((facts.series.evaluable() & (facts.series.times >= facts.windows.onset)).sum())


def advice(facts: Observations, taken: Sequence[Action], findings: Sequence[CauseHypothesis]) -> str:
    """The first step in a sentence, with its numbers."""
    first = taken[0]
    kind = findings[0].cause if findings else None
    if first is Action.ROLL_BACK:
        return "roll back what was released then, and look at what it changed"
    if first is Action.FIX_PIPELINE:
        broken = facts.feature_shifts.broken or facts.feature_shifts.shifted
        where = f" ({safe_name(broken[0].feature)})" if kind is Cause.UPSTREAM and broken else ""
        return f"fix the pipeline first{where}; do not retrain on broken data"
    if first is Action.RETRAIN:
        return f"retrain: {format_count(facts.labels_since_change or 0)} labelled rows since the change began"
    if first is Action.WAIT and kind is not Cause.NOISE:
        return _not_yet(facts)
    return _PLAIN[first] if kind is not Cause.UNKNOWN else data_needed(facts)


_PLAIN = {
    Action.NOTHING: "nothing to do",
    Action.WAIT: "wait for more cases",
    Action.RECALIBRATE: "recalibrate the scores; the model itself need not be trained anew",
    Action.MOVE_THRESHOLD: "move the decision threshold back to the wanted balance",
    Action.INVESTIGATE: "look at what changed there; a retraining is not the answer yet",
    Action.TICKET: "open a ticket",
}


def retraining_blocker(facts: Observations) -> str:
    """What is missing to retrain, in a few words."""
    return "too early to retrain" if _periods(facts) < MIN_LASTING_PERIODS else "not enough new labels to retrain"


def _not_yet(facts: Observations) -> str:
    known = "" if facts.labels_since_change is None else f", {format_count(facts.labels_since_change)} labelled rows"
    return f"{retraining_blocker(facts)}: {pluralize(_periods(facts), 'period')}{known} since it began"


def data_needed(facts: Observations) -> str:
    """What to do where there is not enough to tell, and what would tell more the next time."""
    if facts.focus is None or facts.feature_shifts.feature_count:
        return "look at what changed then"
    if not facts.pairs:
        return "look at what changed then; log features and scores to tell why: modeltop compute"
    return "look at what changed then; log features to tell why: modeltop compute --feature all"


def insufficient_data_reason(facts: Observations) -> str:
    """Why there is not enough to tell."""
    if facts.focus is None:
        return "no better periods before it to compare with"
    if facts.feature_shifts.feature_count:
        return "no single cause stands out"
    return "no feature is logged" if facts.pairs else "no feature and no score is logged"
