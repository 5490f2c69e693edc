"""How people are told what was found out, on every way to them. Numbers, dates and our own words only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modeltop.core.diagnosis import Moved, Pair, Reading
from modeltop.core.text import brief, day, plural, safe

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Course, Diagnosis, Fit, Forecast
    from modeltop.core.metrics.registry import Metric


LIKELY, POSSIBLE = 0.7, 0.4
"""Weights from which a cause is called so."""
RIVAL = 6.0
"""Two descriptions whose BIC differ by less compete: strong evidence for one begins there (Raftery 1995)."""
FITS = {"level": "no change"}
"""By the name of a description, where another word is plainer."""
SUDDEN, GRADUAL = ("step", "two steps"), ("ramp", "line", "bend", "two ramps", "two bends")
"""Names of descriptions of a fall at once, and of one that takes its time."""
RISES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}


def pattern_words(course: Course) -> str:
    """The name of a course; of a metric that is better when it is low, a fall is a rise."""
    rose = course.size is not None and course.size > 0
    return RISES.get(course.pattern.name, course.pattern.value) if rose else course.pattern.value


def course_words(course: Course, metric: Metric) -> str:
    """How a metric went, since when, by how much, and how sure that is; its name is left to the caller."""
    text = pattern_words(course)
    if course.begin is not None:
        text += f" since {day(course.begin)}"
    if course.size is not None:
        text += f", {metric.show_change(course.size)}"
    return f"{text}, {100 * course.sure:.0f} % sure"


def fits_words(course: Course) -> str:
    """The two best descriptions of the course, so that a doubtful one is seen to be; nothing where one was tried.

    Of a fall both the best sudden and the best gradual one are among them.
    """
    if len(course.fits) < 2:
        return ""
    best, *others = course.fits
    told = others[:1]
    for kind in (SUDDEN, GRADUAL) if course.pattern.name in RISES else ():
        if not any(fit.name in kind for fit in (best, *told)):
            told += [fit for fit in others if fit.name in kind][:1]
    words = (f"{'nearly as well' if fit.score - best.score <= RIVAL else 'then'}: {_fit(fit)}" for fit in told)
    return f"fits best: {_fit(best)}; {'; '.join(words)}"


def _fit(fit: Fit) -> str:
    return f"{FITS.get(fit.name, safe(fit.name, 20))} (BIC {fit.score:.1f})"


def forecast_words(forecast: Forecast) -> str:
    """Where the trend leads."""
    pace = f"at this pace, {'+' if forecast.slope > 0 else ''}{brief(forecast.slope, 4)} a day"
    if forecast.limit is None or forecast.days is None:
        return f"{pace}, no limit lies ahead"
    soonest = "0" if forecast.soonest is None else f"{forecast.soonest:.0f}"
    latest = "never" if forecast.latest is None else f"{forecast.latest:.0f}"
    side = "below" if forecast.slope < 0 else "above"
    days = plural(round(forecast.days), "day")
    return f"{pace}, {side} {brief(forecast.limit)} in about {days} ({soonest} to {latest})"


def weight_word(weight: float) -> str:
    """How the weight of a cause is called."""
    return "likely" if weight >= LIKELY else "possible" if weight >= POSSIBLE else "unlikely"


def advice_words(found: Diagnosis) -> Iterator[str]:
    """What to do: first of all the advice, then what it does not name, then what there is to learn from."""
    if found.advice:
        yield safe(found.advice, 600)
    steps = [step.value for step in found.steps if step.value not in found.advice]
    if steps:
        yield ", then ".join(steps)
    if found.labels is not None and f"{found.labels:,}" not in found.advice:
        yield f"{found.labels:,} labelled row{'' if found.labels == 1 else 's'} since it began"


CONFIDENCE = "avg_confidence"
NAME = 40
"""Most cells of a foreign name."""


def name(text: str) -> str:
    """A foreign name, fit for a clause."""
    return safe(text, NAME)


def went(found: Reading) -> str:
    """`0.957 -> 0.846`."""
    return f"{brief(found.before)} -> {brief(found.after)}"


def percent(share: float) -> str:
    """A share in whole percent, or with what it takes not to be 0.

    >>> percent(0.341), percent(0.004), percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else f"{100 * share:.1g} %"


def rise(pair: tuple[float, float]) -> str:
    """`0 % -> 34 %`."""
    return f"{percent(pair[0])} -> {percent(pair[1])}"


def some(moved: Sequence[Moved], most: int = 2) -> str:
    """The columns that moved furthest, by name."""
    rest = f" and {len(moved) - most} more" if len(moved) > most else ""
    return ", ".join(name(one.feature) for one in moved[:most]) + rest


def lost(one: Moved) -> str:
    """What is wrong with the values of a column: `unit missing 0 % -> 34 %`."""
    gone, unknown = one.missing, one.unseen
    if gone is not None and (unknown is None or gone[1] - gone[0] >= unknown[1] - unknown[0]):
        return f"{name(one.feature)} missing {rise(gone)}"
    assert unknown is not None, "asked of a column that lost values"
    return f"{name(one.feature)} with unknown values {rise(unknown)}"


def with_it(pair: Pair, focus: Reading | None) -> str:
    """What was expected moved as what came true did."""
    came = "it" if pair.realised is focus else name(pair.realised.key.metric)
    said = f"{title(pair)} {pair.expected.word} with {came}, {went(pair.expected)}"
    return said if pair.expected.key.metric == CONFIDENCE else f"{said}: realised {brief(pair.realised.after)}"


def not_with_it(pair: Pair, focus: Reading | None) -> str:
    """What was expected did not move as what came true did."""
    expected = pair.expected
    alike = expected.delta * pair.realised.delta > 0
    only = "only " if expected.moved and alike else ""
    held = f"held at {brief(expected.after)}" if not expected.moved else f"{expected.word} {only}{went(expected)}"
    came = "" if pair.realised is focus else f" against {name(pair.realised.key.metric)} {went(pair.realised)}"
    return f"{title(pair)} {held}{came}"


def title(pair: Pair) -> str:
    """What the expected metric is called in a clause."""
    metric = pair.expected.key.metric
    return "confidence" if metric == CONFIDENCE else name(metric.replace("_", " "))


def rows(number: float) -> str:
    """A count with thousands apart.

    >>> rows(12345.0)
    '12,345'
    """
    return f"{number:,.0f}"
