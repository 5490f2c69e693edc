"""The sample fleet: each planted incident named and dated, the healthy model silent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Action, Cause, Pattern
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.service.pipeline import Pipeline

FLEET = Path(__file__).parents[2] / "sample_data" / "fleet"
MAX_DAYS_OFF = 2
"""Tolerance of a start."""


@pytest.fixture(scope="module")
def fleet():
    return Pipeline(Config(), [FLEET]).run(datetime(2025, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("model", "cause", "pattern", "start", "action"),
    [
        ("triage", Cause.UPSTREAM, Pattern.DROP, datetime(2025, 6, 26, tzinfo=UTC), Action.FIX_PIPELINE),
        ("fraud-detector", Cause.CONCEPT_DRIFT, Pattern.DECLINE, datetime(2025, 4, 20, tzinfo=UTC), Action.RETRAIN),
        ("churn", Cause.DATA_DRIFT, Pattern.DROP, datetime(2025, 6, 20, tzinfo=UTC), Action.RETRAIN),
        ("credit", Cause.THRESHOLD, Pattern.DECLINE, None, Action.MOVE_THRESHOLD),  # its start: below
        ("ranker", Cause.UNKNOWN, Pattern.SPIKE, datetime(2025, 5, 14, tzinfo=UTC), Action.NOTHING),
        ("recommender", Cause.SEASON, Pattern.SEASONAL, None, Action.NOTHING),
    ],
)
def test_each_planted_incident_is_named(fleet, model, cause, pattern, start, action):
    diagnosis = diagnose_model(fleet, model)
    assert (diagnosis.cause, diagnosis.series_pattern.pattern, diagnosis.actions[0]) == (cause, pattern, action)
    if start is not None:
        assert abs((diagnosis.series_pattern.started_at - start).days) <= MAX_DAYS_OFF


def test_the_slow_decay_of_credit_is_dated_as_well_as_its_noise_allows(fleet):
    # A day loses a ninth of the deviation of one: of a bend fitted with the true counts to all 180 days, the 95 %
    # interval of the start is March 31 to April 8. It began to differ on April 2.
    start = diagnose_model(fleet, "credit").series_pattern.started_at
    assert datetime(2025, 3, 31, tzinfo=UTC) <= start <= datetime(2025, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("model", ["spam-filter", "recommender", "ranker"])
def test_no_alert_is_active_on_the_healthy_the_seasonal_and_what_is_over(fleet, model):
    assert not [alert for alert in fleet.alerts if alert.key.model == model and alert.resolved is None]


def test_the_model_that_stopped_is_an_outage(fleet):
    diagnosis = diagnose_model(fleet, "search")
    assert (diagnosis.cause, diagnosis.series_pattern) == (Cause.OUTAGE, None)
    assert diagnosis.sentence.startswith("no rows since 2025-06-18: data outage")


def test_the_healthy_model_has_no_hypotheses(fleet):
    diagnosis = diagnose_model(fleet, "spam-filter")
    assert (diagnosis.hypotheses, diagnosis.actions, diagnosis.other_patterns) == ((), (Action.NOTHING,), ())


def test_confidence_fell_a_week_before_churns_accuracy(fleet):
    because = "; ".join(diagnose_model(fleet, "churn").hypotheses[0].evidence_for)
    assert "confidence fell" in because
    assert "before, on 2025-06-1" in because


def test_every_sentence_has_room_on_two_lines_and_no_severity_is_changed(fleet):
    for status in fleet.model_statuses:
        diagnosis = diagnose_model(fleet, status.model)
        assert len(diagnosis.sentence) <= 160
        assert diagnosis.severity is status.severity
