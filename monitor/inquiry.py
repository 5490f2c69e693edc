"""Ask a snapshot why: the diagnosis of one model, made when somebody looks, once a snapshot."""

from __future__ import annotations

from collections import OrderedDict
from fnmatch import fnmatchcase

from monitor.diagnosis.case import Case
from monitor.diagnosis.diagnose import diagnose
from monitor.exhibits import Exhibits
from monitor.findings import Diagnosis
from monitor.records import SeriesKey, Severity
from monitor.snapshot import Snapshot

MOST = 2
"""Snapshots whose diagnoses are remembered: the one on the screen, and the one that takes its place."""

_known: OrderedDict[int, tuple[Snapshot, dict[str, Diagnosis]]] = OrderedDict()


def diagnosis_of(snapshot: Snapshot, model: str) -> Diagnosis:
    """What happened to a model, why, and what to do; a pure function of the snapshot, made once."""
    found = _remembered(snapshot)
    if model not in found:
        found[model] = diagnose(case_of(snapshot, model))
    return found[model]


def _remembered(snapshot: Snapshot) -> dict[str, Diagnosis]:
    """By identity: the snapshot is held beside its diagnoses, so its id is no other's meanwhile."""
    known = _known.get(id(snapshot))
    if known is None or known[0] is not snapshot:
        known = _known[id(snapshot)] = (snapshot, {})
    _known.move_to_end(id(snapshot))
    while len(_known) > MOST:
        _known.popitem(last=False)
    return known[1]


def focus(snapshot: Snapshot, model: str) -> SeriesKey | None:
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
