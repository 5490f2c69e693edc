"""The inputs moved, or the world behind them."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import Cause, Finding, Pattern
from modeltop.core.text import brief, day, plural
from modeltop.diagnosis.causes.base import Clause, cause, weighed
from modeltop.diagnosis.observations import ESTIMATED, Facts, dated
from modeltop.diagnosis.phrases import name, not_with_it, rise, some, with_it
from modeltop.diagnosis.signals import FOLLOWED, STAYED, as_good, exchange, follow, grade, judged, lonely, share

LEAD = 3
"""Days by which one must precede the other: begins are known within a few periods."""


def many(facts: Facts) -> bool:
    """Whether the inputs as a whole moved: three features or more, and a third of all."""
    moved, features = len(facts.columns.moved), facts.columns.features
    return moved >= 3 and 3 * moved >= features


@cause
def data_drift(facts: Facts) -> Finding | None:
    """Many inputs moved, and the model knows it: what it expects of itself fell with what came true."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or facts.columns.broken or facts.odd:
        return None
    return weighed(Cause.DATA_DRIFT, _spread(facts), _unmoved(facts))


def _spread(facts: Facts) -> Iterator[Clause]:
    columns = facts.columns
    if many(facts):
        yield Clause(0.6, f"{len(columns.moved)} of {columns.features} features moved: {some(columns.moved)}")
    if not columns.features and columns.score is not None:
        yield Clause(0.5, f"the score's distribution moved, {brief(columns.score.distance, 2)} from the reference")
    yield from _followed(facts)
    confidence, course = facts.course_of("avg_confidence"), facts.course
    if confidence and course and confidence.begin and course.begin and confidence.begin < course.begin:
        days = (course.begin - confidence.begin).days
        if LEAD <= days <= 30 and (followed := follow(facts)) is not None and followed > STAYED:
            yield Clause(0.3, f"confidence fell {plural(days, 'day')} before, on {day(confidence.begin)}")


def _followed(facts: Facts) -> Iterator[Clause]:
    for pair in judged(facts)[:2]:
        strength = grade(share(pair), STAYED, FOLLOWED)
        if strength and pair.expected.moved:
            most = 0.6 if pair.expected.key.metric.startswith(ESTIMATED) else 0.5
            yield Clause(round(most * strength, 2), with_it(pair, facts.focus))


def _unmoved(facts: Facts) -> Iterator[Clause]:
    columns = facts.columns
    if columns.features and not columns.moved:
        yield Clause(0.7, f"none of {plural(columns.features, 'feature')} moved")
    elif columns.moved and not many(facts):
        yield Clause(0.5, f"only {len(columns.moved)} of {plural(columns.features, 'feature')} moved")
    if columns.outputs and columns.score is None:
        yield Clause(0.3, "the score's distribution is as before")
    yield from _beyond(facts)
    for pair in judged(facts)[:1]:
        strength = 1 - grade(share(pair), 0.0, STAYED)
        if strength:
            yield Clause(round(0.5 * strength, 2), not_with_it(pair, facts.focus))


def _beyond(facts: Facts) -> Iterator[Clause]:
    """What speaks against any drift."""
    if as_good(facts):
        yield Clause(0.6, "the scores are as good as before, by order and by their Brier score")
    elif (exchanged := exchange(facts)) is not None:
        yield Clause(0.25, exchanged)
    if facts.course is not None and facts.course.pattern is Pattern.SPIKE:
        yield Clause(0.6, "it was over at once")
    if (found := lonely(facts)) is not None:
        yield Clause(0.5, f"it is {name(found[1].segment)} alone")
    if any(dated(facts, note) for note in facts.notes):
        yield Clause(0.3, "something else was noted for that day")
    for segment in facts.novel[:1]:
        yield Clause(0.3, f"{name(segment)} is new since then")


@cause
def feature_drift(facts: Facts) -> Finding | None:
    """One or a few inputs moved, with values that are valid."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or not facts.columns.moved or many(facts):
        return None
    columns = facts.columns
    named = Clause(
        0.7, f"{len(columns.moved)} of {plural(columns.features, 'feature')} moved: {some(columns.moved, 3)}"
    )
    broken = [
        Clause(0.7, f"values are lost: missing {rise(one.missing)}" if one.missing else "values never seen before")
        for one in columns.broken[:1]
    ]
    broken += [Clause(0.5, said) for said in facts.odd[:1]]
    return weighed(Cause.FEATURE_DRIFT, [named, *_followed(facts)], broken)


@cause
def concept_drift(facts: Facts) -> Finding | None:
    """The same inputs mean something else: what came true fell, what the model expected did not."""
    if facts.focus is None or facts.loss(facts.focus) <= 0 or not facts.metric.labels:
        return None
    return weighed(Cause.CONCEPT_DRIFT, _unnoticed(facts), _noticed(facts))


def _unnoticed(facts: Facts) -> Iterator[Clause]:
    pairs = judged(facts)
    for pair in pairs[:2]:
        strength = 1 - grade(share(pair), STAYED, FOLLOWED)
        if strength:
            most = 0.65 if pair.expected.key.metric.startswith(ESTIMATED) else 0.6
            yield Clause(round(most * strength, 2), not_with_it(pair, facts.focus))
    columns = facts.columns
    if (pairs or not (facts.pairs or facts.chance)) and columns.features and not columns.moved:
        # Of a model that says nothing of its own sureness, such as a regression, this is all there is.
        yield Clause(0.4 if pairs else 0.5, f"none of {plural(columns.features, 'feature')} moved")
    if pairs and columns.outputs and columns.score is None:
        yield Clause(0.2, "the score's distribution is as before")


def _noticed(facts: Facts) -> Iterator[Clause]:
    columns = facts.columns
    if columns.broken:
        yield Clause(0.6, "a feature lost values")
    elif facts.odd:
        yield Clause(0.6, facts.odd[0])
    elif many(facts):
        yield Clause(0.4, f"{len(columns.moved)} of {columns.features} features moved")
    elif columns.moved:
        yield Clause(0.3, f"{some(columns.moved, 1)} moved")
    yield from _beyond(facts)
    if facts.overnight and not (columns.features and not columns.moved):
        yield Clause(0.3, "the world seldom changes from one period to the next")
