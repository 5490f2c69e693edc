"""The next actions, and the step that a verdict names; nothing is done automatically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from string import Formatter

from modeltop.core.diagnosis import Action, Cause, CauseHypothesis, Certainty
from modeltop.core.metrics.phrases import safe_name, series_subject
from modeltop.core.series import Condition, Severity, to_datetime
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, sanitize
from modeltop.diagnosis.before_after import MIN_BEFORE
from modeltop.diagnosis.causes.external import MAX_NOTE, named_versions, release_notes
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import top_features
from modeltop.diagnosis.signals import (
    confidence_lead,
    dominant_segment,
    inverted_labels,
    labels_moved_alone,
    lost_rows,
    lost_skill,
)

MIN_LASTING_PERIODS = 5
"""Periods that a fall must last before a new model is worth its risk."""
MIN_LABELS = 1000
"""Minimum number of labeled rows since the change that a retraining needs."""
ACTIONS = {
    Cause.OUTAGE: Action.FIX_PIPELINE,
    Cause.UPSTREAM: Action.FIX_PIPELINE,
    Cause.SHARED: Action.CHECK_SHARED,
    Cause.INVERTED_SCORES: Action.CHECK_SCORES,
    Cause.MISJOINED_LABELS: Action.CHECK_LABELS,
    Cause.MODEL_CHANGE: Action.CHECK_RELEASE,
    Cause.DATA_DRIFT: Action.COMPARE_INPUTS,
    Cause.FEATURE_DRIFT: Action.COMPARE_INPUTS,
    Cause.CONCEPT_DRIFT: Action.RETRAIN,
    Cause.LABEL_SHIFT: Action.RECALIBRATE,
    Cause.BUSINESS: Action.INVESTIGATE,
    Cause.SEGMENT: Action.INVESTIGATE,
    Cause.NOISE: Action.WAIT,
    Cause.CALENDAR: Action.WAIT,
    Cause.SEASON: Action.NOTHING,
    Cause.THRESHOLD: Action.MOVE_THRESHOLD,
    Cause.CALIBRATION: Action.RECALIBRATE,
    Cause.UNKNOWN: Action.INVESTIGATE,
}
UNDECIDED_ACTIONS = (Action.RETRAIN, Action.COMPARE_INPUTS, Action.INVESTIGATE)
"""Actions after which a retraining may still be what is needed."""
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
    if first is Action.RETRAIN and retraining_blocker(observations) is not None:
        first = Action.INVESTIGATE if observations.is_overnight else Action.WAIT
    actions = [first]
    if (second := second_cause(hypotheses)) is not None:
        actions = sorted((first, ACTIONS[second.cause]), key=lambda action: action is not Action.FIX_PIPELINE)
    if _released(observations, hypotheses):
        actions.insert(0, Action.ROLL_BACK)
        if named_versions(observations):
            actions = [action for action in actions if action is not Action.CHECK_RELEASE]  # it is known
    if observations.context.severity <= Severity.WARNING and first not in PASSIVE_ACTIONS:
        actions.append(Action.TICKET)
    return tuple(dict.fromkeys(actions))


def is_likely(hypotheses: Sequence[CauseHypothesis]) -> bool:
    """Return whether the first cause is certain enough for an instruction, not only for a check."""
    return hypotheses[0].certainty in (Certainty.CERTAIN, Certainty.LIKELY)


def second_cause(hypotheses: Sequence[CauseHypothesis]) -> CauseHypothesis | None:
    """Return the second of two causes at once, each likely with the other taken as given; None if there is one."""
    likely = [each for each in hypotheses if is_likely([each])]
    return likely[1] if len(likely) > 1 and likely[0] is hypotheses[0] else None


def retraining_blocker(observations: Observations) -> str | None:
    """Return what a retraining lacks, in a few words; None if it lacks nothing."""
    if observations.focus is None or observations.series is None:
        return "no baseline to compare with"
    return next(_blockers(observations, period_unit(observations.series)), None)


def _blockers(observations: Observations, unit: str) -> Iterator[str]:
    if lost_skill(observations) is not None:
        yield "the model is no better than chance since then"
    if labels_moved_alone(observations) is not None:
        yield "check the labels first, their share of positives moved alone"
    if observations.faults:
        yield "a feature is broken"
    if (has := observations.periods_since_onset) < MIN_LASTING_PERIODS:
        yield f"needs {MIN_LASTING_PERIODS} {unit}s of the change, has {has}"
    if (labels := observations.labels_since_change) is None:
        yield "the number of labels is unknown"
    elif labels < MIN_LABELS:
        yield f"needs {MIN_LABELS:,} new labels, has {labels:,}"
    if observations.is_sudden and len(observations.notes) == len(release_notes(observations)):
        was = "overnight" if observations.overnight == "overnight" else "sudden"
        yield f"the drop was {was}: find its reason"


def _released(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> bool:
    """Return whether a person marked a release for a sudden change with a likely cause that a release can have."""
    is_explained = hypotheses[0].cause in (Cause.OUTAGE, Cause.NOISE, Cause.SEASON, Cause.CALENDAR)
    is_marked = any(note.is_release for note in observations.notes)
    return is_marked and observations.is_sudden and is_likely(hypotheses) and not is_explained


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
        yield f"Check why {series_subject(missing.key)} is no longer reported" if absent else "Correct the input"
    elif observations.is_over and observations.context.incident is not None:
        yield f"No action needed: it ended on {_day(observations, observations.context.incident.resolved_at)}"
    elif Action.NOTHING in actions or not hypotheses:
        yield "No action needed"
    elif observations.no_data_alert is not None:
        yield "Check the feed"
    elif Action.ROLL_BACK in actions:
        yield from _filled(["roll back {release}, then check what it changed"], observations)
    else:
        is_possible = hypotheses[0].certainty is Certainty.POSSIBLE
        steps = ORDERS if is_likely(hypotheses) else CHECKS if is_possible else {}
        if (second := second_cause(hypotheses)) is not None:
            other = second.cause if second.cause is not Cause.UPSTREAM else hypotheses[0].cause
            yield from _filled((fix + then for fix in FIX_FIRST for then in THEN[other]), observations)
        yield from _filled(steps.get(hypotheses[0].cause, CHECK_CHANGES), observations)


def _day(observations: Observations, moment: datetime | None) -> str:
    context = observations.context
    first = min(to_datetime(series.times[0]) for series in context.series if len(series))
    return format_day(min(max(moment or first, first), context.now), context.now)


CHECK_CHANGES = (
    "check what shipped on {overnight}; do not retrain yet",
    "check deployments and data changes around {day}",
)
"""What to check where no cause is likely; of each step the longest variant comes first."""
CHECK_SEGMENT = ("check what changed for {segment} around {day}",)
ORDERS: dict[Cause, tuple[str, ...]] = {
    Cause.OUTAGE: ("check the feed of {lost_segment} since {day}", "check the feed since {day}"),
    Cause.UPSTREAM: (
        "fix {broken} in the input pipeline; do not retrain on it",
        "fix the input pipeline; do not retrain on broken data",
    ),
    Cause.SHARED: ("check what changed for all of these models around {day}",),
    Cause.INVERTED_SCORES: (
        "check the sign of the scores and the coding of the labels since {undecided}",
        "check the sign and the class order of the scores since {day}",
    ),
    Cause.MISJOINED_LABELS: ("check the labels and their join since {day}; do not retrain on them",),
    Cause.MODEL_CHANGE: ("check which model version is served since {day}; roll back if it changed",),
    Cause.NOISE: ("wait for the next {unit}",),
    Cause.CALENDAR: ("wait for the alert to resolve: {recovery}", "wait for the next ordinary {unit}"),
    Cause.SEASON: ("no action needed",),
    Cause.BUSINESS: ("check business changes around {day}",),
    Cause.SEGMENT: CHECK_SEGMENT,
    Cause.FEATURE_DRIFT: (
        "compare {features} with the training data, then decide on retraining",
        "compare the inputs with the training data, then decide on retraining",
    ),
    Cause.DATA_DRIFT: ("compare the inputs with the training data, then decide on retraining",),
    Cause.LABEL_SHIFT: ("recalibrate the scores; the model itself needs no retraining",),
    Cause.THRESHOLD: ("review the decision threshold",),
    Cause.CALIBRATION: ("recalibrate the scores; the model itself needs no retraining",),
    Cause.CONCEPT_DRIFT: (
        "retrain: {labels} since {day}",
        "check what shipped on {overnight}; do not retrain yet",
        "do not retrain yet: {blocker}",
    ),
    Cause.UNKNOWN: CHECK_CHANGES,
}
"""What to do where the cause is likely."""
FIX_FIRST = ("fix {broken} in the input pipeline, then ", "fix the input pipeline, then ")
THEN: dict[Cause, tuple[str, ...]] = {
    Cause.FEATURE_DRIFT: ("compare {features} with training", "compare the other inputs"),
    Cause.DATA_DRIFT: ("compare the other inputs",),
    Cause.LABEL_SHIFT: ("recalibrate the scores",),
}
"""What to do once an input is fixed, where another cause is likely at once."""
CHECKS = ORDERS | {
    Cause.UPSTREAM: CHECK_CHANGES,
    Cause.FEATURE_DRIFT: ("check {features} since {first_sign}", "check the input features since {first_sign}"),
    Cause.DATA_DRIFT: ("check the input features since {first_sign}",),
    Cause.LABEL_SHIFT: ("check calibration and the share of positives since {day}",),
    Cause.THRESHOLD: ("check the decision threshold since {day}",),
    Cause.CALIBRATION: ("check calibration and the share of positives since {day}",),
    Cause.CONCEPT_DRIFT: (
        "check labels and inputs; retraining has {labels}",
        "check labels and inputs since {day}",
    ),
}
"""What to check where the cause is possible."""


def _filled(templates: Iterable[str], observations: Observations) -> Iterator[str]:
    facts = _facts(observations)
    for template in templates:
        names = [name for _, name, _, _ in Formatter().parse(template) if name]
        if all(facts[name] for name in names):
            yield template.format(**facts)


def _facts(observations: Observations) -> dict[str, str | None]:
    """Return what a step can name; foreign text is sanitized. None: not known."""
    windows, shifts, lead = observations.windows, observations.feature_shifts, confidence_lead(observations)
    day = _day(observations, observations.context.now if windows is None else to_datetime(windows.onset))
    broken = [*(fault.subject for fault in observations.faults), *(safe_name(each.feature) for each in shifts.sound)]
    dominant = dominant_segment(observations) if observations.focus is not None else None
    blocker, lost = retraining_blocker(observations), lost_rows(observations)
    versions = named_versions(observations)
    return {
        "day": day,
        "overnight": day if observations.is_overnight and observations.focus is not None else None,
        "first_sign": day if lead is None else _day(observations, lead),
        "recovery": "it is recovering" if observations.context.is_past else None,
        "unit": period_unit(observations.series),
        "broken": broken[0] if broken else None,
        "features": top_features(shifts.sound) if shifts.sound else None,
        "lost_segment": safe_name(lost[0].key.segment) if lost else None,
        "segment": "that segment" if dominant is None else safe_name(dominant[1].segment),
        "labels": f"{observations.labels_since_change or 0:,} new labels" if blocker is None else None,
        "blocker": blocker,
        "release": sanitize(versions[0].text, MAX_NOTE) if versions else f"the release of {day}",
        "undecided": day if inverted_labels(observations) else None,
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
