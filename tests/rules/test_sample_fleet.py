"""The sample fleet, read and judged as a person would have it: five models are wrong, three are not."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.cli import demo
from modeltop.config.load import Config
from modeltop.core.series import Condition, SeriesKey, Severity, State
from modeltop.rules import change_summary
from modeltop.service.pipeline import Pipeline

FLEET = demo.samples_folder() / "fleet"
PLANTED = tomllib.loads((FLEET / "incidents.toml").read_text())["incident"]


@pytest.fixture(scope="module")
def snapshot():
    return Pipeline(Config(), [FLEET]).run(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_models_with_an_incident_that_lasts_alert_and_no_others(snapshot):
    assert [(status.model, status.severity) for status in snapshot.model_statuses if status.severity] == [
        ("triage", Severity.CRITICAL),
        ("churn", Severity.CRITICAL),
        ("fraud-detector", Severity.CRITICAL),
        ("credit", Severity.CRITICAL),
        ("search", Severity.UNKNOWN),
    ]
    assert len(snapshot.model_statuses) == 8
    assert snapshot.history.problems == ()


def test_floors_fire_on_the_planted_day_and_never_rest(snapshot):
    fired = [
        (alert.key.model, alert.fired.date(), alert.state)
        for alert in snapshot.alerts
        if alert.rule == "accuracy-floor"
    ]
    planted = [(entry["model"], entry["alert"], State.FIRING) for entry in PLANTED if "alert" in entry]
    assert sorted(fired) == sorted(planted)


ALL_FOUR = {"accuracy", "precision", "recall", "f1_score"}


@pytest.mark.parametrize(
    ("model", "kind", "metrics", "days"),
    [
        pytest.param("triage", "failure", ALL_FOUR, 1, id="a failure overnight, on the next day"),
        pytest.param("churn", "failure", ALL_FOUR, 3, id="a fall within three days, where no floor is low enough"),
        pytest.param("fraud-detector", "fade", ALL_FOUR, 29, id="a slow fade, before the floor is crossed"),
        pytest.param("credit", "decay", {"recall", "f1_score"}, 43, id="a decay over three months, of what decays"),
    ],
)
def test_a_lasting_fall_fires_in_time_in_every_metric_that_it_reached(snapshot, model, kind, metrics, days):
    (start,) = [entry["start"] for entry in PLANTED if (entry["model"], entry["kind"]) == (model, kind)]
    falls = [alert for alert in snapshot.alerts if alert.rule == "baseline-drop" and alert.key.model == model]
    assert {alert.key.metric for alert in falls} == metrics
    assert len(falls) == len(metrics)
    assert all(alert.state is State.FIRING and alert.severity is Severity.CRITICAL for alert in falls)
    assert all(start <= alert.since.date() <= alert.fired.date() <= start + timedelta(days=days) for alert in falls)


def test_the_silent_model_has_reported_nothing_for_a_week(snapshot):
    (alert,) = [alert for alert in snapshot.alerts if alert.condition is Condition.NO_DATA]
    (start,) = [entry["start"] for entry in PLANTED if entry["kind"] == "silence"]
    assert alert.key.model == "search"
    assert alert.since.date() > start
    assert (snapshot.taken_at.date() - start).days >= 7


def test_floors_are_left_out_where_they_were_never_reached(snapshot):
    left_out = {(status.key.model, status.key.metric) for status in snapshot.rule_statuses if status.skip_reason}
    assert left_out == {("credit", "f1_score"), ("churn", "accuracy"), ("churn", "f1_score")}


@pytest.mark.parametrize(
    ("model", "metric", "against", "is_significant"),
    [
        pytest.param("credit", "recall", "first", True, id="a decay of recall, on enough positives, is no chance"),
        pytest.param("credit", "accuracy", "first", False, id="its accuracy holds"),
        pytest.param("churn", "accuracy", "reference", True, id="a fall of accuracy is no chance"),
        pytest.param("spam-filter", "recall", "reference", False, id="the healthy one has not moved"),
        pytest.param("credit", "avg_confidence", "first", None, id="a mean has no interval"),
    ],
)
def test_changes_say_which_falls_are_sure(snapshot, model, metric, against, is_significant):
    series = snapshot.history.series[SeriesKey(model, metric)]
    changes = {change.against: change for change in change_summary.change_summary(series, snapshot.catalog.get(metric))}
    high = changes[against].high
    assert (None if high is None else high < 0) is is_significant
