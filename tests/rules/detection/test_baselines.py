"""Baselines on series whose alerts are counted by hand, and the oracle compared with published run lengths."""

import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from tests.benchmarks.detection.baselines import (
    OracleCusum,
    average_run_length,
    calibrate_limit,
    decision_interval,
    fixed_threshold,
    three_sigma,
)
from tests.benchmarks.detection.ground_truth import GroundTruth

TRUTH = GroundTruth("", "accuracy", "all", None, 3.0, Pattern.STEADY, 0.9, 0.01)


def series(values, better=Direction.HIGHER):
    times = np.datetime64("2025-01-01", "us") + np.arange(len(values)) * np.timedelta64(1, "D")
    return Series(SeriesKey("m", "accuracy"), better, times.astype(DATETIME_DTYPE), np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("slack", "limit", "shift", "run_length"),
    [
        pytest.param(0.5, 5.0, 0.0, 930.9, id="twice the 465 of both sides (Montgomery, table 9.3)"),
        pytest.param(0.5, 4.0, 0.0, 336.0, id="twice the 168"),
        pytest.param(0.5, 5.0, 1.0, 10.4, id="a shift of one deviation"),
        pytest.param(0.5, 4.0, 2.0, 3.34, id="a shift of two"),
    ],
)
def test_run_lengths_are_the_published_ones(slack, limit, shift, run_length):
    assert average_run_length(slack, limit, shift) == pytest.approx(run_length, rel=0.005)


@pytest.mark.parametrize("slack", [0.5, 1.0, 1.5, 2.0])
def test_the_decision_interval_gives_the_run_length_and_is_near_siegmund(slack):
    limit = decision_interval(slack, 18_262.5)
    assert average_run_length(slack, limit) == pytest.approx(18_262.5, rel=1e-3)
    b = limit + 1.166  # Siegmund 1985: exp(2 k b) - 2 k b - 1 over 2 k²
    approximate = (np.exp(2 * slack * b) - 2 * slack * b - 1) / (2 * slack**2)
    assert np.log(approximate) == pytest.approx(np.log(18_262.5), abs=0.6)


def test_the_limit_for_any_distribution_is_that_for_normal_values_if_they_are_normal():
    z_scores = np.random.default_rng(4).normal(size=200_000)
    assert calibrate_limit(z_scores, 1.0, 2000) == pytest.approx(decision_interval(1.0, 2000), abs=0.04)


def gamma_z_scores(rng, size):
    return rng.gamma(2.0, size=size) / 2.0**0.5 - 2.0**0.5


def poisson_z_scores(rng, size):
    return (rng.poisson(2.0, size=size) - 2.0) / 2.0**0.5


@pytest.mark.parametrize(
    ("sample", "low", "high"),
    [
        pytest.param(gamma_z_scores, 150, 250, id="skewed and continuous"),
        pytest.param(poisson_z_scores, 40, 200, id="discrete, without a limit for exactly that rate"),
    ],
)
def test_a_calibrated_oracle_has_the_configured_false_alert_rate(sample, low, high):
    rng = np.random.default_rng(8)
    oracle = OracleCusum(3.0, calibrate_limit(sample(rng, 300_000), 1.5, 1000.0))
    values = 0.9 - 0.01 * sample(rng, 200_000)
    assert low <= len(oracle(series(values), TRUTH)) <= high


def test_the_oracle_alerts_in_the_bad_direction_alone_and_resets():
    oracle = OracleCusum(3.0, 2.0)
    assert oracle(series([0.9, 0.87, 0.87, 0.87, 0.87, 0.9]), TRUTH) == [2, 4]
    assert oracle(series([0.9, 0.93, 0.93, 0.93]), TRUTH) == []
    assert oracle(series([0.9, 0.93, 0.93, 0.93], Direction.LOWER), TRUTH) == [2]


def test_the_fixed_threshold_alerts_where_a_run_below_it_starts():
    assert fixed_threshold(series([0.9, 0.879, 0.87, 0.9, 0.86, 0.881]), TRUTH) == [1, 4]


def test_three_sigma_alerts_on_both_sides_from_thirty_periods_of_history_on():
    steady = [0.9, 0.91] * 15
    assert three_sigma(series([*steady, 0.8, 0.905]), TRUTH) == [30]
    assert three_sigma(series([*steady, 0.99]), TRUTH) == [30]
    assert three_sigma(series([*steady[:29], 0.5]), TRUTH) == []
