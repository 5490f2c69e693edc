"""The screen of the diagnosis, and what the main screen shows of it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
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
from modeltop.core.errors import StoreError
from modeltop.core.event import NoteAdded
from modeltop.core.incident import Note
from modeltop.core.series import SeriesKey, Severity
from modeltop.service.pipeline import StateReader

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
        await screen.wait_for("┊1 Jan")


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


async def test_enter_opens_the_evidence_on_one_page(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter")
        assert screen.lines[0].startswith("┌fraud: diagnosis──")
        for words in ("▲ CRITICAL", "What  fraud fell", "Why   likely", "Do    Retrain.", "Declining?", "not logged:"):
            assert words in screen.text
        assert screen.status_line.startswith("↑↓ row  ←→ model")


async def test_enter_opens_and_closes_the_row_under_the_cursor(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter", "down")
        assert "+ clause 29" not in screen.text
        await screen.press("enter", "pagedown")
        assert "not logged" in screen.text
        await screen.press("up")
        assert "+ clause 0" in screen.text
        await screen.press("enter")
        assert "+ clause 9" not in screen.text


async def test_a_click_moves_the_cursor_and_a_second_one_opens_or_closes_the_row(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("d")
        row = next(at for at, line in enumerate(screen.lines) if "not logged" in line)
        await screen.pilot.click("DiagnosisPane", offset=(5, row))
        assert "features: `modeltop compute" in screen.text
        await screen.pilot.click("DiagnosisPane", offset=(5, row))
        assert "features: `modeltop compute" not in screen.text


async def test_a_metric_of_the_evidence_opens_its_chart_and_periods_and_escape_comes_back(fleet, run):
    changed = BeforeAfter(SeriesKey("fraud", "recall"), 0.94, 0.84, -0.1, None, None, -9.0, 4)

    def with_changes(snapshot, model):
        return replace(diagnose(snapshot, model), metric_changes=(changed,))

    async with run(fleet, diagnose=with_changes) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter", "down", "down", "enter")
        assert screen.lines[0].startswith("┌fraud: recall, 10 days")
        assert any("┼" in line or "┤" in line for line in screen.lines[1:9]), "its chart"
        assert screen.selection.key.metric == "recall"
        await screen.press("escape")
        assert "fraud: diagnosis" in screen.text


async def test_the_timeline_of_the_incident_is_part_of_the_evidence(make, fleet, run, tmp_path):
    event_log = EventLog(tmp_path)
    event_log.append(NoteAdded(make.clock, Note("fraud", "a release", "ana", make.clock)))
    async with run(fleet, diagnose=diagnose, state_reader=StateReader(tmp_path)) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter")
        await screen.wait_for("note by ana: a release")
        await screen.press("right")
        await screen.wait_for("churn: diagnosis")
        assert "note by ana" not in screen.text


async def test_the_incident_is_acknowledged_from_its_evidence(fleet, run, tmp_path):
    async with run(fleet, diagnose=diagnose, state_reader=StateReader(tmp_path)) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter", "a")
        assert screen.status_line.startswith("Acknowledge fraud. Reason:")
        await screen.press(*"mine", "enter")
        await screen.wait_for("fraud: diagnosis, acknowledged by")
        await screen.wait_for("Timeline")
        assert ": mine" in screen.lines[0]
        await screen.wait_for(" fired: accuracy below 0.90")


@pytest.mark.parametrize(("key", "shown"), [("v", "10 days"), ("S", "Silence"), ("N", "note on fraud"), ("?", "Help")])
async def test_other_keys_about_the_model_work_on_the_evidence_too(fleet, run, tmp_path, key, shown):
    async with run(fleet, diagnose=diagnose, state_reader=StateReader(tmp_path)) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("enter", key)
        assert shown in screen.text


async def test_an_unreadable_event_log_is_named_where_the_timeline_would_be(fleet, run, tmp_path, monkeypatch):
    def fail(_self):
        raise StoreError("/store cannot be read: change its permissions")

    monkeypatch.setattr(EventLog, "events", fail)
    async with run(fleet, diagnose=diagnose, state_reader=StateReader(tmp_path)) as screen:
        await screen.press("enter")
        await screen.wait_for("  /store cannot be read: change its permissions")


@pytest.mark.parametrize("key", ["q", "d", "escape"])
async def test_there_is_more_than_one_way_back(fleet, run, key):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.press("d", key)
        assert "1 Models" in screen.text


async def test_left_and_right_go_to_other_models_and_e_to_the_next_problem(fleet, run):
    async with run(fleet, diagnose=diagnose) as screen:
        await screen.wait_for("fraud fell gradually")
        await screen.press("d", "G", "l")
        await screen.wait_for("churn: diagnosis")
        await screen.wait_for("Declining?")
        await screen.press("right")
        await screen.wait_for("ranker fell gradually")
        await screen.press("e")
        await screen.wait_for("fraud: diagnosis")
        await screen.press("h", "q")
        assert screen.selection.model == "fraud"


async def test_on_a_narrow_screen_down_passes_no_line_unseen(fleet, run):
    def long(snapshot, model):
        return replace(diagnose(snapshot, model), verdict=Verdict(" ".join(f"word{n}" for n in range(40))))

    seen = ""
    async with run(fleet, size=(40, 12), diagnose=long) as screen:
        await screen.press("d")
        await screen.wait_for("word1")
        for _ in range(40):
            seen += screen.text
            await screen.press("down")
        assert not [n for n in range(40) if f"word{n}" not in seen]
        assert "not logged" in screen.text
        await screen.press("home")
        assert "CRITICAL" in screen.text


async def test_a_low_screen_scrolls_and_a_long_sentence_is_one_line_there(fleet, run):
    def long(snapshot, model):
        return replace(diagnose(snapshot, model), verdict=Verdict("very " * 50 + "long"))

    async with run(fleet, size=(80, 12), diagnose=long) as screen:
        await screen.press("d")
        await screen.wait_for("very very")
        assert screen.text.count("What") == 1
        await screen.wait_for("      very")  # there is room for all of it
        await screen.press("down", "enter")
        assert "very v…" in screen.text
        await screen.press("enter")
        assert "long" in screen.text
        await screen.press("G")
        assert "not logged" in screen.text
        await screen.press("g", "k", "k")
        assert "CRITICAL" in screen.text


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
        await screen.wait_for("3 d old")
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
        await screen.press("escape", "d")
        assert screen.status_line == "no model is selected"


async def test_the_key_is_in_help_and_in_the_last_line(fleet, run):
    async with run(fleet) as screen:
        assert "Enter why" in screen.status_line
        await screen.press("?", "/", *"evidence")
        assert "Enter d   why: the evidence" in screen.text
