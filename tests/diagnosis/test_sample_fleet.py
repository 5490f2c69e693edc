"""The sample fleet: each planted incident named and dated, the healthy model silent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Action, Cause, Pattern
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.service.pipeline import Pipeline

FLEET = Path(__file__).parents[2] / "sample_data" / "fleet"
DATED = 2
"""Days that a begin may be off."""


@pytest.fixture(scope="module")
def fleet():
    return Pipeline(Config(), [FLEET]).run(datetime(2025, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("model", "cause", "pattern", "begin", "step"),
    [
        ("triage", Cause.UPSTREAM, Pattern.DROP, datetime(2025, 6, 26, tzinfo=UTC), Action.FIX_PIPELINE),
        ("fraud-detector", Cause.CONCEPT_DRIFT, Pattern.DECLINE, datetime(2025, 4, 20, tzinfo=UTC), Action.RETRAIN),
        ("churn", Cause.DATA_DRIFT, Pattern.DROP, datetime(2025, 6, 20, tzinfo=UTC), Action.RETRAIN),
        ("credit", Cause.THRESHOLD, Pattern.DECLINE, None, Action.MOVE_THRESHOLD),  # its begin: below
        ("ranker", Cause.UNKNOWN, Pattern.SPIKE, datetime(2025, 5, 14, tzinfo=UTC), Action.NOTHING),
        ("recommender", Cause.SEASON, Pattern.SEASONAL, None, Action.NOTHING),
    ],
)
def test_each_planted_incident_is_named(fleet, model, cause, pattern, begin, step):
    found = diagnose_model(fleet, model)
    assert (found.cause, found.series_pattern.pattern, found.actions[0]) == (cause, pattern, step)
    if begin is not None:
        assert abs((found.series_pattern.started_at - begin).days) <= DATED


def test_the_slow_decay_of_credit_is_dated_as_well_as_its_chance_allows(fleet):
    # A day loses a ninth of the deviation of one: of a bend fitted with the true counts to all 180 days, the 95 %
    # interval of the begin is March 31 to April 8. It began to differ on April 2.
    begin = diagnose_model(fleet, "credit").series_pattern.started_at
    assert datetime(2025, 3, 31, tzinfo=UTC) <= begin <= datetime(2025, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("model", ["spam-filter", "recommender", "ranker"])
def test_no_alert_stands_on_the_healthy_the_seasonal_and_what_is_over(fleet, model):
    assert [one for one in fleet.alerts if one.key.model == model and one.resolved is None] == []


def test_the_model_that_stopped_is_an_outage(fleet):
    found = diagnose_model(fleet, "search")
    assert (found.cause, found.series_pattern) == (Cause.OUTAGE, None)
    assert found.sentence.startswith("no rows since 2025-06-18: data outage")


def test_the_healthy_model_is_silent(fleet):
    found = diagnose_model(fleet, "spam-filter")
    assert (found.hypotheses, found.actions, found.other_patterns) == ((), (Action.NOTHING,), ())


def test_confidence_fell_a_week_before_churns_accuracy(fleet):
    because = "; ".join(diagnose_model(fleet, "churn").hypotheses[0].evidence_for)
    assert "confidence fell" in because
    assert "before, on 2025-06-1" in because


def test_every_sentence_has_room_on_two_lines_and_no_verdict_is_changed(fleet):
    for verdict in fleet.model_statuses:
        found = diagnose_model(fleet, verdict.model)
        assert len(found.sentence) <= 160
        assert found.severity is verdict.severity
