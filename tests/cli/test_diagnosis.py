"""What `check` and `report` say of why: in JSON exactly, and never at the price of the verdict."""

import json

import pytest

from modeltop.diagnosis import diagnose


def test_json_has_the_diagnosis_of_what_alerts_and_null_for_the_rest(run, fleet):
    models = {record["model"]: record for record in json.loads(run("check", fleet, "--json").out)["models"]}
    triage = models["triage"]["diagnosis"]
    assert (triage["severity"], triage["pattern"], triage["since"][:10]) == ("critical", "sudden drop", "2025-06-26")
    assert (triage["metric"], triage["cause"], triage["steps"][0]) == (
        "accuracy",
        "broken upstream",
        "fix the pipeline first",
    )
    assert {name for name, record in models.items() if record["diagnosis"] is None} == {
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
    assert "could not be explained: model_performance_tracking (RuntimeError)" in text
    assert "f1_score 0.845" in text
    assert "secret" not in text


def test_then_the_summary_in_json_is_how_it_stands(run, ten_days, broken):
    outcome = run("check", ten_days, "--json")
    (model,) = json.loads(outcome.out)["models"]
    assert (outcome.code, model["diagnosis"]) == (2, None)
    assert model["summary"] == "f1_score 0.845 < 0.85 for 1 period, since 2025-01-10"


def test_the_text_report_shows_what_a_verdict_rests_on(run, fleet):
    lines = run("report", fleet).lines
    page = lines[next(at for at, line in enumerate(lines) if line.startswith("▲ CRIT  triage")) :]
    titles = [line.strip() for line in page if line.startswith("  ") and line[2] != " "]
    assert titles[:5] == ["How it went", "Causes", "What to do", "Before and after", "Expected and realised"]
    assert page[page.index("  How it went") + 1].startswith("    accuracy: sudden drop since 2025-06-26, -0.1")
