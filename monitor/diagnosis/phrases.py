"""Phrases of a diagnosis, the same in text, HTML, messages and on the screen; foreign names in them are sanitized."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
    Diagnosis,
    ExpectedVsRealized,
    FeatureShift,
    Forecast,
    SeriesPattern,
)
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Concern, ConcernKind, Direction, SeriesKey
from modeltop.core.text import format_day, format_value, pluralize, sanitize
from modeltop.diagnosis.context import ALL, CONFIDENCE

RISE_NAMES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}
MAX_COUNT = 1e15
"""Number from which not even a count is written with all of its digits."""
MAX_NAME = 40
"""Cells of a foreign name."""
METRIC_NAMES = {CONFIDENCE: "confidence", "f1_score": "F1", "roc_auc": "ROC AUC", "mae": "MAE", "rmse": "RMSE"}
"""Names of metrics in a sentence; others are written as in the data."""
FOLLOWED_FROM, UNMOVED_BELOW = 0.8, 0.4
"""Ratio of the realized fall from which the expectation fell as much, and below which it barely moved."""


def metric_name(name: str) -> str:
    """Return the name of a metric in a sentence."""
    return METRIC_NAMES.get(name, sanitize(name, MAX_NAME))


def series_subject(key: SeriesKey) -> str:
    """Return the metric of a series, and its segment unless that is all."""
    name = metric_name(key.metric)
    return name if key.segment == ALL else f"{name} of {sanitize(key.segment, MAX_NAME)}"


def sentence_case(text: str) -> str:
    """Return the text with a capital first letter, unless it starts with a name of the data.

    >>> sentence_case("accuracy fell"), sentence_case("log_loss rose")
    ('Accuracy fell', 'log_loss rose')
    """
    first = text.partition(" ")[0].rstrip(",:")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first != "ok" else text


def format_values(metric: Metric, *values: float) -> list[str]:
    """Return values with the digits of their metric, without zeros at the end that all of them have.

    >>> format_values(Metric("accuracy"), 0.96, 0.87), format_values(Metric("accuracy"), 0.951, 0.84)
    (['0.96', '0.87'], ['0.951', '0.840'])
    >>> format_values(Metric("rows", digits=0), 3816.0, 303.2)
    ['3,816', '303']
    """
    if metric.digits == 0 and all(abs(value) < MAX_COUNT for value in values):
        return [f"{value:,.0f}" for value in values]
    texts = [metric.format(value) for value in values]
    while all("e" not in text and len(text.partition(".")[2]) > 2 and text.endswith("0") for text in texts):
        texts = [text[:-1] for text in texts]
    return texts


def format_change(metric: Metric, before: float, after: float) -> str:
    """Return the values before and after, such as `0.957→0.846`."""
    return "→".join(format_values(metric, before, after))


def per_unit(unit: str) -> str:
    """Return `a day`, `an hour`: how often something comes."""
    return f"{'an' if unit == 'hour' else 'a'} {unit}"


def describe_month(moment: datetime, now: datetime) -> str:
    """Return the date of a slow change, to a third of a month: `April` for its first, `mid-April` or `late April`."""
    year = "" if moment.year == now.year else f" {moment.year}"
    part = "" if moment.day <= 10 else "mid-" if moment.day <= 20 else "late "
    return f"{part}{moment:%B}{year}"


def pattern_name(pattern: SeriesPattern) -> str:
    """Return the name of a pattern; of a metric that is better when it is low, a fall is a rise."""
    rose = pattern.size is not None and pattern.size > 0
    return RISE_NAMES.get(pattern.pattern.name, pattern.pattern.value) if rose else pattern.pattern.value


def describe_pattern(pattern: SeriesPattern, metric: Metric, now: datetime) -> str:
    """Return the pattern, its start and its size; without the name of the metric."""
    text = pattern_name(pattern)
    if pattern.started_at is not None:
        text += f" since {format_day(pattern.started_at, now)}"
    return text if pattern.size is None else f"{text}, {metric.format_delta(pattern.size)}"


def describe_forecast(forecast: Forecast, now: datetime) -> str:
    """Return the limit that was crossed last, and when the next one will be; empty if neither is known."""
    falls = forecast.slope < 0
    side = "below" if falls else "above"
    crossed = None if forecast.crossed is None else f"already {side} {format_value(forecast.crossed)}"
    if forecast.limit is None or forecast.at is None:
        return crossed or ""
    limit, day = format_value(forecast.limit), format_day(forecast.at, now)
    if crossed is not None:
        return f"{crossed}; {limit} by about {day}"
    return f"at this pace {side} {limit} around {day}"


def describe_concern(concern: Concern, metric: Metric, unit: str, now: datetime) -> str:
    """Return a concern in one clause, such as `declining: accuracy -0.09 in 10 days; below 0.80 around 17 Jan`.

    Args:
        concern: The concern.
        metric: Its metric.
        unit: What a period of its series is.
        now: Dates of another year have their year.
    """
    subject, lasted = series_subject(concern.key), pluralize(concern.periods, unit)
    if concern.kind is ConcernKind.BELOW_BASELINE:
        levels = format_change(metric, concern.before, concern.value)
        return f"{lasted} far {concern.side} baseline, not confirmed: {subject} {levels}"
    (delta,) = format_values(metric, concern.value - concern.before)
    text = f"declining: {subject} {delta} in {lasted}"
    if concern.limit is None or concern.limit_at is None:
        return text
    side = "above" if metric.better is Direction.LOWER else "below"
    return f"{text}; at this pace {side} {format_value(concern.limit)} around {format_day(concern.limit_at, now)}"


def describe_ok(evaluated: int) -> str:
    """Return that a model is ok, and how many of its metrics are.

    >>> describe_ok(1), describe_ok(5)
    ('ok: its metric is within limits and baseline.', 'ok: all 5 metrics within limits and baseline.')
    """
    subject = "its metric is" if evaluated == 1 else f"all {evaluated} metrics"
    return f"ok: {subject} within limits and baseline."


def advice_lines(diagnosis: Diagnosis) -> list[str]:
    """Return the next steps: that of the verdict, then the actions that follow it."""
    lines = [diagnosis.verdict.do] if diagnosis.verdict.do else []
    others = [action.value for action in diagnosis.actions[1:]]
    labels = diagnosis.labels_since_change
    if labels is not None and f"{labels:,}" not in diagnosis.verdict.do and Action.NOTHING not in diagnosis.actions:
        others.append(f"{labels:,} labeled row{'' if labels == 1 else 's'} since the change")
    return lines + [f"{sentence_case(text)}." for text in others]


def safe_name(text: str) -> str:
    """Return a foreign name fit for a clause."""
    return sanitize(text, MAX_NAME)


def format_percent(proportion: float) -> str:
    """Return a whole percentage, or with as many digits as are needed to be above 0.

    >>> format_percent(0.341), format_percent(0.004), format_percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * proportion:.0f} %" if proportion >= 0.01 or not proportion else f"{100 * proportion:.1g} %"


