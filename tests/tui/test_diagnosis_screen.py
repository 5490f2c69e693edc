"""The screen of the diagnosis, and what the main screen shows of it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import (
    Action,
    Cause,
    CauseHypothesis,
    Certainty,
    Diagnosis,
    Pattern,
    Question,
    SeriesPattern,
    TrendOutlook,
    Verdict,
)
from modeltop.core.series import SeriesKey, Severity

STARTED_AT = datetime(2025, 1, 7, tzinfo=UTC)


def diagnose(_snapshot, model):
    """The diagnosis of each model of the fleet."""
    key = SeriesKey(model, "f1_score" if model == "fraud" else "accuracy")
    pattern = SeriesPattern(key, Pattern.DECLINE, STARTED_AT, -0.06, 0.9)
    clauses = tuple(f"clause {number}" for number in range(30))
    hypotheses = (CauseHypothesis(Cause.DATA_DRIFT, 0.8, clauses, certainty=Certainty.LIKELY),)
    severity = {"fraud": Severity.CRITICAL, "churn": Severity.WARNING}.get(model, Severity.OK)
    verdict = Verdict(f"{model} fell gradually.", "Data drift.", "Retrain.")
    questions = (Question("Declining?", "yes", "it fell"),)
    return Diagnosis(model, severity, key, verdict, pattern, hypotheses, (Action.RETRAIN,), questions)


async def test_the_diagnosis_replaces_the_status_of_the_model(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually.")
        assert "f1_score 0.845 < 0.85 for 1" not in screen.text


async def test_the_start_of_a_change_of_the_selected_series_is_drawn(fleet, run):
    key = SeriesKey("fraud", "f1_score")
    async with run(fleet, outlook=TrendOutlook(SeriesPattern(key, Pattern.DECLINE, STARTED_AT, -0.06, 0.9))) as screen:
        await screen.wait_for("┊decline")


async def test_until_then_the_status_is_shown(fleet, run):
    gate = threading.Event()

    def slow(snapshot, model):
        gate.wait(5)
        return diagnose(snapshot, model)

    async with run(fleet, diagnose=slow) as screen:
        assert "f1_score 0.845 < 0.85 for 1" in screen.text
        await screen.press("d")
        assert "analyzing..." in screen.text
        gate.set()
        await screen.wait_for("likely    data drift")


async def test_the_screen_opens_scrolls_and_closes_by_the_same_keys_as_others(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("d")
        assert screen.lines[0].startswith("┌Diagnosis of fraud──")
        assert "Five questions" in screen.text
        await screen.press("G")
        assert "Reliability" in screen.text
        assert "Five questions" not in screen.text
        assert "fraud fell gradually" in screen.lines[1]
        await screen.press("g", "j", "pagedown")
        assert "Causes" not in screen.text
        await screen.press("d")
        assert "1 Models" in screen.text


@pytest.mark.parametrize("key", ["q", "d", "escape"])
async def test_there_is_more_than_one_way_back(fleet, run, key):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.press("d", key)
        assert "1 Models" in screen.text


async def test_left_and_right_go_to_other_models_and_e_to_the_next_problem(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("d", "G", "l")
        await screen.wait_for("Diagnosis of churn")
        await screen.wait_for("Five questions")
        await screen.press("right")
        await screen.wait_for("ranker fell gradually")
        await screen.press("e")
        await screen.wait_for("Diagnosis of fraud")
        await screen.press("h", "q")
        assert screen.selection.model == "fraud"


async def test_a_long_sentence_scrolls_where_the_screen_is_low(fleet, run):
    def long(snapshot, model):
        return replace(diagnose(snapshot, model), verdict=Verdict("very " * 60 + "long"))

    async with run(fleet, size=(60, 18), diagnose=long) as screen:
        await screen.press("d")
        await screen.wait_for("very very")
        await screen.press("G")
        assert "very" not in screen.text
        assert "Reliability" in screen.text


async def test_in_ascii_nothing_above_127_is_drawn(fleet, run):
    async with run(fleet, diagnose=diagnose, ascii=True) as screen:
        await screen.wait_for("fraud fell gradually")
        assert screen.text.isascii()
        await screen.press("d")
        assert screen.text.isascii()
        assert "+ clause 1" in screen.text


async def test_new_data_does_not_take_away_the_old_diagnosis(make, fleet, run):
    gate = threading.Event()
    gate.set()

    def slow_diagnose(snapshot, model):
        gate.wait(5)
        return diagnose(snapshot, model)

    async with run(fleet, diagnose=slow_diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        gate.clear()
        screen.deliver(replace(fleet, clock=fleet.clock + 3 * make.day))
        await screen.press("r")
        await screen.wait_for("3d old")
        assert "fraud fell gradually" in screen.text
        gate.set()


async def test_a_failed_diagnosis_leaves_what_is_wrong_on_the_screen(fleet, run):
    def broken(_snapshot, _model):
        raise KeyError("oh")

    async with run(fleet, diagnose=broken) as screen:
        await screen.press("d")
        await screen.wait_for("The diagnosis failed: KeyError")
        assert "f1_score 0.845 < 0.85" in screen.text
        await screen.press("q")
        assert screen.app.is_running


async def test_d_without_a_model_says_so(make, run):
    async with run(make.snapshot()) as screen:
        await screen.press("d")
        assert screen.status_line == "no model is selected"


async def test_the_key_is_in_help_and_in_the_last_line(fleet, run):
    async with run(fleet) as screen:
        assert "d why" in screen.status_line
        await screen.press("?", "pagedown", "pagedown")
        assert "diagnosis: what happened, why, and what to do" in screen.text
