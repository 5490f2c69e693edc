"""Trends and spikes in real and planted histories."""

from datetime import UTC, datetime

import pytest

from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.trend import Trend
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule
from tests.diagnosis.timeseries.conftest import fleet, forecasts

__all__ = ["fleet", "forecasts"]  # pytest finds fixtures by name
RULES = {"spike": Rule("a bad day", Outlier(), "*"), "trend": Rule("a slow fall", Trend(), "*", recover=3)}
QUIET = ("spam-filter", "recommender", "search")


def start_times(rule, series):
    return [alert.since for alert in replay([series], RULES[rule])[0]]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("model", QUIET)
def test_neither_a_healthy_model_nor_a_season_alerts(rule, model, fleet):
    assert [key for key, series in fleet.items() if key[0] == model and start_times(rule, series)] == []


@pytest.mark.parametrize("metric", ["log_loss", "ndcg_at_10", "roc_auc"])
def test_the_bad_day_of_the_ranker_alerts_on_that_day(metric, fleet):
    assert start_times("spike", fleet["ranker", metric]) == [datetime(2025, 5, 14, tzinfo=UTC)]
    assert start_times("trend", fleet["ranker", metric]) == []


def test_the_decay_of_recall_alerts_six_weeks_after_it_began_and_stays_active(fleet):
    (alert,) = replay([fleet["credit", "recall"]], RULES["trend"])[0]
    assert datetime(2025, 4, 20, tzinfo=UTC) < alert.fired < datetime(2025, 5, 20, tzinfo=UTC)
    assert alert.is_active


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("model", ["nba-games", "nfl-games", "mlb-games", "wnba-games"])
def test_no_month_of_a_handful_of_games_alerts(rule, model, forecasts):
    for metric in ("accuracy", "precision", "recall", "f1_score"):
        series = forecasts[model, metric]
        rows = dict(zip(series.times.tolist(), series.rows.tolist(), strict=True))
        assert all(rows[start.replace(tzinfo=None)] >= 30 for start in start_times(rule, series))
