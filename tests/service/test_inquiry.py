"""A snapshot is asked why: once a model, and only about what the snapshot knows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Cause
from modeltop.core.incident import Facts, Note
from modeltop.core.series import SeriesKey, Severity
from modeltop.diagnosis import diagnose
from modeltop.diagnosis.diagnose import case_of, diagnosis_of, focus_series
from modeltop.history.store.paths import family
from modeltop.service.pipeline import Observer

CLOCK = datetime(2025, 4, 1, tzinfo=UTC)
HEADER = "kind,name,period,slot,low,high,rows,score,rate\n"


@pytest.fixture
def folder(tmp_path):
    for model, last in (("good", 0.95), ("bad", 0.8)):
        levels = [0.95 + 0.002 * (day % 3) for day in range(1, 29)] + [last] * 3
        rows = [f"2025-03-{day:02},1000,{level}\n" for day, level in enumerate(levels, 1)]
        (tmp_path / f"{model}.csv").write_text("date,count,accuracy\n" + "".join(rows))
    return tmp_path


class Remembered:
    """A memory that holds some notes and nothing else."""

    def __init__(self, *notes):
        self.notes = notes

    def facts(self):
        return Facts(notes=self.notes)

    def health(self):
        return None


def snapshot_of(folder: Path, *notes: Note):
    return Observer(Config(), [folder], memory=Remembered(*notes) if notes else None).observe(CLOCK)


def test_the_diagnosis_is_about_the_worst_alert_and_repeats_its_severity(folder):
    snapshot = snapshot_of(folder)
    found = diagnosis_of(snapshot, "bad")
    assert (found.severity, found.key) == (Severity.CRITICAL, SeriesKey("bad", "accuracy"))
    assert found.sentence.startswith("accuracy fell suddenly from 0.952 to 0.80 on 2025-03-29")
    assert focus_series(snapshot, "bad") == found.key


def test_a_calm_model_says_its_verdict(folder):
    snapshot = snapshot_of(folder)
    calm = diagnosis_of(snapshot, "good")
    verdict = next(one for one in snapshot.verdicts if one.model == "good")
    assert (calm.sentence, calm.severity, focus_series(snapshot, "good")) == (verdict.sentence, Severity.OK, None)


def test_one_snapshot_is_asked_once_a_model_and_few_snapshots_are_held(folder, monkeypatch):
    asked = []
    real = diagnose.diagnose
    monkeypatch.setattr(diagnose, "diagnose", lambda case: asked.append(case.model) or real(case))
    snapshots = [snapshot_of(folder) for _ in range(4)]
    for snapshot in (*snapshots, snapshots[-1]):
        assert diagnosis_of(snapshot, "bad") is diagnosis_of(snapshot, "bad")
    assert asked == ["bad"] * 4
    assert len(diagnose._known) <= diagnose.MOST


def test_notes_about_the_model_reach_its_case_and_others_do_not(folder):
    at = datetime(2025, 3, 29, tzinfo=UTC)
    notes = [Note(model, "prices changed", "ann", at) for model in ("bad", "*", "g*")]
    snapshot = snapshot_of(folder, *notes)
    assert [note.model for note in case_of(snapshot, "bad").notes] == ["bad", "*"]
    assert diagnosis_of(snapshot, "bad").cause is Cause.BUSINESS


def test_the_evidence_of_the_store_reaches_the_case(folder):
    place = folder / "evidence"
    place.mkdir()
    (place / f"{family('bad')}.csv").write_text(HEADER + "feature,plan,reference,basic,,,8,,\n")
    snapshot = snapshot_of(folder)
    assert list(case_of(snapshot, "bad").exhibits.histograms) == ["plan"]
    assert not case_of(snapshot, "good").exhibits.histograms


def test_a_model_that_nobody_knows_has_nothing_to_say(folder):
    found = diagnosis_of(snapshot_of(folder), "ghost")
    assert (found.key, found.findings, found.severity) == (None, (), Severity.OK)


def test_other_models_that_are_wrong_are_known_by_their_begin(folder):
    snapshot = snapshot_of(folder)
    assert case_of(snapshot, "good").others == {"bad": datetime(2025, 3, 29, tzinfo=UTC)}
    assert case_of(snapshot, "bad").others == {}
