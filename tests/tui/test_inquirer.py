"""Who finds out about models, in which order, and what is known meanwhile."""

import threading
import time

import pytest

from modeltop.core.series import SeriesKey
from modeltop_tui.workers.diagnosis import DiagnosisWorker, diagnose_target


class Lookout:
    """Counts what is asked, waits where it is told to, and says what it likes."""

    def __init__(self):
        self.asked, self.told, self.answers = [], [], {}
        self.gate = threading.Event()
        self.gate.set()
        self.inquirer = DiagnosisWorker(self.look, self.told.append)

    def look(self, _snapshot, model):
        self.asked.append(model)
        self.gate.wait(5)
        answer = self.answers.get(model, str(model).upper())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def until(self, count):
        end = time.monotonic() + 5
        while len(self.told) < count and time.monotonic() < end:
            time.sleep(0.005)
        assert len(self.told) >= count


@pytest.fixture
def lookout():
    made = Lookout()
    yield made
    made.gate.set()
    made.inquirer.stop()


def test_the_selected_model_comes_first_and_each_is_looked_into_once(lookout):
    snapshot = object()
    lookout.inquirer.request(snapshot, ["b", "a"])
    lookout.until(2)
    lookout.inquirer.request(snapshot, ["a", "b", "c"])
    lookout.until(3)
    assert lookout.asked == lookout.told == ["b", "a", "c"]
    assert lookout.inquirer.result_for("a") == "A"
    assert lookout.inquirer.result_for("z") is lookout.inquirer.result_for(None) is None


def test_models_that_a_held_key_passes_are_not_looked_into(lookout):
    snapshot = object()
    for name in "abcdefgh":
        lookout.inquirer.request(snapshot, [name])
    lookout.until(1)
    assert lookout.asked == ["h"]


def test_another_question_takes_the_place_of_what_is_left_of_the_last(lookout):
    snapshot = object()
    lookout.gate.clear()
    lookout.inquirer.request(snapshot, ["a", "b", "c"])
    while not lookout.asked:
        time.sleep(0.005)
    lookout.inquirer.request(snapshot, ["z"])
    lookout.gate.set()
    lookout.until(2)
    assert lookout.asked == ["a", "z"]


def test_a_new_look_is_looked_into_anew_and_the_old_answer_stands_until_then(lookout):
    lookout.inquirer.request(object(), ["a"])
    lookout.until(1)
    lookout.gate.clear()
    lookout.answers["a"] = "newer"
    lookout.inquirer.request(object(), ["a"])
    assert lookout.inquirer.result_for("a") == "A"
    lookout.gate.set()
    lookout.until(2)
    assert lookout.inquirer.result_for("a") == "newer"


def test_a_failure_is_said_beside_what_is_wrong_and_the_next_is_looked_into(make, lookout):
    lookout.answers["fraud"] = ValueError("no\x1bsense")
    lookout.inquirer.request(make.snapshot(*make.ten_days()), ["fraud", "b"])
    lookout.until(2)
    found = lookout.inquirer.result_for("fraud")
    assert found.sentence.startswith("f1_score 0.845 < 0.85")
    assert found.advice == "the diagnosis failed: ValueError: no\\x1bsense; please report it"
    assert lookout.inquirer.result_for("b") == "B"


def test_a_series_that_fails_is_left_without_an_outlook(lookout):
    key = SeriesKey("m", "accuracy")
    lookout.answers[key] = ValueError("no sense")
    lookout.inquirer.request(object(), [key])
    lookout.until(1)
    assert lookout.inquirer.result_for(key) is None


def test_a_model_is_asked_why_and_a_series_how_it_went(make):
    snapshot = make.snapshot(*make.ten_days())
    assert diagnose_target(snapshot, "fraud").model == "fraud"
    assert diagnose_target(snapshot, SeriesKey("fraud", "recall")).series_pattern.key == SeriesKey("fraud", "recall")


def test_nothing_is_begun_after_the_end(lookout):
    lookout.inquirer.stop()
    lookout.inquirer.request(object(), ["a"])
    assert lookout.asked == []


def test_no_more_than_some_models_are_remembered(lookout, monkeypatch):
    monkeypatch.setattr("modeltop_tui.workers.diagnosis.CACHE_SIZE", 3)
    for count, name in enumerate("abcde", 1):
        lookout.inquirer.request(object(), [name])
        lookout.until(count)
    assert [name for name in "abcde" if lookout.inquirer.result_for(name)] == ["c", "d", "e"]
