"""Patterns of real histories and of the sample fleet."""

from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.diagnosis.timeseries.pattern import recent_pattern
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

FALLS = (Pattern.DROP, Pattern.DECLINE)


@pytest.mark.parametrize(
    ("model", "metric", "pattern", "day", "within"),
    [
        pytest.param("fraud-detector", "accuracy", Pattern.DECLINE, (4, 20), 2, id="fades"),
        pytest.param("triage", "accuracy", Pattern.DROP, (6, 26), 2, id="fails overnight"),
        pytest.param("churn", "avg_confidence", Pattern.DROP, (6, 13), 2, id="confidence first"),
        pytest.param("churn", "accuracy", Pattern.DROP, (6, 20), 2, id="accuracy a week later"),
        pytest.param("ranker", "log_loss", Pattern.SPIKE, (5, 14), 0, id="one bad day"),
        pytest.param("ranker", "ndcg_at_10", Pattern.SPIKE, (5, 14), 0, id="one bad day for the better high"),
        # 0.003 a day with a deviation of 0.027: noise moves its start by more than two days, not by ten.
        pytest.param("credit", "recall", Pattern.DECLINE, (4, 1), 7, id="decays slowly"),
    ],
)
def test_each_planted_incident_is_named_and_dated(model, metric, pattern, day, within, fleet):
    result = recent_pattern(fleet[model, metric])
    assert result.pattern is pattern
    assert abs((result.started_at - datetime(2025, *day, tzinfo=UTC)).days) <= within
    assert result.confidence > 0.8


@pytest.mark.parametrize("metric", ["ndcg_at_10", "hit_rate_at_10", "click_through_rate"])
def test_weekends_are_a_season_and_no_trouble(metric, fleet):
    assert recent_pattern(fleet["recommender", metric]).pattern is Pattern.SEASONAL


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "f1_score", "avg_confidence"])
def test_the_healthy_model_is_steady(metric, fleet):
    assert recent_pattern(fleet["spam-filter", metric]).pattern is Pattern.STEADY


def test_the_model_that_stopped_was_steady(fleet):
    metrics = ("ndcg_at_10", "mrr", "click_through_rate")
    assert {recent_pattern(fleet["search", metric]).pattern for metric in metrics} == {Pattern.STEADY}


def test_the_lasting_fall_of_the_nba_forecasts_is_a_drop_or_decline(forecasts):
    series = forecasts["nba-games", "accuracy"]
    result = recent_pattern(series)
    assert result.pattern in FALLS
    assert datetime(2016, 6, 1, tzinfo=UTC) <= result.started_at <= datetime(2017, 10, 1, tzinfo=UTC)
    assert -0.08 < result.size < -0.02


def test_the_weak_nfl_season_of_2021_is_within_noise(forecasts):
    assert recent_pattern(forecasts["nfl-games", "accuracy"]).pattern is Pattern.STEADY


@pytest.mark.parametrize("model", ["nba-games", "nfl-games", "mlb-games"])
def test_no_threshold_alerts_on_months_of_a_handful_of_games(model, forecasts):
    careless, careful = (
        replay(
            [forecasts[model, "accuracy"]],
            Rule("floor", Threshold(critical=Limit(below=0.55)), "*", min_count=min_count),
        )[0]
        for min_count in (0, 30)
    )
    assert any(alert.count < 30 for alert in careless)
    assert all(alert.count >= 30 for alert in careful)


@pytest.mark.parametrize("model", ["nba-games", "nfl-games", "mlb-games", "wnba-games"])
def test_no_month_of_a_handful_of_games_is_named(model, forecasts):
    series = forecasts[model, "accuracy"]
    result = recent_pattern(series)
    assert result.pattern is not Pattern.SPIKE
    assert (
        result.started_at is None
        or series.support_at(series.times.tolist().index(result.started_at.replace(tzinfo=None))) >= 30
    )
