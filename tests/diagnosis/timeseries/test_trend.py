import numpy as np
import pytest

from modeltop.core.series import Direction
from modeltop.diagnosis.timeseries.forecast import forecast_trend
from modeltop.rules.detectors.limit import Limit

FLOOR = Limit(below=0.90)


def falling(days=40, slope=-0.001, noise=0.002, seed=1, level=0.96):
    return level + slope * np.arange(days) + noise * np.random.default_rng(seed).normal(size=days)


def test_a_significant_trend_says_when_the_limit_is_crossed(daily):
    found = forecast_trend(daily(falling()), [FLOOR])
    assert found.slope == pytest.approx(-0.001, abs=1e-4)
    assert found.low < found.slope < found.high < 0
    assert found.limit == 0.90
    assert found.days == pytest.approx(21, abs=3)
    assert found.soonest < found.days < found.latest


def test_days_are_days_though_periods_are_uneven(daily):
    days = np.sort(np.random.default_rng(2).choice(200, 50, replace=False))
    values = 0.96 - 0.0003 * days + 0.001 * np.random.default_rng(3).normal(size=50)
    found = forecast_trend(daily(values, days=days), [Limit(below=0.88)])
    assert found.slope == pytest.approx(-0.0003, abs=3e-5)
    assert found.days == pytest.approx((0.96 - 0.0003 * days[-1] - 0.88) / 0.0003, abs=15)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(falling(slope=0.0), id="level"),
        pytest.param(falling(days=9), id="too short"),
        pytest.param(np.repeat([0.95, 0.90], 30) + falling(60, 0.0, level=0.0), id="a step is no trend"),
        pytest.param(np.full(30, 0.9), id="constant"),
    ],
)
def test_nothing_is_foretold_where_there_is_no_trend(values, daily):
    assert forecast_trend(daily(values), [FLOOR]) is None


def test_chance_and_memory_make_no_forecasts(daily):
    rng = np.random.default_rng(4)
    told = 0
    for _ in range(100):
        values = rng.normal(size=60)
        for k in range(1, 60):
            values[k] += 0.5 * values[k - 1]
        told += forecast_trend(daily(0.9 + 0.01 * values), [FLOOR]) is not None
    assert told <= 6


@pytest.mark.parametrize(
    ("better", "slope", "limits", "ahead"),
    [
        pytest.param(Direction.HIGHER, -0.001, [Limit(below=0.90), Limit(below=0.85)], 0.90, id="the nearest floor"),
        pytest.param(Direction.HIGHER, -0.001, [Limit(below=0.95), Limit(below=0.85)], 0.85, id="passed ones are past"),
        pytest.param(Direction.HIGHER, 0.001, [Limit(below=0.9, above=1.2)], None, id="it gets better"),
        pytest.param(Direction.LOWER, 0.001, [Limit(above=1.2)], 1.2, id="an error that grows"),
        pytest.param(Direction.NEITHER, 0.001, [Limit(below=0.9, above=1.2)], 1.2, id="where it goes"),
        pytest.param(Direction.HIGHER, -0.001, [Limit(above=1.2)], None, id="no floor"),
    ],
)
def test_the_limit_is_the_nearest_ahead_on_the_bad_side(better, slope, limits, ahead, daily):
    found = forecast_trend(daily(falling(slope=slope), better=better), limits)
    assert found.limit == ahead
    assert (found.days is None) is (ahead is None)


def test_the_line_goes_on_from_where_the_fall_began_and_not_from_a_jump(daily):
    level = np.concatenate([np.full(25, 0.80), falling(35, -0.002)])
    found = forecast_trend(daily(level + 0.002 * np.random.default_rng(5).normal(size=60)), [Limit(below=0.85)])
    assert found.slope == pytest.approx(-0.002, abs=3e-4)


def test_a_wild_slope_may_never_arrive(daily):
    found = forecast_trend(daily(falling(30, -0.001, noise=0.014, seed=8)), [Limit(below=0.5)])
    assert found is None or found.latest is None or found.latest > found.days


def test_a_week_is_taken_off_first(daily):
    week = -0.03 * ((np.arange(56) + 2) % 7 >= 5)
    found = forecast_trend(daily(falling(56) + week), [Limit(below=0.85)])
    assert found.slope == pytest.approx(-0.001, abs=1.5e-4)


def test_the_fading_recall_of_the_fleet_is_foretold(fleet):
    found = forecast_trend(fleet["credit", "recall"], [Limit(below=0.40)])
    assert found.slope == pytest.approx(-0.27 / 89, abs=0.001)
    assert 5 < found.soonest < found.days < found.latest < 30
