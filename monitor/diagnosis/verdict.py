"""The verdict on a model: what happened, why, and what to do, in three sentences for every surface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from modeltop.core.diagnosis import (
    MAX_SENTENCE,
    Action,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Certainty,
    Pattern,
    Verdict,
)
from modeltop.core.metrics.phrases import format_values, series_subject
from modeltop.core.series import Alert, Condition, Series, Severity, to_datetime
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import display_width, format_day, format_value, pluralize, sanitize, truncate_at_word
from modeltop.diagnosis.advice import describe_step, insufficient_data_reason, second_cause
from modeltop.diagnosis.context import CONFIDENCE, ModelContext
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_ok, sentence_case
from modeltop.diagnosis.signals import (
    describe_metric_change,
    describe_onset,
    precision_recall_tradeoff,
)
from modeltop.rules.concerns import describe_concern

CADENCES = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}


def verdict(
    observations: Observations,
    hypotheses: Sequence[CauseHypothesis],
    actions: Sequence[Action],
) -> Verdict:
    """Return what happened, why and what to do.

    Args:
        observations: The change.
        hypotheses: Causes, most likely first; none if nothing is wrong.
        actions: The next actions, at least one.
    """
    context, step = observations.context, describe_step(observations, hypotheses, actions)
    if context.missing_input is not None:
        return _sentences(*_missing_input(observations, context.missing_input), step)
    is_ok = context.severity is Severity.OK and context.evaluated > 0
    if not hypotheses and not context.concerns:
        status = truncate_at_word(sanitize(context.status_sentence), MAX_SENTENCE - 1)
        status = _finish(sentence_case(status or "no metric changed"))
        return Verdict(describe_ok(context.evaluated) if is_ok else status)
    if is_ok and context.concerns:
        return _sentences(_concern(context), _why(observations, hypotheses), step)
    if is_ok and Action.NOTHING in actions and context.incident is None:
        return _ok(observations, step)
    changes: Iterable[str] = _what(observations)
    if is_ok:
        changes = (f"{'ok again:' if observations.is_over else 'ok, but'} {text}" for text in changes)
    what = _first_that_fits(list(changes))
    if observations.no_data_alert is not None:
        return _sentences([what], ["quality is unknown until data arrives"], step)
    return _sentences([what], _why(observations, hypotheses, what), step)


def _ok(observations: Observations, step: Iterable[str]) -> Verdict:
    """Return that a model is ok; of what goes on only the weekly pattern, which explains why a low value is ok."""
    pattern, ok = observations.pattern, describe_ok(observations.context.evaluated)
    if pattern is None or pattern.pattern is not Pattern.SEASONAL or observations.series is None:
        return Verdict(ok)
    newest = f"{observations.series.newest:%A}"
    why = (f"{text}{end}" for text in _what(observations) for end in (f": normal for a {newest}", ""))
    return _sentences([ok], why, step)


def _sentences(what: Iterable[str], why: Iterable[str], do: Iterable[str]) -> Verdict:
    return Verdict(*(_finish(sentence_case(_first_that_fits(list(texts)))) for texts in (what, why, do)))


def _first_that_fits(texts: Sequence[str]) -> str:
    fitting = (text for text in texts if display_width(text) < MAX_SENTENCE)
    return next(fitting, None) or truncate_at_word(texts[-1], MAX_SENTENCE - 1)


def _finish(text: str) -> str:
    return text if text.endswith((".", "…")) else f"{text}."


def _why(observations: Observations, hypotheses: Sequence[CauseHypothesis], what: str = "") -> Iterator[str]:
    if not hypotheses:
        yield f"Cause unclear: {insufficient_data_reason(observations)}"
        return
    first, rival = hypotheses[0], hypotheses[1] if len(hypotheses) > 1 else None
    name = first.cause.value
    if first.cause is Cause.UNKNOWN:
        yield f"Cause unclear: {insufficient_data_reason(observations)}"
        return
    if first.certainty is Certainty.UNCLEAR and rival is not None:
        yield f"Cause unclear: {name} or {rival.cause.value}"
        return
    word = "" if first.certainty is Certainty.CERTAIN else f"{first.certainty.value} "
    reasons = [f": {text}" for text in first.evidence_for if text not in what]
    reasons[1:1] = [f": {fault.subject}" for fault in observations.faults[:1] if first.cause is Cause.UPSTREAM]
    second = second_cause(hypotheses)
    for reason in (*reasons, ""):
        if second is None:
            yield f"{word}{name}{reason}"
        else:
            yield f"{word}{name}{reason}; also {second.cause.value}: {second.evidence_for[0]}"
            yield f"{word}{name}{reason}; also {second.cause.value}"


def _concern(context: ModelContext) -> Iterator[str]:
    concern = context.concerns[0]
    series = context.find_series(concern.key)
    text = describe_concern(concern, context.catalog.get(concern.key.metric), period_unit(series), context.now)
    yield f"ok, but {text}"
    yield f"ok, but {text.replace('at this pace ', '')}"
    yield f"ok, but {text.partition(';')[0]}"


def _missing_input(observations: Observations, alert: Alert) -> tuple[list[str], list[str]]:
    subject = series_subject(alert.key) if alert.key.metric != "*" else "the input"
    problem = "has no data since" if alert.condition is Condition.NO_DATA else "cannot be read since"
    reason = alert.breach.message if alert.breach else alert.condition.value
    reasons = [sanitize(text, 300) for text in (reason, reason.partition(";")[0], ":".join(reason.split(":")[:2]))]
    return [f"{subject} {problem} {format_day(alert.since, observations.context.now)}"], reasons


def _what(observations: Observations) -> Iterator[str]:
    """Yield what happened, when and how much, the longest variant first."""
    if observations.no_data_alert is not None:
        yield from _no_data(observations)
        return
    series = observations.series
    if series is None:
        yield "No metric changed"
        return
    pattern, subject = observations.pattern, series_subject(series.key)
    if pattern is not None and pattern.pattern is Pattern.SEASONAL and observations.context.incident is None:
        yield f"{subject} goes up and down with the week"
        return
    if observations.focus is None or observations.windows is None:
        yield from _level(observations, series)
        return
    yield from _extended(_change(observations, series, observations.focus), observations, series)


def _change(observations: Observations, series: Series, focus: BeforeAfter) -> str:
    shown, incident = observations.shown(focus), observations.context.incident
    newest = float(series.values[series.evaluable()][-1]) if incident is None or incident.now is None else incident.now
    old, new, current = format_values(observations.metric, shown.before, shown.after, newest)
    clause, subject = describe_onset(observations, shown), series_subject(series.key)
    is_near = current == new
    if series.key.metric == CONFIDENCE and shown.delta < 0:
        assert observations.windows is not None, "a change has windows"
        onset = to_datetime(observations.windows.onset)
        subject, clause = "less confident", f"since {format_day(onset, observations.context.now)}"
        is_near = abs(newest - shown.after) <= abs(newest - shown.before)
    if is_near:
        old, new = format_values(observations.metric, shown.before, shown.after)
        count = int(series.evaluable().sum())
        span = f" in {pluralize(count, period_unit(series))}" if clause.endswith("steadily") else ""
        return f"{subject} {clause}, {old}→{new}{span}"
    return f"{subject} {clause}, {old}→{new}; {current} now"


def _extended(text: str, observations: Observations, series: Series) -> Iterator[str]:
    metric, changes = series.key.metric, observations.before_after
    other = changes.get({"recall": "precision", "precision": "recall"}.get(metric, ""))
    accuracy = changes.get("accuracy") if metric == CONFIDENCE else None
    limit = _limit_clause(observations, series, short=" steadily, " in text)
    if other is not None and precision_recall_tradeoff(observations) and not observations.is_over:
        yield f"{text}, while {describe_metric_change(observations, other)}"
    if accuracy is not None and not observations.got_worse(accuracy):
        yield f"{text}; accuracy holds so far"
    if limit and not text.endswith(" now"):
        yield f"{text}; {limit}"
    yield text
    yield text.partition(";")[0]


def _limit_clause(observations: Observations, series: Series, *, short: bool) -> str:
    """Return for how long the newest values have been beyond a limit, such as `below 0.90 for 41 days`."""
    for alert in observations.context.alerts:
        breach = alert.breach if alert.key == series.key and alert.is_active else None
        is_threshold = breach is not None and alert.condition is Condition.THRESHOLD and not breach.is_baseline
        if breach is not None and is_threshold and breach.limit is not None:
            side = "below" if breach.value < breach.limit else "above"
            count = str(alert.periods) if short else pluralize(alert.periods, period_unit(series))
            return f"{side} {format_value(breach.limit)} for {count}"
    return ""


def _level(observations: Observations, series: Series) -> Iterator[str]:
    values = series.values[series.evaluable()]
    if not len(values):
        yield f"{series_subject(series.key)} has no evaluated periods"
        return
    (value,) = format_values(observations.metric, float(values[-1]))
    limit = _limit_clause(observations, series, short=False)
    yield f"{series_subject(series.key)} is {value}{', ' if limit else ''}{limit}"


def _no_data(observations: Observations) -> Iterator[str]:
    context, alert = observations.context, observations.no_data_alert
    longest = max((series for series in context.series if len(series)), key=len, default=None)
    if longest is None or alert is None:
        yield "No data yet"
        return
    newest = context.now
    unit = period_unit(longest)
    usual = f"; usually {CADENCES[unit]}" if unit in CADENCES else ""
    days = (context.taken_at - newest).days if context.taken_at is not None else 0
    age = f", {pluralize(days, 'day')}" if days > 0 else ""
    yield f"No data since {format_day(newest, context.taken_at or newest)}{age}{usual}"
