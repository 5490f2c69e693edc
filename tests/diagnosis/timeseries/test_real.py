"""What is known of real and planted histories."""

from datetime import UTC, datetime

import pytest

from modeltop.diagnosis.timeseries.change_points import change_points
from modeltop.diagnosis.timeseries.outliers import spikes


def test_the_lasting_fall_of_the_nba_forecasts_is_found(forecasts):
    (found,) = change_points(forecasts["nba-games", "accuracy"])
    assert datetime(2016, 6, 1, tzinfo=UTC) <= found.at <= datetime(2017, 10, 1, tzinfo=UTC)
    assert found.after < found.before


def test_the_weak_nfl_season_of_2021_is_within_noise(forecasts):
    assert change_points(forecasts["nfl-games", "accuracy"]) == ()


@pytest.mark.parametrize("model", ["nba-games", "nfl-games", "mlb-games", "wnba-games"])
def test_no_month_of_a_handful_of_games_is_a_spike(model, forecasts):
    assert spikes(forecasts[model, "accuracy"]) == ()


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "f1_score", "avg_confidence"])
def test_nothing_is_found_in_the_healthy_model(metric, fleet):
    assert change_points(fleet["spam-filter", metric]) == spikes(fleet["spam-filter", metric]) == ()


@pytest.mark.parametrize(
    ("model", "metric", "day"),
    [
        ("triage", "accuracy", datetime(2025, 6, 26, tzinfo=UTC)),
        ("churn", "accuracy", datetime(2025, 6, 20, tzinfo=UTC)),
        ("churn", "avg_confidence", datetime(2025, 6, 13, tzinfo=UTC)),
    ],
)
def test_the_planted_falls_are_dated(model, metric, day, fleet):
    first = change_points(fleet[model, metric])[0]
    assert abs((first.at - day).days) <= 2
    assert first.after < first.before
