"""From a case to its diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.diagnosis.advice import advice, missing, steps
from monitor.diagnosis.base import ENOUGH, findings
from monitor.diagnosis.case import ALL, Case
from monitor.diagnosis.courses import courses
from monitor.diagnosis.facts import Facts, contributions, gathered
from monitor.diagnosis.windows import reading, span_of
from monitor.diagnosis.words import sentence
from monitor.findings import ROWS, Cause, Course, Diagnosis, Finding, Pattern, Reading
from monitor.records import Better, Condition, Episode, SeriesKey

WORST_FIRST_KINDS = ((Pattern.DROP, Pattern.DECLINE), (Pattern.SPIKE, Pattern.SEASONAL))
WORST_FIRST = tuple(pattern for kinds in WORST_FIRST_KINDS for pattern in kinds)
CALM = (Pattern.STEADY, Pattern.TOO_LITTLE)


def diagnose(case: Case) -> Diagnosis:
    """What happened to a model, why, and what to do; a pure function of the case."""
    alerting = focus(case)
    known = courses(case, alerting)
    key = alerting or _worst(case, known)
    series = next((one for one in case.series if one.key == key), None)
    course = next((one for one in known if one.key == key), None)
    others = tuple(one for one in known if one.key != key and one.pattern not in CALM)
    facts = gathered(case, series, course, others)
    found = _named(facts)
    taken = steps(facts, found)
    return Diagnosis(
        model=case.model,
        severity=case.severity,
        key=key,
        sentence=sentence(facts, found, taken),
        course=course,
        findings=found,
        steps=taken,
        advice=advice(facts, taken, found),
        courses=others,
        evidence=tuple(_ordered(facts)),
        moved=facts.columns.moved,
        segments=contributions(facts),
        pairs=tuple(facts.pairs),
        labels=facts.labels,
    )


def focus(case: Case) -> SeriesKey | None:
    """The series that an alert is about; None without any.

    Of what stands the worst, before what is pending. Among alerts that are as bad the one that says most comes first:
    over all rows, known rather than estimated, a share of all rows or of some rather than a score; else as ordered.
    """
    known = {one.key for one in case.series}
    asked = [one for one in case.episodes if one.resolved is None and one.condition is Condition.THRESHOLD]

    def place(one: Episode) -> tuple[bool, int, bool, bool, int]:
        metric = case.catalog.of(one.key.metric)
        plain = metric.proportion + (metric.support == ROWS)
        return not one.stands, -one.severity, one.key.segment != ALL, not metric.labels, -plain

    return next((one.key for one in sorted(asked, key=place) if one.key in known), None)


def _worst(case: Case, found: Sequence[Course]) -> SeriesKey | None:
    """The series with the worst course; None if all is calm."""
    wrong = [one for one in found if one.pattern in WORST_FIRST and _judges(case, one.key)]
    return max(wrong, key=lambda one: _weight(case, one)).key if wrong else None


def _weight(case: Case, course: Course) -> tuple[int, bool, bool, float]:
    """What lasts before what is over, what is known before what is estimated, shares of counts, then the surest."""
    series, metric = case.whole()[course.key.metric], case.catalog.of(course.key.metric)
    found = reading(series, span_of(series, course.begin, course)) if course.begin is not None else None
    rank = next(place for place, kinds in enumerate(WORST_FIRST_KINDS) if course.pattern in kinds)
    return -rank, metric.labels, metric.proportion, abs(found.z) if found is not None else 0.0


def _judges(case: Case, key: SeriesKey) -> bool:
    return case.catalog.of(key.metric).better is not Better.NEITHER and key.segment == ALL


def _named(facts: Facts) -> tuple[Finding, ...]:
    """The causes; where none is heavy enough, first that there is not enough to tell. None if nothing is wrong."""
    if facts.series is None and facts.silent is None:
        return ()
    found = findings(facts)
    if found and found[0].weight >= ENOUGH:
        return found
    return (Finding(Cause.UNKNOWN, 0.0, (missing(facts),)), *found)


def _ordered(facts: Facts) -> Iterable[Reading]:
    """The series that it is about, then what moved, surest first, then the rest as it stands in the history."""
    if facts.focus is not None:
        yield facts.focus
    rest = [one for name, one in facts.readings.items() if one is not facts.focus and name != ROWS]
    yield from sorted(rest, key=lambda one: -abs(one.z) if one.moved else 0.0)
    if ROWS in facts.readings:
        yield facts.readings[ROWS]
