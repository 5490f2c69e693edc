"""The diagnosis in messages: it comes first, and its failure stops none."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from modeltop.alerting.routing import NotificationPolicy
from modeltop.config.load import Config
from modeltop.diagnosis import diagnose
from modeltop.diagnosis.diagnose import diagnose_model

FINE, BAD = (0.95, 0.951, 0.949) * 8, 0.85
METRICS = ("accuracy", "precision", "recall", "f1_score")


def test_the_first_line_of_a_message_is_the_verdict(rule_world):
    rule_world.rows("churn", *FINE[:9], BAD)
    rule_world.run_cycle()
    (message,) = rule_world.inboxes["ops"].received
    result = diagnose_model(rule_world.cycle.last_result.snapshot, "churn")
    assert message.text.splitlines()[0] == message.worst_section.verdict == str(result.verdict)
    assert message.worst_section.diagnosis == result


def test_a_failed_diagnosis_stops_no_message(rule_world, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(diagnose, "diagnose_model", fails)
    rule_world.rows("churn", *FINE[:9], BAD)
    rule_world.run_cycle()
    (message,) = rule_world.inboxes["ops"].received
    assert (message.title, message.worst_section.diagnosis) == ("warning churn: accuracy 0.850 < 0.90", None)
    assert message.text.startswith("accuracy 0.850 < 0.90 for 1 day, since 10 Mar\n")
    assert not rule_world.cycle.has_problems


def test_a_model_is_diagnosed_once_for_all_receivers_and_attempts(rule_world, monkeypatch):
    diagnosed = []

    def counted(snapshot, model):
        diagnosed.append(model)
        return diagnose_model(snapshot, model)

    monkeypatch.setattr(diagnose, "diagnose_model", counted)
    rule_world.receivers("ops", "team")
    rule_world.config = replace(rule_world.config, rules=(rule_world.rule(),))
    rule_world.rows("churn", *FINE[:9], BAD)
    rule_world.run_cycle()
    assert [len(rule_world.inboxes[name].received) for name in ("ops", "team")] == [1, 1]
    assert diagnosed == ["churn"]


@pytest.fixture
def falling(world):
    """Four metrics of a model that fall on the same day; the defaults hold."""
    world.config = Config()
    world.receivers("ops", policy=NotificationPolicy())
    first = datetime.fromisoformat("2025-02-12")
    rows = [f"{first + timedelta(days=at):%Y-%m-%d},churn,500,{','.join([f'{value}'] * 4)}" for at, value in
            enumerate((*FINE, BAD, BAD, BAD))]  # fmt: skip
    (world.store / "churn.csv").write_text("\n".join([f"date,model,count,{','.join(METRICS)}", *rows, ""]))
    return world


def test_falls_of_one_model_in_one_cycle_are_one_message_with_one_verdict(falling):
    falling.run_cycle(runs=3)
    (message,) = falling.inboxes["ops"].received
    (section,) = message.sections
    assert {section.metric, *(member.metric for member in section.members)} == set(METRICS)
    result = str(diagnose_model(falling.cycle.last_result.snapshot, "churn").verdict)
    assert message.text.splitlines()[0] == result
    assert message.text.count(result) == 1
