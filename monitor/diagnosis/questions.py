"""The five questions about every model: declining, less reliable, less confident, data changed, retrain."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import BeforeAfter, Cause, CauseHypothesis, Certainty, Forecast, Pattern, Question
from modeltop.core.metrics.phrases import format_values, metric_name, series_subject
from modeltop.core.series import ConcernKind, Series
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import per_unit, pluralize
from modeltop.diagnosis.advice import ACTIONS, UNDECIDED_ACTIONS, is_likely, retraining_blocker
from modeltop.diagnosis.before_after import BeforeAfterWindows
from modeltop.diagnosis.context import CONFIDENCE
from modeltop.diagnosis.feature_drift import feature_shifts
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_followed, describe_forecast, top_features
from modeltop.diagnosis.signals import describe, describe_metric_change, describe_onset
from modeltop.rules.concerns import describe_concern

RELIABILITY = ("f1_score", "balanced_accuracy", "mcc", "roc_auc", "recall", "precision", "r2", "rmse", "mape")
"""Metrics that answer whether a model is less reliable, the most telling first."""
ACCURACY = ("accuracy", "mae", "r2")
"""Metrics that answer whether a model declines, where nothing happened to any."""
RECENT = 7
"""Newest periods whose inputs are compared with those before, where nothing happened."""


def five_questions(
    observations: Observations, hypotheses: Sequence[CauseHypothesis], forecast: Forecast | None
) -> tuple[Question, ...]:
    """Return the five questions with an answer and a reason each.

    Args:
        observations: The change.
        hypotheses: Causes, most likely first; none if nothing is wrong.
        forecast: The trend of the series; None without one.
    """
    missing = observations.context.missing_input
    if missing is not None and missing.is_model_wide:
        return ()  # a source that cannot be read is no model
    answers: tuple[Answer, ...] = (
        _declining(observations, forecast),
        _less_reliable(observations),
        _less_confident(observations),
        _data_changed(observations, hypotheses),
        _retrain(observations, hypotheses),
    )
    if observations.no_data_alert is not None or missing is not None:
        answers = (*(NO_NEW_DATA,) * 4, ("no", "no new data to learn from"))
    elif observations.is_over:
        answers = (*(IS_OVER,) * 3, answers[3], ("no", IS_OVER[1]))
    return tuple(Question(question, *answer) for question, answer in zip(QUESTIONS, answers, strict=True))


Answer = tuple[str, str]
QUESTIONS = ("Declining?", "Less reliable?", "Less confident?", "Data changed?", "Retrain?")
IS_OVER = ("no", "the change is over")
NO_NEW_DATA = ("unknown", "no new data")
INSTEAD = {
    **{cause: action.value for cause, action in ACTIONS.items() if action not in UNDECIDED_ACTIONS},
    Cause.SEASON: "compare with the same weekday",
    Cause.OUTAGE: "check the feed",
}
"""What to do instead of a retraining, by cause."""


def _declining(observations: Observations, forecast: Forecast | None) -> Answer:
    is_about_labels = observations.metric.needs_labels and not observations.is_declining
    if not is_about_labels and (decline := _reported_decline(observations)) is not None:
        return "yes", decline
    series, focus, now = observations.series, observations.focus, observations.context.now
    if series is None or focus is None or observations.windows is None:
        return _undecided(observations)
    subject = series_subject(series.key)
    accuracy = observations.before_after.get("accuracy")
    if accuracy is not None and not observations.metric.needs_labels:
        return "no", f"accuracy {describe(observations, accuracy)}"  # a worse one was told above
    if not _is_worse(observations, focus):
        return "no", f"{subject} {describe(observations, focus)}"
    if forecast is not None and observations.pattern is not None and observations.pattern.pattern is Pattern.DECLINE:
        outlook = describe_forecast(forecast, now)
        return "yes", f"{subject} {_pace(observations, series)}{'; ' if outlook else ''}{outlook}"
    return "yes", f"{subject} {describe_onset(observations, focus)}, {describe(observations, focus)}"


def _reported_decline(observations: Observations) -> str | None:
    context = observations.context
    for concern in context.concerns:
        series = context.find_series(concern.key)
        if concern.kind is ConcernKind.DECLINING and series is not None:
            metric = context.catalog.get(concern.key.metric)
            return describe_concern(concern, metric, period_unit(series), context.now).removeprefix("declining: ")
    accuracy = observations.before_after.get("accuracy")
    if accuracy is None or not _is_worse(observations, accuracy):
        return None
    return describe_metric_change(observations, accuracy)


def _undecided(observations: Observations) -> Answer:
    series = observations.series
    if series is None:
        overall = observations.context.overall_series()
        series = next((overall[name] for name in ACCURACY if name in overall), next(iter(overall.values()), None))
    if series is None or not series.evaluable().any():
        return "unknown", "no evaluated periods"
    count = int(series.evaluable().sum())
    if observations.series is not None and observations.context.evaluated == 0:
        return "unknown", f"{series_subject(series.key)} has {pluralize(count, period_unit(series))} so far"
    metric = observations.context.catalog.get(series.key.metric)
    (value,) = format_values(metric, float(series.values[series.evaluable()][-1]))
    return "no", f"{series_subject(series.key)} is {value}, no sustained change"


def _pace(observations: Observations, series: Series) -> str:
    unit = period_unit(series)
    assert observations.windows is not None
    since = series.times >= observations.windows.onset
    if observations.starts_with_change:
        since = since | True
    count = int((series.evaluable() & since).sum())
    lasted, metric = pluralize(count, unit), observations.metric
    assert observations.focus is not None
    pace = observations.shown(observations.focus).delta / max(1, count - observations.starts_with_change)
    if metric.bounds == (0.0, 1.0):
        points = 100 * abs(pace)
        text = f"{points:.0f}" if points >= 1 else f"{points:.1g}"
        return f"about {text} point{'' if text == '1' else 's'} {per_unit(unit)} for {lasted}"
    return f"about {metric.format_delta(pace)} {per_unit(unit)} for {lasted}"


def _less_reliable(observations: Observations) -> Answer:
    changes = [observations.before_after[name] for name in RELIABILITY if name in observations.before_after]
    focus = observations.focus
    if focus is not None and not observations.metric.needs_labels:
        focus = observations.before_after.get("accuracy")
    if not changes and focus is not None:
        answer = "yes" if _is_worse(observations, focus) else "no"
        return answer, f"{series_subject(focus.key)} {describe(observations, focus)}"
    if not changes:
        return _nothing_to_compare(observations)
    worse = [change for change in changes if _is_worse(observations, change)]
    if not worse:
        return "no", f"{metric_name(changes[0].key.metric)} {describe(observations, changes[0])}"
    return "yes", f"{metric_name(worse[0].key.metric)} {describe(observations, worse[0])}{_components(observations)}"


def _components(observations: Observations) -> str:
    precision, recall = (observations.before_after.get(name) for name in ("precision", "recall"))
    if precision is None or recall is None:
        return ""
    fell = [change for change in (precision, recall) if _is_worse(observations, change)]
    if len(fell) == 1:
        return f"; {describe_metric_change(observations, fell[0])}"
    is_alike = bool(fell) and 0.5 <= precision.delta / recall.delta <= 2
    return f"; precision and recall fell {'alike' if is_alike else 'too'}" if fell else ""


def _nothing_to_compare(observations: Observations) -> Answer:
    return ("no", "no sustained change") if observations.windows is None else ("unknown", "no earlier periods")


def _is_worse(observations: Observations, change: BeforeAfter) -> bool:
    return change.direction != "as before" and observations.loss(change) > 0


def _less_confident(observations: Observations) -> Answer:
    change = observations.before_after.get(CONFIDENCE)
    if change is None:
        is_logged = CONFIDENCE in observations.context.overall_series()
        return _nothing_to_compare(observations) if is_logged else ("unknown", "no confidence is logged")
    text = describe(observations, change)
    if change.direction == "as before" or change.delta > 0:
        return "no", text
    pair = next((pair for pair in observations.pairs if pair.expected is change), None)
    if pair is None or not _is_worse(observations, pair.realized):
        return "yes", text
    followed = describe_followed(pair)
    if followed.endswith("as much"):
        return "yes", f"{text}, {followed.removeprefix(change.direction).strip()} as {pair.realized.key.metric}"
    return "slightly", f"{text}, while {describe_metric_change(observations, pair.realized)}"


def _data_changed(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> Answer:
    shifts = observations.feature_shifts
    if observations.windows is None and (times := [each.times for each in observations.context.series if len(each)]):
        onset = max(starts[-RECENT:][0] for starts in times)  # of no change: whether the newest inputs are as before
        shifts = feature_shifts(observations.context.series, BeforeAfterWindows(onset, onset))
    if shifts.shifted:
        shifted = f"{len(shifts.shifted)} of {pluralize(shifts.feature_count, 'feature')} shifted"
        return "yes", f"{shifted}: {top_features(shifts.shifted, 3)}"
    if shifts.feature_count:
        return "no", f"none of {pluralize(shifts.feature_count, 'feature')} shifted"
    if hypotheses and hypotheses[0].cause is Cause.DATA_DRIFT:
        answer = "likely" if is_likely(hypotheses) else "possibly"
        return answer, "falling confidence points to it; no features are logged"
    return "unknown", "no features are logged"


def _retrain(observations: Observations, hypotheses: Sequence[CauseHypothesis]) -> Answer:
    if not hypotheses:
        return "no", "nothing got worse"
    cause, is_certain_enough = hypotheses[0].cause, is_likely(hypotheses)
    if cause in INSTEAD and (is_certain_enough or cause in (Cause.NOISE, Cause.SEASON)):
        return "no", f"{INSTEAD[cause]} instead"
    if cause in (Cause.DATA_DRIFT, Cause.FEATURE_DRIFT):
        return "not yet", "compare the inputs with the training data first"
    if cause is not Cause.CONCEPT_DRIFT or hypotheses[0].certainty is Certainty.UNCLEAR:
        is_found = cause is Cause.SEGMENT and is_certain_enough
        return "not yet", "check the segment first" if is_found else "find the cause first"
    blocker, labels = retraining_blocker(observations), f"{observations.labels_since_change or 0:,} new labels"
    if blocker is not None:
        return "not yet", blocker
    return ("yes", f"{labels} since then") if is_certain_enough else ("possibly", f"{labels}; check the inputs first")
