"""The verdict on its way to people: first in every message, and never what keeps one back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from modeltop.alerting.routing import NotificationPolicy
from modeltop.diagnosis import diagnose
from modeltop.diagnosis.diagnose import diagnose_model

FINE, BAD = (0.95, 0.951, 0.949) * 8, 0.85
METRICS = ("accuracy", "precision", "recall", "f1_score")


def test_the_first_line_of_a_message_is_the_verdict(ruled):
    ruled.rows("churn", *FINE[:9], BAD)
    ruled.cycle()
    (message,) = ruled.boxes["ops"].got
    found = diagnose_model(ruled.rounds.last_result.snapshot, "churn")
    assert message.text.splitlines()[0] == message.worst_section.verdict == found.sentence
    assert message.worst_section.diagnosis == found


def test_a_verdict_that_cannot_be_found_stops_no_message(ruled, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(diagnose, "diagnose_model", fails)
    ruled.rows("churn", *FINE[:9], BAD)
    ruled.cycle()
    (message,) = ruled.boxes["ops"].got
    assert (message.title, message.worst_section.diagnosis) == ("WARN churn: accuracy 0.85 < 0.90", None)
    assert message.text.startswith("accuracy 0.85 < 0.90 for 1 period, since 2025-03-10\n")
    assert not ruled.rounds.has_problems


def test_a_model_is_asked_about_once_for_all_receivers_and_attempts(ruled, monkeypatch):
    asked = []

    def counted(snapshot, model):
        asked.append(model)
        return diagnose_model(snapshot, model)

    monkeypatch.setattr(diagnose, "diagnose_model", counted)
    ruled.receivers("ops", "team")
    ruled.config = replace(ruled.config, rules=(ruled.rule(),))
    ruled.rows("churn", *FINE[:9], BAD)
    ruled.cycle()
    assert [len(ruled.boxes[name].got) for name in ("ops", "team")] == [1, 1]
    assert asked == ["churn"]


@pytest.fixture
def falling(world):
    """Four metrics of a model that fall on the same day; the defaults hold."""
    world.receivers("ops", pace=NotificationPolicy())
    first = datetime.fromisoformat("2025-02-12")
    rows = [f"{first + timedelta(days=at):%Y-%m-%d},churn,500,{','.join([f'{value}'] * 4)}" for at, value in
            enumerate((*FINE, BAD, BAD, BAD))]  # fmt: skip
    (world.store / "churn.csv").write_text("\n".join([f"date,model,count,{','.join(METRICS)}", *rows, ""]))
    return world


def test_falls_of_one_model_in_one_cycle_are_one_message_with_one_verdict(falling):
    falling.cycle(looks=3)
    (message,) = falling.boxes["ops"].got
    assert {part.metric for part in message.sections if part.rule == "default-fall"} == set(METRICS)
    found = diagnose_model(falling.rounds.last_result.snapshot, "churn").sentence
    assert message.text.splitlines()[0] == f"churn: {found}"
    assert message.text.count(found) == 1
