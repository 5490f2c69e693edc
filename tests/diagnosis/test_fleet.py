"""The sample fleet: each planted incident named and dated, the healthy model silent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Cause, Pattern, Step
from modeltop.diagnosis.diagnose import diagnosis_of
from modeltop.service.pipeline import Observer

FLEET = Path(__file__).parents[2] / "sample_data" / "fleet"
DATED = 2
"""Days that a begin may be off."""


@pytest.fixture(scope="module")
def fleet():
    return Observer(Config(), [FLEET]).observe(datetime(2025, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("model", "cause", "pattern", "begin", "step"),
    [
        ("triage", Cause.UPSTREAM, Pattern.DROP, datetime(2025, 6, 26, tzinfo=UTC), Step.FIX_PIPELINE),
        ("fraud-detector", Cause.CONCEPT_DRIFT, Pattern.DECLINE, datetime(2025, 4, 20, tzinfo=UTC), Step.RETRAIN),
        ("churn", Cause.DATA_DRIFT, Pattern.DROP, datetime(2025, 6, 20, tzinfo=UTC), Step.RETRAIN),
        ("credit", Cause.THRESHOLD, Pattern.DECLINE, None, Step.MOVE_THRESHOLD),  # its begin: below
        ("ranker", Cause.UNKNOWN, Pattern.SPIKE, datetime(2025, 5, 14, tzinfo=UTC), Step.NOTHING),
        ("recommender", Cause.SEASON, Pattern.SEASONAL, None, Step.NOTHING),
    ],
)
def test_each_planted_incident_is_named(fleet, model, cause, pattern, begin, step):
    found = diagnosis_of(fleet, model)
    assert (found.cause, found.course.pattern, found.steps[0]) == (cause, pattern, step)
    if begin is not None:
        assert abs((found.course.begin - begin).days) <= DATED


def test_the_slow_decay_of_credit_is_dated_as_well_as_its_chance_allows(fleet):
    # A day loses a ninth of the deviation of one: of a bend fitted with the true counts to all 180 days, the 95 %
    # interval of the begin is March 31 to April 8. It began to differ on April 2.
    begin = diagnosis_of(fleet, "credit").course.begin
    assert datetime(2025, 3, 31, tzinfo=UTC) <= begin <= datetime(2025, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("model", ["spam-filter", "recommender", "ranker"])
def test_no_alert_stands_on_the_healthy_the_seasonal_and_what_is_over(fleet, model):
    assert [one for one in fleet.episodes if one.key.model == model and one.resolved is None] == []


def test_the_model_that_stopped_is_an_outage(fleet):
    found = diagnosis_of(fleet, "search")
    assert (found.cause, found.course) == (Cause.OUTAGE, None)
    assert found.sentence.startswith("no rows since 2025-06-18: data outage")


def test_the_healthy_model_is_silent(fleet):
    found = diagnosis_of(fleet, "spam-filter")
    assert (found.findings, found.steps, found.courses) == ((), (Step.NOTHING,), ())


def test_confidence_fell_a_week_before_churns_accuracy(fleet):
    because = "; ".join(diagnosis_of(fleet, "churn").findings[0].because)
    assert "confidence fell" in because
    assert "before, on 2025-06-1" in because


def test_every_sentence_has_room_on_two_lines_and_no_verdict_is_changed(fleet):
    for verdict in fleet.verdicts:
        found = diagnosis_of(fleet, verdict.model)
        assert len(found.sentence) <= 160
        assert found.severity is verdict.severity
