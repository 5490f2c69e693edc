from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.diagnosis.timeseries.outliers import spikes

START = datetime(2025, 1, 1, tzinfo=UTC)


def level(days=60, seed=1):
    return 0.9 + 0.01 * np.random.default_rng(seed).normal(size=days)


@pytest.mark.parametrize("periods", [1, 2, 3])
def test_a_spike_is_dated_counted_and_sized(periods, daily):
    values = level()
    values[30 : 30 + periods] -= 0.2
    (found,) = spikes(daily(values))
    assert ((found.at - START).days, found.periods) == (30, periods)
    assert found.size == pytest.approx(-0.2, abs=0.03)
    assert found.p < 1e-6


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(np.arange(60) >= 30, id="a step"),
        pytest.param((np.arange(60) >= 30) & (np.arange(60) < 36), id="six periods"),
        pytest.param(np.arange(60) >= 59, id="the newest, which has not come back"),
        pytest.param(np.maximum(np.arange(60) - 30, 0) / 10, id="a slope"),
    ],
)
def test_what_does_not_come_back_soon_is_no_spike(shape, daily):
    assert spikes(daily(level() - 0.2 * shape)) == ()


def test_weekends_are_no_spikes(daily):
    assert spikes(daily(level(80) - 0.1 * ((np.arange(80) + 2) % 7 >= 5))) == ()


def test_a_month_of_few_cases_is_no_spike(shares):
    cases = np.where(np.arange(40) == 20, 5, 3000)
    assert spikes(shares(np.full(40, 0.7), cases, seed=3)) == ()


def test_chance_makes_few(daily):
    assert sum(bool(spikes(daily(level(seed=seed)))) for seed in range(200)) <= 4


def test_too_little_tells_none(daily):
    values = level(14)
    values[7] = 0.1
    assert spikes(daily(values)) == ()


@pytest.mark.parametrize(("metric", "sign"), [("log_loss", 1), ("ndcg_at_10", -1), ("roc_auc", -1)])
def test_the_bad_day_of_the_ranker_is_found_six_weeks_later(metric, sign, fleet):
    (found,) = spikes(fleet["ranker", metric])
    assert (found.at, found.periods) == (datetime(2025, 5, 14, tzinfo=UTC), 1)
    assert found.size * sign > 0.1
