from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.series import Direction
from modeltop.diagnosis.timeseries.forecast import declines_from_first, forecast_trend
from modeltop.diagnosis.timeseries.pattern import recent_pattern
from modeltop.rules.detectors.limit import Limit

FLOOR = Limit(below=0.90)
START = datetime(2025, 1, 1, tzinfo=UTC)


def falling(days=40, slope=-0.001, noise=0.002, seed=1, level=0.96):
    return level + slope * np.arange(days) + noise * np.random.default_rng(seed).normal(size=days)


def test_a_significant_trend_says_when_the_limit_is_crossed(daily):
    forecast = forecast_trend(daily(falling()), [FLOOR])
    assert forecast.slope == pytest.approx(-0.001, abs=1e-4)
    assert forecast.low < forecast.slope < forecast.high < 0
    assert forecast.limit == 0.90
    assert forecast.days == pytest.approx(21, abs=3)
    assert forecast.soonest < forecast.days < forecast.latest


def test_days_are_days_though_periods_are_uneven(daily):
    days = np.sort(np.random.default_rng(2).choice(200, 50, replace=False))
    values = 0.96 - 0.0003 * days + 0.001 * np.random.default_rng(3).normal(size=50)
    forecast = forecast_trend(daily(values, days=days), [Limit(below=0.88)])
    assert forecast.slope == pytest.approx(-0.0003, abs=3e-5)
    assert forecast.days == pytest.approx((0.96 - 0.0003 * days[-1] - 0.88) / 0.0003, abs=15)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(falling(slope=0.0), id="level"),
        pytest.param(falling(days=7), id="too short"),
        pytest.param(np.full(30, 0.9), id="constant"),
    ],
)
def test_without_a_trend_there_is_no_forecast(values, daily):
    assert forecast_trend(daily(values), [FLOOR]) is None


def test_after_a_drop_only_what_goes_on_is_a_trend(daily):
    series = daily(np.repeat([0.95, 0.90], 30) + falling(60, 0.0, level=0.0))
    assert forecast_trend(series, [FLOOR], started_at=recent_pattern(series).started_at) is None


def test_noise_and_autocorrelation_make_few_forecasts(daily):
    rng = np.random.default_rng(4)
    forecasts = 0
    for _ in range(100):
        values = rng.normal(size=60)
        for k in range(1, 60):
            values[k] += 0.5 * values[k - 1]
        forecasts += forecast_trend(daily(0.9 + 0.01 * values), [FLOOR]) is not None
    assert forecasts <= 6


@pytest.mark.parametrize(
    ("better", "slope", "limits", "expected"),
    [
        pytest.param(Direction.HIGHER, -0.001, [Limit(below=0.90), Limit(below=0.85)], 0.90, id="the nearest floor"),
        pytest.param(Direction.HIGHER, -0.001, [Limit(below=0.95), Limit(below=0.85)], 0.85, id="passed ones are past"),
        pytest.param(Direction.HIGHER, 0.001, [Limit(below=0.9, above=1.2)], None, id="it gets better"),
        pytest.param(Direction.LOWER, 0.001, [Limit(above=1.2)], 1.2, id="an error that grows"),
        pytest.param(Direction.NEITHER, 0.001, [Limit(below=0.9, above=1.2)], 1.2, id="where it goes"),
        pytest.param(Direction.HIGHER, -0.001, [Limit(above=1.2)], 0.9, id="no floor: the next tenth"),
    ],
)
def test_the_limit_is_the_nearest_ahead_on_the_bad_side(better, slope, limits, expected, daily):
    forecast = forecast_trend(daily(falling(slope=slope), better=better), limits)
    assert forecast.limit == expected
    assert (forecast.days is None) is (expected is None)


def test_a_limit_that_is_crossed_is_known_and_the_next_one_has_a_date(daily):
    series = daily([0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87])
    forecast = forecast_trend(series, [FLOOR])
    assert (forecast.crossed, forecast.limit, forecast.days) == (0.90, 0.8, pytest.approx(7))
    assert forecast.at == series.newest + timedelta(days=7)


def test_a_limit_more_than_a_year_ahead_has_no_date(daily):
    assert forecast_trend(daily(falling(slope=-0.0001, noise=0.0001)), [Limit(below=0.5)]).at is None


@pytest.mark.parametrize(
    ("values", "onset", "expected"),
    [
        pytest.param([0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87], 7, True, id="steady from the first"),
        pytest.param([0.96] * 6 + [0.94, 0.92, 0.90, 0.88], 6, False, id="a level before"),
        pytest.param([0.96, 0.97, 0.96, 0.97, 0.96, 0.97, 0.96, 0.97], 4, False, id="no trend"),
        pytest.param([0.96, 0.90, 0.85], 1, False, id="too short"),
    ],
)
def test_a_decline_from_the_first_period_has_no_level_before_it(daily, values, onset, expected):
    series = daily(values)
    assert declines_from_first(series, series.times[onset]) is expected


def test_the_line_goes_on_from_where_the_fall_began_and_not_from_a_jump(daily):
    level = np.concatenate([np.full(25, 0.80), falling(35, -0.002)])
    series = daily(level + 0.002 * np.random.default_rng(5).normal(size=60))
    forecast = forecast_trend(series, [Limit(below=0.85)], started_at=START + timedelta(days=25))
    assert forecast.slope == pytest.approx(-0.002, abs=3e-4)


def test_an_uncertain_slope_may_never_arrive(daily):
    forecast = forecast_trend(daily(falling(30, -0.001, noise=0.014, seed=8)), [Limit(below=0.5)])
    assert forecast is None or forecast.latest is None or forecast.latest > forecast.days


def test_a_week_is_taken_off_first(daily):
    week = -0.03 * ((np.arange(56) + 2) % 7 >= 5)
    forecast = forecast_trend(daily(falling(56) + week), [Limit(below=0.85)])
    assert forecast.slope == pytest.approx(-0.001, abs=1.5e-4)


def test_the_fading_recall_of_the_fleet_is_forecast(fleet):
    forecast = forecast_trend(fleet["credit", "recall"], [Limit(below=0.40)])
    assert forecast.slope == pytest.approx(-0.27 / 89, abs=0.001)
    assert 5 < forecast.soonest < forecast.days < forecast.latest < 30
