"""Ask a snapshot why: the diagnosis of one model, made when somebody looks, once a snapshot."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from monitor.diagnosis.case import Case
from monitor.diagnosis.courses import course_of
from monitor.diagnosis.diagnose import diagnose
from monitor.exhibits import Exhibits
from monitor.explain.trend import trend
from monitor.findings import Diagnosis, Outlook, Pattern
from monitor.records import Series, SeriesKey, Severity
from monitor.rules import asked
from monitor.snapshot import Snapshot

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
