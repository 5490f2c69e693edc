"""Which target is diagnosed first, and which result stands until then."""

import threading
import time

import pytest

from modeltop.core.series import SeriesKey
from modeltop_tui.workers.diagnosis import DiagnosisWorker, diagnose_target


class FakeDiagnosis:
    """Records the targets, waits at its gate, and returns or raises the prepared answers."""

    def __init__(self):
        self.requested, self.results, self.answers = [], [], {}
        self.gate = threading.Event()
        self.gate.set()
        self.worker = DiagnosisWorker(self.diagnose, self.results.append)

    def diagnose(self, _snapshot, model):
        self.requested.append(model)
        self.gate.wait(5)
        answer = self.answers.get(model, str(model).upper())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_for(self, count):
        end = time.monotonic() + 5
        while len(self.results) < count and time.monotonic() < end:
            time.sleep(0.005)
        assert len(self.results) >= count


@pytest.fixture
def fake():
    fake_diagnosis = FakeDiagnosis()
    yield fake_diagnosis
    fake_diagnosis.gate.set()
    fake_diagnosis.worker.stop()


def test_the_selected_model_comes_first_and_each_is_diagnosed_once(fake):
    snapshot = object()
    fake.worker.request(snapshot, ["b", "a"])
    fake.wait_for(2)
    fake.worker.request(snapshot, ["a", "b", "c"])
    fake.wait_for(3)
    assert fake.requested == fake.results == ["b", "a", "c"]
    assert fake.worker.result_for("a") == "A"
    assert fake.worker.result_for("z") is fake.worker.result_for(None) is None


def test_models_that_a_held_key_passes_are_not_diagnosed(fake):
    snapshot = object()
    for name in "abcdefgh":
        fake.worker.request(snapshot, [name])
    fake.wait_for(1)
    assert fake.requested == ["h"]


def test_a_request_replaces_what_is_left_of_the_last(fake):
    snapshot = object()
    fake.gate.clear()
    fake.worker.request(snapshot, ["a", "b", "c"])
    while not fake.requested:
        time.sleep(0.005)
    fake.worker.request(snapshot, ["z"])
    fake.gate.set()
    fake.wait_for(2)
    assert fake.requested == ["a", "z"]


def test_a_new_snapshot_is_diagnosed_again_and_the_old_result_stands_until_then(fake):
    fake.worker.request(object(), ["a"])
    fake.wait_for(1)
    fake.gate.clear()
    fake.answers["a"] = "newer"
    fake.worker.request(object(), ["a"])
    assert fake.worker.result_for("a") == "A"
    fake.gate.set()
    fake.wait_for(2)
    assert fake.worker.result_for("a") == "newer"


def test_a_failure_is_reported_beside_the_status_and_the_next_target_is_diagnosed(make, fake):
    fake.answers["fraud"] = ValueError("no\x1bsense")
    fake.worker.request(make.snapshot(*make.ten_days()), ["fraud", "b"])
    fake.wait_for(2)
    result = fake.worker.result_for("fraud")
    assert result.verdict.what.startswith("f1_score 0.845 < 0.85")
    assert result.verdict.why == "The diagnosis failed: ValueError: no\\x1bsense."
    assert fake.worker.result_for("b") == "B"


def test_a_series_that_fails_is_left_without_an_outlook(fake):
    key = SeriesKey("m", "accuracy")
    fake.answers[key] = ValueError("no sense")
    fake.worker.request(object(), [key])
    fake.wait_for(1)
    assert fake.worker.result_for(key) is None


def test_a_model_has_a_diagnosis_and_a_series_an_outlook(make):
    snapshot = make.snapshot(*make.ten_days())
    assert diagnose_target(snapshot, "fraud").model == "fraud"
    assert diagnose_target(snapshot, SeriesKey("fraud", "recall")).series_pattern.key == SeriesKey("fraud", "recall")


def test_nothing_is_diagnosed_after_the_stop(fake):
    fake.worker.stop()
    fake.worker.request(object(), ["a"])
    assert fake.requested == []


def test_the_cache_forgets_the_oldest_results(fake, monkeypatch):
    monkeypatch.setattr("modeltop_tui.workers.diagnosis.CACHE_SIZE", 3)
    for count, name in enumerate("abcde", 1):
        fake.worker.request(object(), [name])
        fake.wait_for(count)
    assert [name for name in "abcde" if fake.worker.result_for(name)] == ["c", "d", "e"]
