"""Something broke before the model: its inputs, or the pipeline that brings them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from modeltop.core.diagnosis import ROWS, Cause, Finding, Moved, Pattern
from modeltop.core.series import Condition, to_datetime
from modeltop.core.text import brief, day, plural, safe
from modeltop.diagnosis.causes.base import Clause, cause, weighed
from modeltop.diagnosis.observations import Facts
from modeltop.diagnosis.phrases import lost, name, not_with_it, rows
from modeltop.diagnosis.signals import best, share

MANY = 0.05
"""Share of values lost from which a column is broken, rather than scratched."""
TOGETHER = 2
"""Other models that went wrong at the same time, from which it is no accident."""
HALF = 0.5
"""Of the fall: the model expected less of it."""
LEAP = 0.3
"""Jensen-Shannon distance of a column whose values hardly overlap with those of the reference."""


@cause
def outage(facts: Facts) -> Finding | None:
    """No rows come, or far fewer."""
    return weighed(Cause.OUTAGE, _stopped(facts))


def _stopped(facts: Facts) -> Iterator[Clause]:
    if facts.silent is not None:
        if facts.silent.condition is Condition.ERROR:
            message = facts.silent.evidence.message if facts.silent.evidence else "a source cannot be read"
            yield Clause(0.95, safe(message))
        else:
            yield Clause(0.95, f"rows were due by {day(facts.silent.since)}")
    count = facts.readings.get(ROWS)
    if count is not None and count.moved and count.after < 0.5 * count.before:
        yield Clause(0.6, f"rows fell from {rows(count.before)} to {rows(count.after)} a period")


@cause
def upstream(facts: Facts) -> Finding | None:
    """A column lost its values, got unknown ones, or jumped to others from one period to the next."""
    if facts.focus is None and not facts.columns.broken:
        return None
    return weighed(Cause.UPSTREAM, _broken(facts), _whole(facts))


def _broken(facts: Facts) -> Iterator[Clause]:
    for one in facts.columns.broken[:3]:
        yield Clause(0.85 if _worst(one) >= MANY else 0.5, lost(one))
    for said in facts.odd[:2]:
        yield Clause(0.75, said)
    jumped = facts.columns.moved[:1]
    lone = len(facts.columns.moved) <= max(1, facts.columns.features // 3)
    if jumped and lone and facts.sudden and jumped[0].metric == "js_distance" and jumped[0].distance >= LEAP:
        yield Clause(0.7, f"{name(jumped[0].feature)} leapt to other values, distance {brief(jumped[0].distance, 2)}")
    if len(alike := _together(facts)) >= TOGETHER:
        yield Clause(0.4, f"{plural(len(alike), 'other model')} went wrong within a day of it")
    yield from _overnight(facts)


def _overnight(facts: Facts) -> Iterator[Clause]:
    """A sudden fall that the model noticed a little: what comes in has changed, and it makes the wrong thing of it."""
    pair = best(facts)
    lasts = facts.course is not None and facts.course.pattern is Pattern.DROP
    if (
        pair is None
        or not lasts
        or not facts.overnight
        or share(pair) >= HALF
        or (facts.columns.features and not facts.columns.moved)
    ):
        return
    if pair.expected.moved:
        yield Clause(0.5, f"overnight, {not_with_it(pair, facts.focus)}")
    else:
        yield Clause(0.25, "overnight, and the model does not notice")


def _together(facts: Facts) -> list[str]:
    """Other models that went wrong at the same time: what they share is not in this one."""
    if facts.span is None:
        return []
    begin = to_datetime(facts.span.begin)
    return [model for model, since in facts.case.others.items() if abs(since - begin) <= timedelta(days=1)]


def _whole(facts: Facts) -> Iterator[Clause]:
    if facts.columns.features and not facts.columns.moved:
        yield Clause(0.7, f"none of {plural(facts.columns.features, 'feature')} moved or lost values")
    if not facts.columns.features:
        yield Clause(0.1, "no feature is logged")
    if facts.course is not None and not facts.sudden and not facts.columns.broken and not facts.odd:
        yield Clause(0.3, "it came gradually")


def _worst(one: Moved) -> float:
    return max(pair[1] - pair[0] for pair in (one.missing, one.unseen) if pair is not None)
