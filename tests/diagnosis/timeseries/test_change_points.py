import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.diagnosis.timeseries.change_points import change_points, max_gain_p_value
from modeltop.diagnosis.timeseries.points import evaluable_points


def changes(series, **options):
    return change_points(evaluable_points(series, **options))


def test_each_lasting_change_is_found(shares):
    levels = np.repeat([0.95, 0.90, 0.93], [60, 50, 40])
    assert changes(shares(levels, 4000)) == pytest.approx([60, 110], abs=2)


def test_a_month_of_five_games_moves_nothing(shares):
    cases = np.where(np.arange(60) % 9 == 4, 5, 250)
    assert changes(shares(np.full(60, 0.65), cases, seed=1)) == []


def test_points_of_little_support_do_not_hide_a_change(shares):
    cases = np.where(np.arange(90) % 3 == 0, 5, 2000)
    positions = changes(shares(np.repeat([0.8, 0.7], [60, 30]), cases, seed=2))
    assert positions == pytest.approx([60], abs=2)


@pytest.mark.parametrize("outliers", [[40], [40, 41], [40, 41, 42], [20, 50, 70]])
def test_single_outliers_are_no_change(outliers, daily):
    values = 0.9 + 0.01 * np.random.default_rng(3).normal(size=90)
    values[outliers] = 0.2
    assert changes(daily(values)) == []


def test_a_week_is_no_change(daily):
    values = 0.9 - 0.1 * ((np.arange(120) + 2) % 7 >= 5) + 0.01 * np.random.default_rng(4).normal(size=120)
    assert changes(daily(values)) == []


@pytest.mark.parametrize("values", [np.ones(50), np.array([0.9] * 5 + [0.1] * 4)], ids=["constant", "nine periods"])
def test_a_constant_and_too_few_points_have_no_change(values, daily):
    assert changes(daily(values)) == []


def test_only_evaluable_points_count(daily):
    values = np.repeat([0.9, 0.5], 20) + 0.01 * np.random.default_rng(5).normal(size=40)
    rows = np.repeat([100.0, 3.0], 20)
    assert len(changes(daily(values, rows=rows))) == 1
    assert changes(daily(values, rows=rows), min_count=10) == []
    assert changes(daily(values, provisional=rows < 10)) == []


def test_noise_has_few_changes_with_autocorrelation_or_without(daily):
    rng = np.random.default_rng(6)
    false_positives = 0
    for rho in (0.0, 0.3, 0.6) * 40:
        values = rng.normal(size=180)
        for k in range(1, 180):
            values[k] = rho * values[k - 1] + np.sqrt(1 - rho**2) * values[k]
        false_positives += bool(changes(daily(0.9 + 0.01 * values)))
    assert false_positives <= 14


@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_do_not_matter(daily, seed, scale, origin):
    values = np.repeat([0.0, 5.0, 2.0], [20, 25, 15]) + np.random.default_rng(seed).normal(size=60)
    assert changes(daily(values)) == changes(daily(values * scale + origin))


def test_the_p_value_of_the_best_of_many_positions_is_that_of_simulation():
    rng = np.random.default_rng(7)
    n, edge = 100, 10
    sums = np.cumsum(rng.normal(size=(4000, n)), axis=1)
    at = np.arange(edge, n - edge + 1)
    gains = ((sums[:, at - 1] - sums[:, -1:] * at / n) ** 2 / (at * (1 - at / n))).max(axis=1)
    for gain in (6.0, 9.0, 12.0):
        frequency = (gains > gain).mean()
        assert frequency <= max_gain_p_value(gain, edge / n, 1 - edge / n) <= 2.2 * frequency + 0.002
    assert max_gain_p_value(0.0, 0.1, 0.9) == 1.0


def test_seven_hundred_periods_of_stairs_keep_their_dates(shares):
    levels = np.repeat([0.95, 0.93, 0.95, 0.9], [200, 180, 200, 150])
    positions = changes(shares(levels, 3000, seed=8))
    assert positions == pytest.approx([200, 380, 580], abs=3)
