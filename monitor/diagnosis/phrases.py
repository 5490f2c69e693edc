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
from modeltop.core.metrics.phrases import metric_name, safe_name
from modeltop.core.metrics.registry import Metric
from modeltop.core.text import format_day, format_percent, format_value

RISE_NAMES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}
FOLLOWED_FROM, UNMOVED_BELOW = 0.8, 0.4
"""Ratio of the realized fall from which the expectation fell as much, and below which it barely moved."""


def sentence_case(text: str) -> str:
    """Return the text with a capital first letter, unless it starts with a name of the data.

    >>> sentence_case("accuracy fell"), sentence_case("log_loss rose")
    ('Accuracy fell', 'log_loss rose')
    """
    first = text.partition(" ")[0].rstrip(",:")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first != "ok" else text


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
        of = "" if diagnosis.key is None or diagnosis.key.segment == "all" else " of all segments"
        others.append(f"{labels:,} labeled row{'' if labels == 1 else 's'}{of} since the change")
    return lines + [f"{sentence_case(text)}." for text in others]


def format_percent_change(pair: tuple[float, float]) -> str:
    """Return the proportions before and after, such as `0 %→34 %`."""
    return f"{format_percent(pair[0])}→{format_percent(pair[1])}"


def top_features(shifts: Sequence[FeatureShift], limit: int = 2) -> str:
    """Return the names of the first features, and how many more there are."""
    rest = f" and {len(shifts) - limit} more" if len(shifts) > limit else ""
    return ", ".join(safe_name(shift.feature) for shift in shifts[:limit]) + rest


def describe_value_loss(shift: FeatureShift) -> str:
    """Return the problem with the values of a broken feature, which follows its name: `missing 0 %→34 %`."""
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
    """Return how the expected metric moved beside the realized one."""
    name = metric_name(pair.expected.key.metric).replace("_", " ")
    beside = "" if pair.realized is focus else f" as {metric_name(pair.realized.key.metric)}"
    followed = describe_followed(pair)
    if not followed.endswith("as much"):
        beside = "" if pair.realized is focus else f" beside {metric_name(pair.realized.key.metric)}"
    return f"{name} {followed}{beside}, {levels}"
