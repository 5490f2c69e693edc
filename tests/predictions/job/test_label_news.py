"""What is said of a model whose labels are missing: on the first line, by the exit code, in JSON."""

import json

import pytest

HEADER = "date,model,segment,count,accuracy,positive_rate,label_coverage,provisional\n"


@pytest.fixture
def judged(run, tmp_path):
    """`check` of a model whose days are given as (accuracy, coverage, waiting for labels)."""

    def check(*days, words=(), running=()):
        lines = [HEADER]
        for number, (accuracy, coverage, waits) in enumerate([*days, *running], 1):
            front = f"2025-01-{number:02d},churn,all,1000"
            over = str(number > len(days)).lower()
            lines.append(f"{front},,0.3,,{over}\n")
            lines.append(f"{front},{accuracy},,{coverage},{str(waits).lower()}\n")
        (tmp_path / "m.csv").write_text("".join(lines))
        return run("check", "m.csv", *words)

    return check


GOOD = [(0.95, 0.98, False)] * 10


def test_labels_that_are_all_there_are_not_spoken_of(judged):
    outcome = judged(*GOOD)
    assert outcome.code == 0
    assert "LABELS" not in outcome.out


def test_labels_to_come_are_said_beside_what_could_be_judged(judged):
    outcome = judged(*GOOD, (0.5, 0.4, True), (0.6, 0.2, True))
    assert outcome.code == 0
    assert "LABELS PENDING since 2025-01-11: 2 periods wait, 30 % are there" in " ".join(outcome.out.split())


def test_a_period_that_still_runs_is_not_said_to_wait(judged):
    assert "LABELS" not in judged(*GOOD, running=[(0.5, 0.4, True)]).out


def test_without_any_judged_period_there_is_no_state(judged):
    outcome = judged((0.5, 0.02, True), ("", 0, True))
    assert outcome.code == 3
    assert outcome.out.startswith("UNKNOWN: churn NOT ENOUGH LABELS since 2025-01-01")
    assert "● ok" not in outcome.out


def test_labels_that_stopped_are_not_said_to_come(judged):
    assert "NOT ENOUGH LABELS since 2025-01-11" in judged(*GOOD, ("", 0, False)).out


def test_a_model_that_is_judged_by_what_needs_no_label_has_a_state(judged):
    outcome = judged(("", 0, True), ("", 0, True), words=["--above", "positive_rate=0.9"])
    assert outcome.code == 0
    assert "NOT ENOUGH LABELS" in outcome.out


def test_an_alert_that_stands_comes_first(judged):
    outcome = judged(*GOOD, *[(0.5, 0.98, False)] * 3, (0.5, 0.1, True))
    assert outcome.code == 2
    [model] = json.loads(judged(*GOOD, *[(0.5, 0.98, False)] * 3, (0.5, 0.1, True), words=["--json"]).out)["models"]
    assert model["summary"].startswith("accuracy fell suddenly from 0.95 to 0.50 on 2025-01-11: ")
    assert "LABELS PENDING since 2025-01-14: 1 period waits" in model["summary"]
