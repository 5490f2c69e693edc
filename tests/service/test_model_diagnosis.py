"""Diagnoses of a snapshot: once a model, from what the snapshot holds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Cause
from modeltop.core.incident import AlertingState, Note
from modeltop.core.series import SeriesKey, Severity
from modeltop.diagnosis import diagnose
from modeltop.diagnosis.diagnose import context_for, diagnose_model
from modeltop.history.store.paths import file_prefix
from modeltop.service.pipeline import Pipeline

CLOCK = datetime(2025, 4, 1, tzinfo=UTC)
HEADER = "kind,name,period,slot,low,high,rows,score,rate\n"


@pytest.fixture
def folder(tmp_path):
    for model, last in (("good", 0.95), ("bad", 0.8)):
        levels = [0.95 + 0.002 * (day % 3) for day in range(1, 29)] + [last] * 3
        rows = [f"2025-03-{day:02},1000,{level}\n" for day, level in enumerate(levels, 1)]
        (tmp_path / f"{model}.csv").write_text("date,count,accuracy\n" + "".join(rows))
    return tmp_path


class FakeStateReader:
    """A state reader with notes and nothing else."""

    def __init__(self, *notes):
        self.notes = notes

    def alerting_state(self):
        return AlertingState(notes=self.notes)

    def watcher_health(self):
        return None


def snapshot_of(folder: Path, *notes: Note):
    return Pipeline(Config(), [folder], state_reader=FakeStateReader(*notes) if notes else None).run(CLOCK)


def test_the_diagnosis_is_about_the_worst_alert_and_repeats_its_severity(folder):
    snapshot = snapshot_of(folder)
    diagnosis = diagnose_model(snapshot, "bad")
    assert (diagnosis.severity, diagnosis.key) == (Severity.CRITICAL, SeriesKey("bad", "accuracy"))
    assert diagnosis.verdict.what.startswith("Accuracy dropped overnight on 29 Mar, 0.952→0.800")


def test_a_model_without_alerts_is_ok(folder):
    snapshot = snapshot_of(folder)
    healthy = diagnose_model(snapshot, "good")
    assert healthy.verdict.what == "ok: its metric is within limits and baseline."
    assert (healthy.severity, healthy.key) == (Severity.OK, None)


def test_a_snapshot_is_diagnosed_once_per_model_and_few_snapshots_are_cached(folder, monkeypatch):
    diagnosed = []
    original = diagnose.diagnose
    monkeypatch.setattr(diagnose, "diagnose", lambda case: diagnosed.append(case.model) or original(case))
    snapshots = [snapshot_of(folder) for _ in range(4)]
    for snapshot in (*snapshots, snapshots[-1]):
        assert diagnose_model(snapshot, "bad") is diagnose_model(snapshot, "bad")
    assert diagnosed == ["bad"] * 4
    cache = diagnose._cached_diagnoses.cache_info()
    assert cache.currsize == cache.maxsize == 2


def test_only_notes_about_the_model_reach_its_context(folder):
    at = datetime(2025, 3, 29, tzinfo=UTC)
    notes = [Note(model, "prices changed", "ann", at) for model in ("bad", "*", "g*")]
    snapshot = snapshot_of(folder, *notes)
    assert [note.model for note in context_for(snapshot, "bad").notes] == ["bad", "*"]
    assert diagnose_model(snapshot, "bad").cause is Cause.BUSINESS


def test_the_distributions_of_the_store_reach_the_context(folder):
    evidence_folder = folder / "evidence"
    evidence_folder.mkdir()
    (evidence_folder / f"{file_prefix('bad')}.csv").write_text(HEADER + "feature,plan,reference,basic,,,8,,\n")
    snapshot = snapshot_of(folder)
    assert list(context_for(snapshot, "bad").distributions.histograms) == ["plan"]
    assert not context_for(snapshot, "good").distributions.histograms


def test_an_unknown_model_has_an_empty_diagnosis(folder):
    diagnosis = diagnose_model(snapshot_of(folder), "ghost")
    assert (diagnosis.key, diagnosis.hypotheses, diagnosis.severity) == (None, (), Severity.OK)


def test_other_failing_models_are_listed_with_their_start(folder):
    snapshot = snapshot_of(folder)
    assert context_for(snapshot, "good").other_failures_since == {"bad": datetime(2025, 3, 29, tzinfo=UTC)}
    assert context_for(snapshot, "bad").other_failures_since == {}
