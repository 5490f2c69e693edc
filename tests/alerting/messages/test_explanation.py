"""Why models alert, as messages and reports ask it: once each, of the first few, and never at the price of the news."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.alerting.messages import explanation
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Condition, History, ModelStatus, SeriesKey, Severity, State
from modeltop.rules.label_coverage import LabelCoverage, LabelState
from modeltop.rules.snapshot import Snapshot

NOW = datetime(2025, 1, 10, tzinfo=UTC)


def alert(model, state=State.FIRING):
    key = SeriesKey(model, "accuracy")
    return Alert(model, "floor", key, Condition.THRESHOLD, state, Severity.CRITICAL, NOW, NOW)


def snapshot_of(*models):
    verdicts = tuple(ModelStatus(model, Severity.CRITICAL, f"accuracy of {model} is low") for model in models)
    return Snapshot(NOW, NOW, History({}, {}), MetricRegistry(), (), tuple(map(alert, models)), (), verdicts)


class RecordingDiagnose:
    """Answers what it is asked, or raises; remembers both."""

    def __init__(self, failing=()):
        self.models, self.failing = [], failing

    def __call__(self, _, model):
        self.models.append(model)
        if model in self.failing:
            raise ZeroDivisionError(model)
        return Diagnosis(model, Severity.CRITICAL, None, Verdict(f"{model} fell.", "Why.", "Do."), None, (), ())


def test_a_source_that_cannot_be_read_is_not_diagnosed(diagnose):
    broken = replace(alert("x.csv"), condition=Condition.ERROR)
    cache = ExplanationCache(replace(snapshot_of("x.csv"), alerts=(broken,)))
    assert (cache.diagnosis_for("x.csv"), diagnose.models) == (None, [])


@pytest.fixture
def diagnose(monkeypatch):
    recording = RecordingDiagnose()
    monkeypatch.setattr("modeltop.diagnosis.diagnose.diagnose_model", recording)
    return recording


def test_each_model_is_diagnosed_once_however_often_it_is_reported(diagnose):
    diagnose.failing = ("b",)
    cache = ExplanationCache(snapshot_of("a", "b"))
    verdicts = [cache.text_for(model) for model in "abab"]
    assert verdicts == ["a fell. Why. Do.", "accuracy of b is low"] * 2
    assert diagnose.models == ["a", "b"]


def test_a_failed_diagnosis_is_reported_by_model_and_kind_of_fault(diagnose):
    hostile = "m\x1b[2J"
    diagnose.failing = (hostile,)
    cache = ExplanationCache(snapshot_of(hostile))
    assert (cache.diagnosis_for(hostile), cache.errors) == (
        None,
        (r"no diagnosis of m\x1b[2J: ZeroDivisionError",),
    )


def test_of_many_models_only_so_many_are_diagnosed(diagnose, monkeypatch):
    monkeypatch.setattr(explanation, "MAX_EXPLAINED", 3)
    models = [f"m{number}" for number in range(100)]
    cache = ExplanationCache(snapshot_of(*models))
    assert [cache.verdict_for(model).what for model in models[:4]] == [
        "m0 fell.",
        "m1 fell.",
        "m2 fell.",
        "accuracy of m3 is low",
    ]
    assert diagnose.models == models[:3]


@pytest.mark.parametrize("state", [State.PENDING, State.RESOLVED])
def test_a_model_without_an_active_alert_is_not_diagnosed(state, diagnose):
    snapshot = replace(snapshot_of("a"), alerts=(alert("a", state),))
    assert (ExplanationCache(snapshot).diagnosis_for("a"), diagnose.models) == (None, [])


def test_a_model_that_is_asked_for_is_diagnosed_though_it_does_not_alert(diagnose):
    snapshot = replace(snapshot_of("a"), alerts=())
    assert ExplanationCache(snapshot).diagnosis_for("a") is None
    assert ExplanationCache(snapshot, ["a"]).verdict_for("a").what == "a fell."


def test_missing_labels_are_reported_last(diagnose):
    coverage = LabelCoverage(LabelState.PENDING, NOW, "LABELS PENDING since 2025-01-10: 1 period waits")
    cache = ExplanationCache(replace(snapshot_of("a"), label_coverage={"a": coverage}))
    assert cache.text_for("a") == f"a fell. Why. Do. {coverage.sentence}."


def test_a_missing_newest_value_is_said_last(diagnose):
    missing = "recall has no value on 2025-01-10, evaluated up to 2025-01-09"
    cache = ExplanationCache(replace(snapshot_of("a"), missing_values={"a": missing}))
    assert cache.text_for("a") == f"a fell. Why. Do. {missing}."


def test_a_model_that_is_not_in_the_snapshot_has_no_verdict():
    assert ExplanationCache(snapshot_of("a")).text_for("b") == ""


def test_foreign_text_in_a_verdict_is_made_visible():
    cache = ExplanationCache(replace(snapshot_of("\x1b[2J\u202e"), alerts=()))
    assert cache.text_for("\x1b[2J\u202e") == r"accuracy of \x1b[2J\u202e is low"
