"""How people are told what was found out, on every way to them. Numbers, dates and our own words only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modeltop.core.diagnosis import BeforeAfter, ExpectedVsRealized, FeatureShift
from modeltop.core.text import format_period, format_value, pluralize, sanitize

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, Fit, Forecast, SeriesPattern
    from modeltop.core.metrics.registry import Metric


LIKELY, POSSIBLE = 0.7, 0.4
"""Weights from which a cause is called so."""
RIVAL_BIC = 6.0
"""Two descriptions whose BIC differ by less compete: strong evidence for one begins there (Raftery 1995)."""
FIT_NAMES = {"level": "no change"}
"""By the name of a description, where another word is plainer."""
SUDDEN_FITS, GRADUAL_FITS = ("step", "two steps"), ("ramp", "line", "bend", "two ramps", "two bends")
"""Names of descriptions of a fall at once, and of one that takes its time."""
RISE_NAMES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}


def pattern_name(course: SeriesPattern) -> str:
    """The name of a course; of a metric that is better when it is low, a fall is a rise."""
    rose = course.size is not None and course.size > 0
    return RISE_NAMES.get(course.pattern.name, course.pattern.value) if rose else course.pattern.value


def describe_pattern(course: SeriesPattern, metric: Metric) -> str:
    """How a metric went, since when, by how much, and how sure that is; its name is left to the caller."""
    text = pattern_name(course)
    if course.started_at is not None:
        text += f" since {format_period(course.started_at)}"
    if course.size is not None:
        text += f", {metric.format_delta(course.size)}"
    return f"{text}, {100 * course.confidence:.0f} % sure"


def describe_fits(course: SeriesPattern) -> str:
    """The two best descriptions of the course, so that a doubtful one is seen to be; nothing where one was tried.

    Of a fall both the best sudden and the best gradual one are among them.
    """
    if len(course.fits) < 2:
        return ""
    best, *others = course.fits
    told = others[:1]
    for kind in (SUDDEN_FITS, GRADUAL_FITS) if course.pattern.name in RISE_NAMES else ():
        if not any(fit.name in kind for fit in (best, *told)):
            told += [fit for fit in others if fit.name in kind][:1]
    words = (f"{'nearly as well' if fit.bic - best.bic <= RIVAL_BIC else 'then'}: {_fit(fit)}" for fit in told)
    return f"fits best: {_fit(best)}; {'; '.join(words)}"


def _fit(fit: Fit) -> str:
    return f"{FIT_NAMES.get(fit.name, sanitize(fit.name, 20))} (BIC {fit.bic:.1f})"


def describe_forecast(forecast: Forecast) -> str:
    """Where the trend leads."""
    pace = f"at this pace, {'+' if forecast.slope > 0 else ''}{format_value(forecast.slope, 4)} a day"
    if forecast.limit is None or forecast.days is None:
        return f"{pace}, no limit lies ahead"
    soonest = "0" if forecast.soonest is None else f"{forecast.soonest:.0f}"
    latest = "never" if forecast.latest is None else f"{forecast.latest:.0f}"
    side = "below" if forecast.slope < 0 else "above"
    days = pluralize(round(forecast.days), "day")
    return f"{pace}, {side} {format_value(forecast.limit)} in about {days} ({soonest} to {latest})"


def certainty_word(weight: float) -> str:
    """How the weight of a cause is called."""
    return "likely" if weight >= LIKELY else "possible" if weight >= POSSIBLE else "unlikely"


def advice_lines(found: Diagnosis) -> Iterator[str]:
    """What to do: first of all the advice, then what it does not name, then what there is to learn from."""
    if found.advice:
        yield sanitize(found.advice, 600)
    steps = [step.value for step in found.actions if step.value not in found.advice]
    if steps:
        yield ", then ".join(steps)
    if found.labels_since_change is not None and f"{found.labels_since_change:,}" not in found.advice:
        yield f"{found.labels_since_change:,} labelled row{'' if found.labels_since_change == 1 else 's'} since it began"


CONFIDENCE = "avg_confidence"
NAME = 40
"""Most cells of a foreign name."""


def safe_name(text: str) -> str:
    """A foreign name, fit for a clause."""
    return sanitize(text, NAME)


def format_change(found: BeforeAfter) -> str:
    """`0.957 -> 0.846`."""
    return f"{format_value(found.before)} -> {format_value(found.after)}"


def format_percent(share: float) -> str:
    """A share in whole percent, or with what it takes not to be 0.

    >>> format_percent(0.341), format_percent(0.004), format_percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else f"{100 * share:.1g} %"


def format_share_change(pair: tuple[float, float]) -> str:
    """`0 % -> 34 %`."""
    return f"{format_percent(pair[0])} -> {format_percent(pair[1])}"


def top_features(moved: Sequence[FeatureShift], limit: int = 2) -> str:
    """The columns that moved furthest, by name."""
    rest = f" and {len(moved) - limit} more" if len(moved) > limit else ""
    return ", ".join(safe_name(one.feature) for one in moved[:limit]) + rest


def describe_value_loss(one: FeatureShift) -> str:
    """What is wrong with the values of a column: `unit missing 0 % -> 34 %`."""
    gone, unknown = one.missing, one.unseen
    if gone is not None and (unknown is None or gone[1] - gone[0] >= unknown[1] - unknown[0]):
        return f"{safe_name(one.feature)} missing {format_share_change(gone)}"
    assert unknown is not None, "asked of a column that lost values"
    return f"{safe_name(one.feature)} with unknown values {format_share_change(unknown)}"


def expectation_moved(pair: ExpectedVsRealized, focus: BeforeAfter | None) -> str:
    """What was expected moved as what came true did."""
    came = "it" if pair.realized is focus else safe_name(pair.realized.key.metric)
    said = f"{expected_metric_name(pair)} {pair.expected.direction} with {came}, {format_change(pair.expected)}"
    return said if pair.expected.key.metric == CONFIDENCE else f"{said}: realised {format_value(pair.realized.after)}"


def expectation_held(pair: ExpectedVsRealized, focus: BeforeAfter | None) -> str:
    """What was expected did not move as what came true did."""
    expected = pair.expected
    alike = expected.delta * pair.realized.delta > 0
    only = "only " if expected.is_significant and alike else ""
    held = (
        f"held at {format_value(expected.after)}"
        if not expected.is_significant
        else f"{expected.direction} {only}{format_change(expected)}"
    )
    came = (
        ""
        if pair.realized is focus
        else f" against {safe_name(pair.realized.key.metric)} {format_change(pair.realized)}"
    )
    return f"{expected_metric_name(pair)} {held}{came}"


def expected_metric_name(pair: ExpectedVsRealized) -> str:
    """What the expected metric is called in a clause."""
    metric = pair.expected.key.metric
    return "confidence" if metric == CONFIDENCE else safe_name(metric.replace("_", " "))


def format_count(number: float) -> str:
    """A count with thousands apart.

    >>> format_count(12345.0)
    '12,345'
    """
    return f"{number:,.0f}"