def format_percent_change(pair: tuple[float, float]) -> str:
    """Return the proportions before and after, such as `0 %→34 %`."""
    return f"{format_percent(pair[0])}→{format_percent(pair[1])}"


def top_features(shifts: Sequence[FeatureShift], limit: int = 2) -> str:
    """Return the names of the first features, and how many more there are."""
    rest = f" and {len(shifts) - limit} more" if len(shifts) > limit else ""
    return ", ".join(safe_name(shift.feature) for shift in shifts[:limit]) + rest


def describe_value_loss(shift: FeatureShift) -> str:
    """Return the problem with the values of a broken feature, to be said after its name: `missing 0 %→34 %`."""
    missing, unseen = shift.missing, shift.unseen
    if missing is not None and (unseen is None or missing[1] - missing[0] >= unseen[1] - unseen[0]):
        return f"missing {format_percent_change(missing)}"
    assert unseen is not None, "a broken feature has missing or unseen values"
    return f"has unknown values, {format_percent_change(unseen)}"


def followed_ratio(pair: ExpectedVsRealized) -> float:
    """Return the ratio of the expected change to the realized one: 1 if it followed, 0 if it held, below 0 if apart."""
    return pair.expected.delta / pair.realized.delta if pair.realized.delta else 0.0


def describe_followed(pair: ExpectedVsRealized) -> str:
    """Return how far the expected metric moved with the realized one, such as `fell half as much`."""
    ratio, direction = followed_ratio(pair), pair.expected.direction
    if direction == "as before":
        return "did not move"
    if ratio >= FOLLOWED_FROM:
        return f"{direction} as much"
    if ratio >= UNMOVED_BELOW:
        return f"{direction} {'half' if ratio < 0.65 else 'nearly'} as much"
    return "barely moved" if ratio > 0 else direction


def describe_expectation(pair: ExpectedVsRealized, levels: str, focus: BeforeAfter | None) -> str:
    """Return how the expected metric moved beside the realized one.

    Args:
        pair: Both metrics.
        levels: The expected metric before and after, in words.
        focus: The metric that the diagnosis is about: if it is the realized one, that is not named.
    """
    name = metric_name(pair.expected.key.metric).replace("_", " ")
    beside = "" if pair.realized is focus else f" as {metric_name(pair.realized.key.metric)}"
    followed = describe_followed(pair)
    if not followed.endswith("as much"):
        beside = "" if pair.realized is focus else f" beside {metric_name(pair.realized.key.metric)}"
    return f"{name} {followed}{beside}, {levels}"
