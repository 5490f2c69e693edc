import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from modeltop.core.stats.trend_tests import kendall_variance, mann_kendall, theil_sen, variance_correction

TIED = arrays(np.float64, st.integers(8, 30), elements=st.integers(0, 6).map(float))


@given(TIED, st.integers(0, 2**32))
def test_the_line_and_its_interval_are_those_of_scipy_with_ties_and_uneven_times(values, seed):
    times = np.sort(np.random.default_rng(seed).integers(0, 40, len(values))).astype(float)
    if np.ptp(times) == 0:
        assert theil_sen(times, values) is None
        return
    assume(kendall_variance(values, times) > 0)  # else scipy takes the root of a negative number
    found, known = theil_sen(times, values), stats.theilslopes(values, times)
    assert found.slope == pytest.approx(known.slope)
    assert (found.low, found.high) == pytest.approx((known.low_slope, known.high_slope))


def test_the_line_stands_at_its_level_at_the_last_time_whatever_one_value_says():
    times = np.array([0.0, 1.0, 2.0, 5.0, 6.0, 9.0])
    line = theil_sen(times, np.array([1.0, 3.0, 5.0, 99.0, 13.0, 19.0]))
    assert (line.slope, line.level) == pytest.approx((2.0, 19.0))


def test_an_interval_is_wider_where_there_is_memory():
    times, values = np.arange(30.0), np.random.default_rng(1).normal(size=30)
    narrow, wide = theil_sen(times, values), theil_sen(times, values, widen=3.0)
    assert wide.low < narrow.low < narrow.slope == wide.slope < narrow.high < wide.high


@given(TIED)
def test_the_test_is_that_of_kendall_s_tau_when_points_are_independent(values):
    found = mann_kendall(values, independent=True)
    pairs = [np.sign(b - a) for k, a in enumerate(values) for b in values[k + 1 :]]
    assert found.s == sum(pairs)
    if found.variance:
        tau = stats.kendalltau(np.arange(len(values)), values, method="asymptotic")
        uncorrected = abs(found.s) / np.sqrt(found.variance)
        assert 2 * stats.norm.sf(uncorrected) == pytest.approx(tau.pvalue, rel=1e-9)


def test_values_that_never_change_have_no_trend():
    found = mann_kendall(np.ones(20))
    assert (found.s, found.z, found.p, kendall_variance(np.ones(20))) == (0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize("slope", [0.1, -1 / 3])
def test_a_perfect_line_has_no_memory(slope):
    found = mann_kendall(0.9 + slope * np.arange(25), times=np.arange(25.0))
    assert (found.rho, abs(found.s)) == (0.0, 300.0)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [30, 60])
def test_memory_is_not_taken_for_a_trend_much_more_often_than_asked(n, rho, ar1):
    rng = np.random.default_rng(n)
    alarms = [mann_kendall(ar1(rho, n, rng)).p < 0.05 for _ in range(500)]
    assert 0.015 <= np.mean(alarms) <= 0.09


def test_without_the_allowance_it_would_be(ar1):
    rng = np.random.default_rng(5)
    alarms = [mann_kendall(ar1(0.6, 30, rng), independent=True).p < 0.05 for _ in range(300)]
    assert np.mean(alarms) > 0.2


def test_a_clear_trend_is_found_beside_memory(ar1):
    rng = np.random.default_rng(6)
    found = [mann_kendall(ar1(0.3, 40, rng) + 0.1 * np.arange(40)).p < 0.01 for _ in range(100)]
    assert np.mean(found) > 0.9


@pytest.mark.parametrize("rho", [0.2, 0.5, 0.8])
def test_the_excess_is_the_sum_of_the_autocorrelations(rho):
    lags = np.arange(1, 40)
    assert variance_correction(rho, 40) == pytest.approx(1 + 2 * float(((1 - lags / 40) * rho**lags).sum()))
    assert variance_correction(-rho, 40) == 1.0
