"""The sample fleet: each planted incident named and dated, the healthy model silent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Action, Cause, Pattern
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.service.pipeline import Pipeline

FLEET = Path(__file__).parents[2] / "sample_data" / "fleet"
MAX_DAYS_OFF = 3
"""Tolerance of a start: that of a slide is the one that was known shortly after it fired."""


@pytest.fixture(scope="module")
def fleet():
    return Pipeline(Config(), [FLEET]).run(datetime(2025, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("model", "cause", "pattern", "start", "action"),
    [
        ("triage", Cause.UPSTREAM, Pattern.DROP, datetime(2025, 6, 26, tzinfo=UTC), Action.INVESTIGATE),
        ("fraud-detector", Cause.CONCEPT_DRIFT, Pattern.DECLINE, datetime(2025, 4, 20, tzinfo=UTC), Action.INVESTIGATE),
        ("churn", Cause.DATA_DRIFT, Pattern.DROP, datetime(2025, 6, 20, tzinfo=UTC), Action.COMPARE_INPUTS),
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
    # interval of the start is March 31 to April 8. It began to differ on April 2. The incident's start is that of the
    # data shortly after it fired.
    start = diagnose_model(fleet, "credit").series_pattern.started_at
    assert datetime(2025, 3, 31, tzinfo=UTC) <= start <= datetime(2025, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize("model", ["spam-filter", "recommender", "ranker"])
def test_no_alert_is_active_on_the_healthy_the_seasonal_and_what_is_over(fleet, model):
    assert not [alert for alert in fleet.alerts if alert.key.model == model and alert.resolved is None]


def test_the_model_that_stopped_is_an_outage(fleet):
    diagnosis = diagnose_model(fleet, "search")
    assert (diagnosis.cause, diagnosis.series_pattern) == (Cause.OUTAGE, None)


def test_the_healthy_model_has_no_hypotheses(fleet):
    diagnosis = diagnose_model(fleet, "spam-filter")
    assert (diagnosis.hypotheses, diagnosis.actions, diagnosis.other_patterns) == ((), (Action.NOTHING,), ())


def test_confidence_fell_a_week_before_churns_accuracy(fleet):
    assert diagnose_model(fleet, "churn").verdict.why.startswith("Likely data drift: confidence fell a week earlier")


VERDICTS = {
    "triage": (
        "Accuracy dropped overnight on 26 Jun, 0.951→0.816; 0.846 now.",
        "Cause unclear: broken input or concept drift.",
        "Check what shipped on 26 Jun; do not retrain yet.",
    ),
    "fraud-detector": (
        "Accuracy has slid since late April, 0.957→0.857; below 0.90 for 41 days.",
        "Possible concept drift: confidence fell half as much, 0.95→0.90.",
        "Check labels and inputs; retraining has 278,867 new labels.",
    ),
    "search": (
        "No data since 18 Jun, 11 days; usually daily.",
        "Quality is unknown until data arrives.",
        "Check the feed.",
    ),
    "churn": (
        "Accuracy dropped around 20 Jun, 0.841→0.761; 0.756 now.",
        "Likely data drift: confidence fell a week earlier, on 13 Jun.",
        "Compare the inputs with the training data, then decide on retraining.",
    ),
    "credit": (
        "Recall has slid since April, 0.718→0.472, while precision rose 0.710→0.832.",
        "Likely threshold effect.",
        "Review the decision threshold.",
    ),
}
"""Verdicts of the models that alert."""


def test_the_verdicts_read_so(fleet):
    found = {model: diagnose_model(fleet, model).verdict for model in VERDICTS}
    assert {model: (verdict.what, verdict.why, verdict.do) for model, verdict in found.items()} == VERDICTS


@pytest.mark.parametrize("model", ["ranker", "recommender", "spam-filter"])
def test_what_is_over_seasonal_or_healthy_is_ok(fleet, model):
    assert diagnose_model(fleet, model).verdict.what.startswith("ok: all ")


def test_no_severity_is_changed(fleet):
    for status in fleet.model_statuses:
        assert diagnose_model(fleet, status.model).severity is status.severity
