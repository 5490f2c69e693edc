import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.seasonal import seasonal_decompose

from modeltop.core.series import DATETIME_DTYPE, Series, SeriesKey
from modeltop.diagnosis.timeseries.points import evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season, kruskal_wallis

WEEK = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -0.1, -0.1])


def season_of(series):
    return detect_season(evaluable_points(series))


def weekly(days, rng, effects=WEEK, noise=0.01):
    # 2025-01-01 was a Wednesday.
    return 0.9 + effects[(np.arange(days) + 2) % 7] + noise * rng.normal(size=days)


def test_the_test_is_that_of_scipy_ties_included():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 7, 80)
    values = rng.integers(0, 9, 80).astype(float)
    expected = stats.kruskal(*(values[groups == k] for k in range(7)))
    assert kruskal_wallis(values, groups) == pytest.approx(expected.pvalue, rel=1e-9)
    assert kruskal_wallis(np.ones(80), groups) == 1.0


def test_a_week_is_found_and_its_days_are_counted_from_monday(daily):
    season = season_of(daily(weekly(84, np.random.default_rng(2))))
    assert season.name == "week"
    assert season.effects - season.effects[0] == pytest.approx(WEEK, abs=0.015)
    assert season.size == pytest.approx(0.1, abs=0.02)


def test_its_effects_are_those_of_a_classical_decomposition(daily):
    values = weekly(140, np.random.default_rng(3), np.linspace(-0.06, 0.06, 7))
    season = season_of(daily(values))
    classical = seasonal_decompose(values, period=7).seasonal
    assert season.at(daily(values).times) == pytest.approx(classical, abs=0.01)


@pytest.mark.parametrize(
    ("days", "step"),
    [pytest.param(26, 1, id="less than four weeks"), pytest.param(90, 2, id="not daily")],
)
def test_there_is_no_week_in_what_is_too_short_or_not_daily(days, step, daily):
    values = weekly(days * step, np.random.default_rng(4))[::step]
    assert season_of(daily(values, days=np.arange(days) * step)) is None


def test_chance_and_autocorrelation_are_no_season(daily):
    rng = np.random.default_rng(5)
    walks = [0.9 + 0.01 * np.convolve(rng.normal(size=130), [1, 0.6, 0.36, 0.2], "valid") for _ in range(100)]
    assert sum(season_of(daily(values)) is not None for values in walks) <= 1


def test_a_step_hides_no_week_and_makes_none(daily):
    step = np.where(np.arange(112) < 70, 0.0, -0.3)
    rng = np.random.default_rng(6)
    season = season_of(daily(weekly(112, rng) + step))
    assert season.effects - season.effects[0] == pytest.approx(WEEK, abs=0.02)
    assert season_of(daily(0.9 + step + 0.01 * rng.normal(size=112))) is None


@pytest.mark.parametrize(("years", "is_found"), [(4, True), (2, False)])
def test_a_year_is_found_in_three_years_of_months(years, is_found):
    months = np.arange(12 * years)
    times = (np.datetime64("2019-01") + months.astype("timedelta64[M]")).astype(DATETIME_DTYPE)
    values = 0.7 + 0.05 * np.sin(months / 12 * 2 * np.pi) + 0.005 * np.random.default_rng(7).normal(size=len(months))
    season = season_of(Series(SeriesKey("m", "x"), "higher", times, values))
    assert (season is not None) is is_found
    if is_found:
        assert (season.name, int(season.effects.argmax())) == ("year", 3)
