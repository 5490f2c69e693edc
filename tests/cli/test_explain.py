"""`modeltop check MODEL --explain`: the five questions and the evidence, of a model that is ok as well."""

import json

import pytest

QUESTIONS = ["Declining?", "Less reliable?", "Less confident?", "Data changed?", "Retrain?"]


def test_a_model_that_alerts_is_explained(run, fleet):
    outcome = run("check", fleet, "triage", "--explain")
    assert outcome.code == 2
    assert outcome.lines[0].startswith("▲ critical triage: Accuracy dropped overnight on 26 Jun")
    assert all(any(line.strip().startswith(question) for line in outcome.lines) for question in QUESTIONS)
    assert "fraud-detector" not in outcome.out


def test_a_model_that_is_ok_is_explained_where_it_is_named(run, fleet):
    outcome = run("check", fleet, "spam-filter", "--explain")
    assert outcome.lines[0] == "● ok spam-filter: all 5 metrics within limits and baseline."
    assert any(line.strip().startswith("Declining?       no: accuracy is 0.98") for line in outcome.lines)


def test_without_a_name_every_model_is_explained(run, fleet):
    outcome = run("check", fleet, "--explain", "--json")
    models = json.loads(outcome.out)["models"]
    assert all([item["question"] for item in model["questions"]] == QUESTIONS for model in models)


@pytest.mark.parametrize("words", [["tirage", "--explain"], ["tirage", "--explain", "--json"]])
def test_a_model_that_is_not_there_is_named_with_those_that_are(run, fleet, words):
    outcome = run("check", fleet, *words)
    assert outcome.code == 3
    assert "no model tirage; the models are triage, churn" in outcome.err
