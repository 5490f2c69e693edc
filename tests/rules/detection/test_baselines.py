"""Rivals on a few values whose alerts can be counted by hand, and the oracle against published run lengths."""

import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from tests.benchmarks.detection.baselines import Oracle, calibrated, decision_interval, naive, run_length, usual
from tests.benchmarks.detection.ground_truth import Truth

TRUTH = Truth("", "accuracy", "all", None, 3.0, Pattern.STEADY, None, 0.9, 0.01)


def series(values, better=Direction.HIGHER):
    times = np.datetime64("2025-01-01", "us") + np.arange(len(values)) * np.timedelta64(1, "D")
    return Series(SeriesKey("m", "accuracy"), better, times.astype(DATETIME_DTYPE), np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("slack", "limit", "shift", "length"),
    [
        pytest.param(0.5, 5.0, 0.0, 930.9, id="twice the 465 of both sides (Montgomery, table 9.3)"),
        pytest.param(0.5, 4.0, 0.0, 336.0, id="twice the 168"),
        pytest.param(0.5, 5.0, 1.0, 10.4, id="a shift of one deviation"),
        pytest.param(0.5, 4.0, 2.0, 3.34, id="a shift of two"),
    ],
)
def test_run_lengths_are_the_published_ones(slack, limit, shift, length):
    assert run_length(slack, limit, shift) == pytest.approx(length, rel=0.005)


@pytest.mark.parametrize("slack", [0.5, 1.0, 1.5, 2.0])
def test_the_decision_interval_gives_the_run_length_and_is_near_siegmund(slack):
    limit = decision_interval(slack, 18_262.5)
    assert run_length(slack, limit) == pytest.approx(18_262.5, rel=1e-3)
    b = limit + 1.166  # Siegmund 1985: exp(2 k b) - 2 k b - 1 over 2 k²
    approximate = (np.exp(2 * slack * b) - 2 * slack * b - 1) / (2 * slack**2)
    assert np.log(approximate) == pytest.approx(np.log(18_262.5), abs=0.6)


def test_the_limit_for_any_values_is_that_for_normal_ones_where_they_are_normal():
    z = np.random.default_rng(4).normal(size=200_000)
    assert calibrated(z, 1.0, 2000) == pytest.approx(decision_interval(1.0, 2000), abs=0.04)


def by_gamma(chance, size):
    return chance.gamma(2.0, size=size) / 2.0**0.5 - 2.0**0.5


def by_poisson(chance, size):
    return (chance.poisson(2.0, size=size) - 2.0) / 2.0**0.5


@pytest.mark.parametrize(
    ("drawn", "low", "high"),
    [
        pytest.param(by_gamma, 150, 250, id="any number of times where values are skewed and continuous"),
        pytest.param(by_poisson, 40, 200, id="more seldom where steps of whole cases have no limit for that number"),
    ],
)
def test_a_calibrated_oracle_alerts_by_chance_as_often_as_it_was_told(drawn, low, high):
    chance = np.random.default_rng(8)
    known = Oracle(3.0, calibrated(drawn(chance, 300_000), 1.5, 1000.0))
    values = 0.9 - 0.01 * drawn(chance, 200_000)
    assert low <= len(known(series(values), TRUTH)) <= high


def test_the_oracle_alerts_in_the_bad_direction_alone_and_starts_anew():
    known = Oracle(3.0, 2.0)
    assert known(series([0.9, 0.87, 0.87, 0.87, 0.87, 0.9]), TRUTH) == [2, 4]
    assert known(series([0.9, 0.93, 0.93, 0.93]), TRUTH) == []
    assert known(series([0.9, 0.93, 0.93, 0.93], Direction.LOWER), TRUTH) == [2]


def test_the_naive_floor_alerts_where_a_run_below_it_begins():
    assert naive(series([0.9, 0.879, 0.87, 0.9, 0.86, 0.881]), TRUTH) == [1, 4]


def test_the_usual_rule_alerts_on_both_sides_once_thirty_periods_are_known():
    calm = [0.9, 0.91] * 15
    assert usual(series([*calm, 0.8, 0.905]), TRUTH) == [30]
    assert usual(series([*calm, 0.99]), TRUTH) == [30]
    assert usual(series([*calm[:29], 0.5]), TRUTH) == []
