"""What `check` and `report` say of why: in JSON exactly, and never at the price of the verdict."""

import json

import pytest

from modeltop.diagnosis import diagnose


def test_json_has_the_verdict_of_all_and_the_questions_of_what_alerts(run, fleet):
    models = {record["model"]: record for record in json.loads(run("check", fleet, "--json").out)["models"]}
    triage = models["triage"]
    assert triage["verdict"] == {
        "what": "Accuracy dropped overnight on 26 Jun, 0.951→0.816; 0.846 now.",
        "why": "Cause unclear: broken input or concept drift.",
        "do": "Check what shipped on 26 Jun; do not retrain yet.",
    }
    assert [question["question"] for question in triage["questions"]][::4] == ["Declining?", "Retrain?"]
    assert [(cause["cause"], cause["certainty"]) for cause in triage["causes"]] == [
        ("broken input", "unclear"),
        ("concept drift", "unclear"),
    ]
    assert {name for name, record in models.items() if not record["questions"]} == {
        "ranker",
        "recommender",
        "spam-filter",
    }


@pytest.fixture
def broken(monkeypatch):
    """No diagnosis can be made."""

    def fails(*_):
        raise RuntimeError("\x1b[2J a secret")

    monkeypatch.setattr(diagnose, "diagnose_model", fails)


@pytest.mark.parametrize(
    "words", [("check",), *(("report", "--format", form) for form in ("text", "markdown", "html"))]
)
def test_a_diagnosis_that_fails_stops_nothing_and_is_reported(run, ten_days, broken, words):
    outcome = run(words[0], ten_days, *words[1:])
    assert outcome.code == (2 if words[0] == "check" else 0)
    text = " ".join(outcome.out.split())
    assert "no diagnosis of model_performance_tracking: RuntimeError" in text
    assert "f1_score 0.845" in text
    assert "secret" not in text


def test_then_the_verdict_in_json_is_the_status(run, ten_days, broken):
    outcome = run("check", ten_days, "--json")
    (model,) = json.loads(outcome.out)["models"]
    assert (outcome.code, model["questions"], model["causes"]) == (2, [], [])
    assert model["verdict"]["what"] == "accuracy 0.870 < 0.90 for 2 days, since 9 Jan"


def test_the_text_report_shows_what_a_verdict_rests_on(run, fleet):
    lines = run("report", fleet).lines
    page = lines[next(at for at, line in enumerate(lines) if line.startswith("▲ critical triage")) :]
    titles = [line.strip() for line in page if line.startswith("  ") and line[2] != " "]
    assert titles[:4] == ["Five questions", "Causes", "What to do", "Before and after"]
    answer = page[page.index("  Five questions") + 1]
    assert answer.startswith("    Declining?       yes: accuracy dropped overnight on 26 Jun")
