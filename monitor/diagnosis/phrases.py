"""Phrases of a diagnosis, the same in text, HTML, messages and on the screen; foreign names in them are sanitized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modeltop.core.diagnosis import BeforeAfter, Diagnosis, ExpectedVsRealized, FeatureShift, Forecast, SeriesPattern
from modeltop.core.metrics.registry import Metric
from modeltop.core.text import format_period, format_value, pluralize, sanitize
from modeltop.diagnosis.context import CONFIDENCE

LIKELY_WEIGHT, POSSIBLE_WEIGHT = 0.7, 0.4
"""Weights from which a cause is called likely and possible."""
RISE_NAMES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}
MAX_NAME = 40
"""Cells of a foreign name."""


def pattern_name(pattern: SeriesPattern) -> str:
    """Return the name of a pattern; of a metric that is better when it is low, a fall is a rise."""
    rose = pattern.size is not None and pattern.size > 0
    return RISE_NAMES.get(pattern.pattern.name, pattern.pattern.value) if rose else pattern.pattern.value


def describe_pattern(pattern: SeriesPattern, metric: Metric) -> str:
    """Return the pattern, its start, size and confidence; without the name of the metric."""
    text = pattern_name(pattern)
    if pattern.started_at is not None:
        text += f" since {format_period(pattern.started_at)}"
    if pattern.size is not None:
        text += f", {metric.format_delta(pattern.size)}"
    return f"{text}, {100 * pattern.confidence:.0f} % sure"


def describe_forecast(forecast: Forecast) -> str:
    """Return the slope, and when it crosses which limit."""
    pace = f"at this pace, {'+' if forecast.slope > 0 else ''}{format_value(forecast.slope, 4)} a day"
    if forecast.limit is None or forecast.days is None:
        return f"{pace}, no limit lies ahead"
    soonest = "0" if forecast.soonest is None else f"{forecast.soonest:.0f}"
    latest = "never" if forecast.latest is None else f"{forecast.latest:.0f}"
    side = "below" if forecast.slope < 0 else "above"
    days = pluralize(round(forecast.days), "day")
    return f"{pace}, {side} {format_value(forecast.limit)} in about {days} ({soonest} to {latest})"


def certainty_word(weight: float) -> str:
    """Return the word for the weight of a cause: `likely`, `possible` or `unlikely`."""
    return "likely" if weight >= LIKELY_WEIGHT else "possible" if weight >= POSSIBLE_WEIGHT else "unlikely"


def advice_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the advice, then the actions that it does not name, then the number of new labels."""
    if diagnosis.advice:
        yield sanitize(diagnosis.advice, 600)
    actions = [action.value for action in diagnosis.actions if action.value not in diagnosis.advice]
    if actions:
        yield ", then ".join(actions)
    labels = diagnosis.labels_since_change
    if labels is not None and f"{labels:,}" not in diagnosis.advice:
        yield f"{labels:,} labelled row{'' if labels == 1 else 's'} since it began"


def safe_name(text: str) -> str:
    """Return a foreign name fit for a clause."""
    return sanitize(text, MAX_NAME)


def format_change(change: BeforeAfter) -> str:
    """Return the values before and after, such as `0.957 -> 0.846`."""
    return f"{format_value(change.before)} -> {format_value(change.after)}"


def format_percent(proportion: float) -> str:
    """Return a whole percentage, or with as many digits as are needed to be above 0.

    >>> format_percent(0.341), format_percent(0.004), format_percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * proportion:.0f} %" if proportion >= 0.01 or not proportion else f"{100 * proportion:.1g} %"


def format_percent_change(pair: tuple[float, float]) -> str:
    """Return the proportions before and after, such as `0 % -> 34 %`."""
    return f"{format_percent(pair[0])} -> {format_percent(pair[1])}"


def top_features(shifts: Sequence[FeatureShift], limit: int = 2) -> str:
    """Return the names of the first features, and how many more there are."""
    rest = f" and {len(shifts) - limit} more" if len(shifts) > limit else ""
    return ", ".join(safe_name(shift.feature) for shift in shifts[:limit]) + rest


def describe_value_loss(shift: FeatureShift) -> str:
    """Return the problem with the values of a broken feature, such as `unit missing 0 % -> 34 %`."""
    missing, unseen = shift.missing, shift.unseen
    if missing is not None and (unseen is None or missing[1] - missing[0] >= unseen[1] - unseen[0]):
        return f"{safe_name(shift.feature)} missing {format_percent_change(missing)}"
    assert unseen is not None, "a broken feature has missing or unseen values"
    return f"{safe_name(shift.feature)} with unknown values {format_percent_change(unseen)}"


def expectation_moved(pair: ExpectedVsRealized, focus: BeforeAfter | None) -> str:
    """Return that the expected metric moved with the realized one, which is called `it` if it is the focus."""
    realized = "it" if pair.realized is focus else safe_name(pair.realized.key.metric)
    text = f"{expected_name(pair)} {pair.expected.direction} with {realized}, {format_change(pair.expected)}"
    is_confidence = pair.expected.key.metric == CONFIDENCE
    return text if is_confidence else f"{text}: realised {format_value(pair.realized.after)}"


def expectation_held(pair: ExpectedVsRealized, focus: BeforeAfter | None) -> str:
    """Return that the expected metric did not move as the realised one did, which is named unless it is the focus."""
    expected, realized = pair.expected, pair.realized
    if expected.is_significant:
        only = "only " if expected.delta * realized.delta > 0 else ""
        text = f"{expected_name(pair)} {expected.direction} {only}{format_change(expected)}"
    else:
        text = f"{expected_name(pair)} held at {format_value(expected.after)}"
    return text if realized is focus else f"{text} against {safe_name(realized.key.metric)} {format_change(realized)}"


def expected_name(pair: ExpectedVsRealized) -> str:
    """Return the expected metric as a clause names it."""
    metric = pair.expected.key.metric
    return "confidence" if metric == CONFIDENCE else safe_name(metric.replace("_", " "))
