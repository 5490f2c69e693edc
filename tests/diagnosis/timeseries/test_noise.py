"""The noise of evaluable points against the binomial of scipy, by simulation, and of strange values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar
from scipy.stats import binom, t

from modeltop.diagnosis.timeseries.forecast import forecast_trend
from modeltop.diagnosis.timeseries.noise import HEAVY_TAILED_DEGREES, deviances, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.pattern import recent_pattern
from modeltop.diagnosis.timeseries.points import evaluable_points

STRANGE = st.one_of(st.floats(allow_nan=False), st.floats(0, 1), st.sampled_from([0.0, 1e-300, 1e200, -5e-324, np.inf]))


def test_noise_of_a_proportion_is_that_of_the_binomial(shares):
    points = evaluable_points(shares(np.full(500, 0.8), 400, seed=1))
    assert neighbor_noise(points).std_errors == pytest.approx(np.full(500, binom.std(400, 0.8) / 400), rel=0.02)
    noise = estimate_noise(points, points.values - points.values.mean(), fitted=1)
    assert noise.std_errors == pytest.approx(np.full(500, binom.std(400, 0.8) / 400), rel=0.02)
    assert noise.rho == 0.0


def test_a_week_has_more_noise_on_its_low_days(shares):
    week = np.where(np.arange(70) % 7 < 5, 0.02, -0.05)
    points = evaluable_points(shares(0.9 + week, 400, seed=3)).deseasonalize(week)
    assert neighbor_noise(points).std_errors == pytest.approx(binom.std(400, 0.9 + week) / 400, rel=0.03)


def test_proportions_that_spread_more_than_chance_have_the_spread_of_the_values(daily):
    rng = np.random.default_rng(4)
    cases = np.full(400, 1e5)
    values = rng.binomial(100_000, np.clip(rng.normal(0.8, 0.03, 400), 0, 1)) / 1e5
    points = evaluable_points(daily(values, support=cases, proportion=True))
    noise = estimate_noise(points, values - values.mean(), fitted=1)
    assert noise.std_errors == pytest.approx(np.full(400, values.std(ddof=1)), rel=0.02)


def test_many_models_are_scored_as_each_alone(shares):
    points = evaluable_points(shares(np.full(60, 0.8), 400, seed=5))
    residuals = np.stack([points.values - points.values.mean(), points.values - 0.8, np.linspace(-1, 1, 60)])
    together = deviances(points, residuals, np.array([1, 0, 4]))
    alone = [deviances(points, residuals[[k]], np.array([fitted])) for k, fitted in enumerate((1, 0, 4))]
    for values, parts in zip(together, zip(*alone, strict=True), strict=True):
        assert values == pytest.approx(np.concatenate(parts), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_have_the_likelihood_of_the_likeliest_t_distribution(daily, seed):
    values = t.rvs(HEAVY_TAILED_DEGREES, size=60, random_state=seed)
    points = evaluable_points(daily(values))
    best = minimize_scalar(lambda scale: -t.logpdf(values, HEAVY_TAILED_DEGREES, scale=scale).sum(), bounds=(0.1, 9))
    ((deviance,), (rho,)) = deviances(points, values[None, :], np.array([1]))
    assert rho > 0 or deviance + 60 * np.log(2 * np.pi) == pytest.approx(2 * best.fun, abs=0.1)


def test_rows_stand_for_a_support_that_is_not_known(daily):
    rows = np.array([100.0] * 9 + [25.0])
    assert evaluable_points(daily(np.arange(10.0), rows=rows)).variances.tolist() == [1.0] * 9 + [4.0]
    assert evaluable_points(daily(np.arange(10.0))).variances.tolist() == [1.0] * 10


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, st.integers(0, 45), elements=STRANGE))
def test_nothing_is_too_strange_to_be_explained(daily, values):
    series = daily(values)
    assert 0 <= recent_pattern(series).confidence <= 1
    assert (forecast := forecast_trend(series)) is None or forecast.p <= 0.01
