"""The next actions, and the step that a verdict names; nothing is done automatically."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from modeltop.core.diagnosis import Action, Cause, CauseHypothesis, Certainty
from modeltop.core.series import Condition, Severity, to_datetime
from modeltop.core.text import format_day
from modeltop.diagnosis.before_after import MIN_BEFORE
from modeltop.diagnosis.causes.external import release_notes
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import metric_name, period_unit, safe_name, top_features
from modeltop.diagnosis.signals import confidence_lead, dominant_segment

MIN_LASTING_PERIODS = 5
"""Periods that a fall must last before a new model is worth its risk."""
MIN_LABELS = 1000
"""Minimum number of labeled rows since the change that a retraining needs."""
ACTIONS = {
    Cause.OUTAGE: Action.FIX_PIPELINE,
    Cause.UPSTREAM: Action.FIX_PIPELINE,
    Cause.DATA_DRIFT: Action.COMPARE_INPUTS,
    Cause.FEATURE_DRIFT: Action.COMPARE_INPUTS,
    Cause.CONCEPT_DRIFT: Action.RETRAIN,
    Cause.LABEL_SHIFT: Action.RECALIBRATE,
    Cause.BUSINESS: Action.INVESTIGATE,
    Cause.SEGMENT: Action.INVESTIGATE,
    Cause.NOISE: Action.WAIT,
    Cause.SEASON: Action.NOTHING,
    Cause.THRESHOLD: Action.MOVE_THRESHOLD,
    Cause.CALIBRATION: Action.RECALIBRATE,
    Cause.UNKNOWN: Action.INVESTIGATE,
}
PASSIVE_ACTIONS = (Action.NOTHING, Action.WAIT)


def next_actions(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> tuple[Action, ...]:
    """Return the actions for the likeliest cause, first things first; what is less than likely is checked first."""
    if observations.context.missing_input is not None:
        return (Action.CORRECT_INPUT,)
    if not hypotheses or observations.is_over:
        return (Action.NOTHING,)
    cause = hypotheses[0].cause
    first = ACTIONS[cause]
    if not is_likely(hypotheses) and first not in PASSIVE_ACTIONS and cause is not Cause.OUTAGE:
        first = Action.INVESTIGATE
    if first is Action.RETRAIN and not can_retrain(observations):
        first = Action.WAIT
    actions = [first]
    if _released(observations, hypotheses):
        actions.insert(0, Action.ROLL_BACK)
    if observations.context.severity <= Severity.WARNING and first not in PASSIVE_ACTIONS:
        actions.append(Action.TICKET)
    return tuple(dict.fromkeys(actions))


def is_likely(hypotheses: Sequence[CauseHypothesis]) -> bool:
    """Return whether the first cause is certain enough for an instruction, not only for a check."""
    return hypotheses[0].certainty in (Certainty.CERTAIN, Certainty.LIKELY)


def can_retrain(observations: Observations) -> bool:
    """Return whether the change has lasted, and there are labels enough to learn from."""
    return retraining_blocker(observations) is None


def retraining_blocker(observations: Observations) -> str | None:
    """Return what a retraining lacks, in a few words; None if it lacks nothing."""
    if observations.focus is None or observations.series is None:
        return "no baseline to compare with"
    unit = period_unit(observations.series)
    if observations.periods_since_onset < MIN_LASTING_PERIODS:
        has = observations.periods_since_onset
        return f"needs {MIN_LASTING_PERIODS} {unit}s of the change, has {has}"
    labels = observations.labels_since_change
    if labels is None:
        return "the number of labels is unknown"
    return None if labels >= MIN_LABELS else f"needs {MIN_LABELS:,} new labels, has {labels:,}"


def _released(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> bool:
    """Return whether a release was noted for a sudden change that it explains."""
    is_explained = hypotheses[0].cause in (Cause.OUTAGE, Cause.NOISE, Cause.SEASON)
    return bool(release_notes(observations)) and observations.is_sudden and not is_explained


def describe_step(
    observations: Observations, hypotheses: Sequence[CauseHypothesis], actions: Sequence[Action]
) -> Iterator[str]:
    """Yield the next step, longest variant first: an order where the cause is likely, else what to check.

    Args:
        observations: The change.
        hypotheses: Causes, most likely first; none if nothing is wrong.
        actions: The next actions, at least one.
    """
    missing = observations.context.missing_input
    if missing is not None:
        absent = missing.condition is Condition.NO_DATA
        yield f"Check why {metric_name(missing.key.metric)} is no longer reported" if absent else "Correct the input"
    elif observations.is_over and observations.context.incident is not None:
        yield f"No action needed: it ended on {_day(observations, observations.context.incident.resolved_at)}"
    elif Action.NOTHING in actions or not hypotheses:
        yield "No action needed"
    elif observations.no_data_alert is not None:
        yield "Check the feed"
    elif Action.ROLL_BACK in actions:
        yield f"Roll back the release of {_onset(observations)}, then check what it changed"
    elif is_likely(hypotheses):
        yield from _ORDERS[hypotheses[0].cause](observations)
    elif hypotheses[0].certainty is Certainty.POSSIBLE:
        yield from _CHECKS[hypotheses[0].cause](observations)
    else:
        yield from _check_changes(observations)


def _day(observations: Observations, moment: datetime | None) -> str:
    """Return a date that is inside the data."""
    context = observations.context
    first = min(to_datetime(series.times[0]) for series in context.series if len(series))
    return format_day(min(max(moment or first, first), context.now), context.now)


def _onset(observations: Observations) -> str:
    """Return the day on which the change started; without one, of the newest period."""
    windows = observations.windows
    return _day(observations, observations.context.now if windows is None else to_datetime(windows.onset))


def _first_sign(observations: Observations) -> str:
    """Return the day of the first sign of the change, which may be a fall of confidence before it."""
    lead = confidence_lead(observations)
    return _onset(observations) if lead is None else _day(observations, lead)


def _labels(observations: Observations) -> str:
    return f"{observations.labels_since_change or 0:,} new labels"


def _check_changes(observations: Observations) -> Iterator[str]:
    if observations.is_overnight and observations.focus is not None:
        yield f"Check what shipped on {_onset(observations)}; do not retrain yet"
    yield f"Check deployments and data changes around {_onset(observations)}"


def _check_feed(observations: Observations) -> Iterator[str]:
    yield f"Check the feed since {_onset(observations)}"


def _fix_input(observations: Observations) -> Iterator[str]:
    broken = observations.feature_shifts.broken or observations.feature_shifts.shifted
    if broken:
        yield f"Fix {safe_name(broken[0].feature)} in the input pipeline; do not retrain on it"
    yield "Fix the input pipeline; do not retrain on broken data"


def _compare_inputs(_: Observations) -> Iterator[str]:
    yield "Compare the inputs with the training data, then decide on retraining"


def _compare_features(observations: Observations) -> Iterator[str]:
    features = top_features(observations.feature_shifts.shifted)
    yield f"Compare {features} with the training data, then decide on retraining"
    yield "Compare the inputs with the training data, then decide on retraining"


def _check_features(observations: Observations) -> Iterator[str]:
    if observations.feature_shifts.shifted:
        yield f"Check {top_features(observations.feature_shifts.shifted)} since {_first_sign(observations)}"
    yield f"Check the input features since {_first_sign(observations)}"


def _retrain(observations: Observations) -> Iterator[str]:
    blocker = retraining_blocker(observations)
    if blocker is None:
        yield f"Retrain: {_labels(observations)} since {_onset(observations)}"
    else:
        yield f"Do not retrain yet: {blocker}"


def _check_labels(observations: Observations) -> Iterator[str]:
    if can_retrain(observations):
        yield f"Check labels and inputs; retraining has {_labels(observations)}"
    yield f"Check labels and inputs since {_onset(observations)}"


def _recalibrate(_: Observations) -> Iterator[str]:
    yield "Recalibrate the scores; the model itself needs no retraining"


def _check_calibration(observations: Observations) -> Iterator[str]:
    yield f"Check calibration and the share of positives since {_onset(observations)}"


def _review_threshold(_: Observations) -> Iterator[str]:
    yield "Review the decision threshold"


def _check_threshold(observations: Observations) -> Iterator[str]:
    yield f"Check the decision threshold since {_onset(observations)}"


def _check_segment(observations: Observations) -> Iterator[str]:
    dominant = dominant_segment(observations)
    if dominant is not None:
        yield f"Check what changed for {safe_name(dominant[1].segment)} around {_onset(observations)}"
    yield f"Check what changed for that segment around {_onset(observations)}"


def _check_business(observations: Observations) -> Iterator[str]:
    yield f"Check what that changed around {_onset(observations)}"


def _wait(observations: Observations) -> Iterator[str]:
    unit = "period" if observations.series is None else period_unit(observations.series)
    yield f"Wait for the next {unit}"


def _nothing(_: Observations) -> Iterator[str]:
    yield "No action needed"


Step = Callable[[Observations], Iterator[str]]
_ORDERS: dict[Cause, Step] = {
    Cause.OUTAGE: _check_feed,
    Cause.UPSTREAM: _fix_input,
    Cause.NOISE: _wait,
    Cause.SEASON: _nothing,
    Cause.BUSINESS: _check_business,
    Cause.SEGMENT: _check_segment,
    Cause.FEATURE_DRIFT: _compare_features,
    Cause.DATA_DRIFT: _compare_inputs,
    Cause.LABEL_SHIFT: _recalibrate,
    Cause.THRESHOLD: _review_threshold,
    Cause.CALIBRATION: _recalibrate,
    Cause.CONCEPT_DRIFT: _retrain,
    Cause.UNKNOWN: _check_changes,
}
_CHECKS = _ORDERS | {
    Cause.UPSTREAM: _check_changes,
    Cause.FEATURE_DRIFT: _check_features,
    Cause.DATA_DRIFT: _check_features,
    Cause.LABEL_SHIFT: _check_calibration,
    Cause.THRESHOLD: _check_threshold,
    Cause.CALIBRATION: _check_calibration,
    Cause.CONCEPT_DRIFT: _check_labels,
}


def insufficient_data_reason(observations: Observations) -> str:
    """Return why no cause is found."""
    if observations.focus is None:
        series = observations.series
        if series is None or observations.windows is None:
            return "no change point found"
        has = int((series.evaluable() & (series.times < observations.windows.onset)).sum())
        if not has:
            return "no stable baseline: it starts at the first period"
        return f"needs {MIN_BEFORE} earlier {period_unit(series)}s to compare with, has {has}"
    if observations.feature_shifts.feature_count:
        return "no single cause explains it"
    return "no features are logged" if observations.pairs else "no features or scores are logged"
