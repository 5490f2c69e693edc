"""From a case to its diagnosis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from modeltop.core.diagnosis import ROWS, Cause, Course, Diagnosis, Finding, Outlook, Pattern, Reading
from modeltop.core.distribution import Exhibits
from modeltop.core.series import Better, Condition, Episode, Series, SeriesKey, Severity
from modeltop.diagnosis.advice import advice, missing, steps
from modeltop.diagnosis.before_after import reading, span_of
from modeltop.diagnosis.causes.base import ENOUGH, findings
from modeltop.diagnosis.context import ALL, Case
from modeltop.diagnosis.observations import Facts, contributions, gathered
from modeltop.diagnosis.patterns import course_of, courses
from modeltop.diagnosis.summary import sentence
from modeltop.diagnosis.timeseries.forecast import trend
from modeltop.rules.rule import asked
from modeltop.rules.snapshot import Snapshot

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


LEADING = (Pattern.DROP, Pattern.DECLINE, Pattern.RECOVERING, Pattern.IMPROVING)
"""Courses that may go on."""
MOST = 2
"""Snapshots whose diagnoses are remembered: the one on the screen, and the one that takes its place."""


class _Known(NamedTuple):
    """Beside the snapshot, so that its id is no other's meanwhile."""

    snapshot: Snapshot
    diagnoses: dict[str, Diagnosis]
    outlooks: dict[SeriesKey, Outlook]


_known: OrderedDict[int, _Known] = OrderedDict()


def diagnosis_of(snapshot: Snapshot, model: str) -> Diagnosis:
    """What happened to a model, why, and what to do; a pure function of the snapshot, made once."""
    found = _remembered(snapshot).diagnoses
    if model not in found:
        made = diagnose(case_of(snapshot, model))
        ahead = outlook_of(snapshot, made.key).forecast if made.course is not None and made.key else None
        found[model] = replace(made, forecast=ahead)
    return found[model]


def outlook_of(snapshot: Snapshot, key: SeriesKey) -> Outlook:
    """How one series has gone, and where that leads, by the limits it is judged by; made once."""
    found = _remembered(snapshot).outlooks
    if key not in found:
        series = snapshot.history.series.get(key)
        found[key] = Outlook() if series is None else _outlook(snapshot, series)
    return found[key]


def _outlook(snapshot: Snapshot, series: Series) -> Outlook:
    out = {one.rule for one in snapshot.standings if one.key == series.key and one.left_out is not None}
    rules = [rule for rule in asked(snapshot.rules, series.key) if rule.name not in out]
    limits = [limit for rule in rules for _, limit in rule.check.limits()]
    course = course_of(series)
    # Of what came and went, or is as it was, a line through the newest points would only mislead.
    led = trend(series, limits) if course.pattern in LEADING else None
    return Outlook(course, led)


def _remembered(snapshot: Snapshot) -> _Known:
    known = _known.get(id(snapshot))
    if known is None or known.snapshot is not snapshot:
        known = _known[id(snapshot)] = _Known(snapshot, {}, {})
    _known.move_to_end(id(snapshot))
    while len(_known) > MOST:
        _known.popitem(last=False)
    return known


def focus_series(snapshot: Snapshot, model: str) -> SeriesKey | None:
    """The series that the diagnosis is about; None where nothing happened to any."""
    return diagnosis_of(snapshot, model).key


def case_of(snapshot: Snapshot, model: str) -> Case:
    """What a snapshot knows of one model."""
    verdict = next((one for one in snapshot.verdicts if one.model == model), None)
    mine = [one for one in snapshot.episodes if one.key.model == model]
    return Case(
        model=model,
        series=snapshot.history.of_model(model),
        taken_at=snapshot.taken_at,
        catalog=snapshot.catalog,
        episodes=mine,
        severity=Severity.OK if verdict is None else verdict.severity,
        standing="" if verdict is None else verdict.sentence,
        labels=snapshot.labels.get(model),
        notes=[note for note in snapshot.facts.notes if fnmatchcase(model, note.model)],
        exhibits=snapshot.exhibits.get(model, Exhibits()),
        others={one.key.model: one.since for one in snapshot.episodes if one.stands and one.key.model != model},
    )
