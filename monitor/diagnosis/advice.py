"""The next actions and the advice; nothing is done automatically."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Action, Cause, CauseHypothesis
from modeltop.core.series import Alert, Condition, Severity
from modeltop.core.text import pluralize
from modeltop.diagnosis.causes.external import release_notes
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import safe_name

MIN_LASTING_PERIODS = 5
"""Periods that a fall must last before a new model is worth its risk."""
MIN_LABELS = 1000
"""Minimum number of labeled rows since the change that a retraining needs."""
ACTIONS = {
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
_ADVICE = {
    Action.WAIT: "wait for more cases",
    Action.RECALIBRATE: "recalibrate the scores; the model itself need not be trained anew",
    Action.MOVE_THRESHOLD: "move the decision threshold back to the wanted balance",
    Action.INVESTIGATE: "look at what changed there; a retraining is not the answer yet",
    Action.ROLL_BACK: "roll back what was released then, and look at what it changed",
}


def next_actions(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> tuple[Action, ...]:
    """Return the actions for the likeliest cause, first things first."""
    if observations.context.missing_input is not None:
        return (Action.CORRECT_INPUT,)
    if not hypotheses or observations.is_over:
        return (Action.NOTHING,)
    cause = hypotheses[0].cause
    has_lasted = observations.focus is not None and observations.periods_since_onset >= MIN_LASTING_PERIODS
    can_retrain = has_lasted and (observations.labels_since_change or 0) >= MIN_LABELS
    first = ACTIONS.get(cause) or (Action.RETRAIN if can_retrain else Action.WAIT)
    actions = [first]
    no_release = (Cause.OUTAGE, Cause.NOISE, Cause.SEASON)
    if release_notes(observations) and observations.is_sudden and cause not in no_release:
        actions.insert(0, Action.ROLL_BACK)
    if observations.context.severity <= Severity.WARNING and first not in (Action.NOTHING, Action.WAIT):
        actions.append(Action.TICKET)
    return tuple(dict.fromkeys(actions))


def advice(observations: Observations, actions: Sequence[Action], hypotheses: Sequence[CauseHypothesis]) -> str:
    """Return the first of the next actions in a sentence, with its numbers; hypotheses are likeliest first."""
    first = actions[0]
    missing = observations.context.missing_input
    if missing is not None:
        return _correction(missing)
    cause = hypotheses[0].cause if hypotheses else None
    if first is Action.FIX_PIPELINE:
        broken = observations.feature_shifts.broken or observations.feature_shifts.shifted
        where = f" ({safe_name(broken[0].feature)})" if cause is Cause.UPSTREAM and broken else ""
        return f"fix the pipeline first{where}; do not retrain on broken data"
    labels = observations.labels_since_change
    if first is Action.RETRAIN:
        return f"retrain: {labels or 0:,} labelled rows since the change began"
    if first is Action.WAIT and cause is not Cause.NOISE:
        periods = pluralize(observations.periods_since_onset, "period")
        counted = "" if labels is None else f", {labels:,} labelled rows"
        return f"{retraining_blocker(observations)}: {periods}{counted} since it began"
    is_unknown = cause is Cause.UNKNOWN and first is not Action.ROLL_BACK
    return _missing_data(observations) if is_unknown else _ADVICE.get(first, first.value)


def _correction(alert: Alert) -> str:
    if alert.condition is Condition.NO_DATA:
        return f"check why {safe_name(alert.key.metric)} is no longer reported"
    return "correct the input, then look again"


def retraining_blocker(observations: Observations) -> str:
    """Return the obstacle to a retraining, in a few words."""
    is_early = observations.periods_since_onset < MIN_LASTING_PERIODS
    return "too early to retrain" if is_early else "not enough new labels to retrain"


def _missing_data(observations: Observations) -> str:
    """Return what to do without a cause, and what to log to find one the next time."""
    if observations.focus is None or observations.feature_shifts.feature_count:
        return "look at what changed then"
    if not observations.pairs:
        return "look at what changed then; log features and scores to tell why: modeltop compute"
    return "look at what changed then; log features to tell why: modeltop compute --feature all"


def insufficient_data_reason(observations: Observations) -> str:
    """Return why no cause is found."""
    if observations.focus is None:
        return "no better periods before it to compare with"
    if observations.feature_shifts.feature_count:
        return "no single cause stands out"
    return "no feature is logged" if observations.pairs else "no feature and no score is logged"
