"""How `check` reports a model whose labels are missing: on the first line, by the exit code, in JSON."""

import json

import pytest

HEADER = "date,model,segment,count,accuracy,positive_rate,label_coverage,provisional\n"


@pytest.fixture
def check(run, tmp_path):
    """`check` of a model whose days are given as (accuracy, coverage, waiting for labels)."""

    def write_and_check(*days, words=(), running=()):
        lines = [HEADER]
        for number, (accuracy, coverage, pending) in enumerate([*days, *running], 1):
            cells = f"2025-01-{number:02d},churn,all,1000"
            unfinished = str(number > len(days)).lower()
            lines.append(f"{cells},,0.3,,{unfinished}\n")
            lines.append(f"{cells},{accuracy},,{coverage},{str(pending).lower()}\n")
        (tmp_path / "m.csv").write_text("".join(lines))
        return run("check", "m.csv", *words)

    return write_and_check


GOOD = [(0.95, 0.98, False)] * 10


def test_complete_labels_are_not_mentioned(check):
    outcome = check(*GOOD)
    assert outcome.code == 0
    assert "LABELS" not in outcome.out


def test_pending_labels_are_reported_beside_the_evaluated_periods(check):
    outcome = check(*GOOD, (0.5, 0.4, True), (0.6, 0.2, True))
    assert outcome.code == 0
    assert "LABELS PENDING since 11 Jan: 2 days wait, 30 % of the labels have come" in " ".join(outcome.out.split())


def test_an_unfinished_period_is_not_reported_as_pending(check):
    assert "LABELS" not in check(*GOOD, running=[(0.5, 0.4, True)]).out


def test_without_any_evaluated_period_there_is_no_state(check):
    outcome = check((0.5, 0.02, True), ("", 0, True))
    assert outcome.code == 3
    assert outcome.out.startswith("UNKNOWN: churn NOT ENOUGH LABELS since 1 Jan")
    assert "● ok" not in outcome.out


def test_labels_that_stopped_are_not_reported_as_pending(check):
    assert "NOT ENOUGH LABELS since 11 Jan" in check(*GOOD, ("", 0, False)).out


def test_a_model_with_a_rule_on_a_metric_without_labels_has_a_state(check):
    outcome = check(("", 0, True), ("", 0, True), words=["--above", "positive_rate=0.9"])
    assert outcome.code == 0
    assert "NOT ENOUGH LABELS" in outcome.out


def test_an_active_alert_comes_first(check):
    outcome = check(*GOOD, *[(0.5, 0.98, False)] * 3, (0.5, 0.1, True))
    assert outcome.code == 2
    [model] = json.loads(check(*GOOD, *[(0.5, 0.98, False)] * 3, (0.5, 0.1, True), words=["--json"]).out)["models"]
    assert model["verdict"]["what"].startswith("Accuracy dropped overnight on 11 Jan, 0.95→0.50")
    assert "LABELS PENDING since 14 Jan: 1 day waits" in model["labels"]
