import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.contingency_tables import Table

from modeltop.core.stats.trend_tests import (
    cochran_armitage,
    kendall_variance,
    mann_kendall,
    mann_kendall_p_values,
    mann_kendall_z,
    theil_sen,
    theil_sen_lines,
    variance_correction,
)


def z_score(values):
    """Sum over the pairs, one by one, in standard deviations."""
    s = sum(np.sign(b - a) for k, a in enumerate(values) for b in values[k + 1 :])
    variance = kendall_variance(values)
    return np.sign(s) * (abs(s) - 1) / np.sqrt(variance) if variance else 0.0


TIED = arrays(np.float64, st.integers(8, 30), elements=st.integers(0, 6).map(float))


@given(TIED, st.integers(0, 2**32))
def test_the_line_and_its_interval_are_those_of_scipy_with_ties_and_uneven_times(values, seed):
    times = np.sort(np.random.default_rng(seed).integers(0, 40, len(values))).astype(float)
    if np.ptp(times) == 0:
        assert theil_sen(times, values) is None
        return
    assume(kendall_variance(values, times) > 0)  # else scipy takes the root of a negative number
    result, expected = theil_sen(times, values), stats.theilslopes(values, times)
    assert result.slope == pytest.approx(expected.slope)
    assert (result.low, result.high) == pytest.approx((expected.low_slope, expected.high_slope))


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
    s = sum(np.sign(b - a) for k, a in enumerate(values) for b in values[k + 1 :])
    assert mann_kendall_z(values, len(values))[0] == pytest.approx(z_score(values), abs=1e-12)
    if variance := kendall_variance(values):
        tau = stats.kendalltau(np.arange(len(values)), values, method="asymptotic")
        assert 2 * stats.norm.sf(abs(s) / np.sqrt(variance)) == pytest.approx(tau.pvalue, rel=1e-9)


def test_values_that_never_change_have_no_trend():
    assert mann_kendall(np.ones(20), np.arange(20.0)) == (1.0, 0.0)
    assert kendall_variance(np.ones(20)) == 0.0


@pytest.mark.parametrize("slope", [0.1, -1 / 3])
def test_a_perfect_line_has_no_memory(slope):
    assert mann_kendall(0.9 + slope * np.arange(25), np.arange(25.0)).rho == 0.0


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [30, 60])
def test_memory_is_not_taken_for_a_trend_much_more_often_than_asked(n, rho, ar1):
    rng = np.random.default_rng(n)
    alarms = [mann_kendall(ar1(rho, n, rng), np.arange(float(n))).p < 0.05 for _ in range(500)]
    assert 0.015 <= np.mean(alarms) <= 0.09


def test_without_the_allowance_it_would_be(ar1):
    rng = np.random.default_rng(5)
    alarms = [abs(mann_kendall_z(ar1(0.6, 30, rng), 30)[0]) > 1.96 for _ in range(300)]
    assert np.mean(alarms) > 0.2


def test_a_clear_trend_is_found_beside_memory(ar1):
    rng = np.random.default_rng(6)
    result = [mann_kendall(ar1(0.3, 40, rng) + 0.1 * np.arange(40), np.arange(40.0)).p < 0.01 for _ in range(100)]
    assert np.mean(result) > 0.9


@pytest.mark.parametrize("rho", [0.2, 0.5, 0.8])
def test_the_excess_is_the_sum_of_the_autocorrelations(rho):
    lags = np.arange(1, 40)
    assert variance_correction(rho, 40) == pytest.approx(1 + 2 * float(((1 - lags / 40) * rho**lags).sum()))
    assert variance_correction(-rho, 40) == 1.0


VALUES = arrays(np.float64, st.integers(0, 40), elements=st.integers(0, 8).map(float))


@given(VALUES, st.integers(2, 12))
def test_each_window_has_the_deviate_of_the_test_of_it_alone(values, length):
    slow = [z_score(values[first : first + length]) for first in range(len(values) - length + 1)]
    assert mann_kendall_z(values, length) == pytest.approx(slow, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(8, 14), st.sampled_from([0.0, 0.6]), st.booleans())
def test_p_value_and_line_of_each_window_are_those_of_it_alone(seed, length, slope, ties):
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.integers(1, 5, 24)).astype(float)
    values = slope * np.arange(24) + rng.standard_normal(24).cumsum()
    values = np.round(values) if ties else values
    windows = np.arange(24 - length + 1)[:, None] + np.arange(length)
    p_values = mann_kendall_p_values(mann_kendall_z(values, length), days[windows], values[windows])
    first_levels, last_levels = theil_sen_lines(days[windows], values[windows])
    for window, p_value, first_level, last_level in zip(windows, p_values, first_levels, last_levels, strict=True):
        line = theil_sen(days[window], values[window])
        assert p_value == pytest.approx(mann_kendall(values[window], times=days[window]).p, rel=1e-6)
        assert last_level == pytest.approx(line.level, abs=1e-9)
        assert last_level - first_level == pytest.approx(line.slope * np.ptp(days[window]), abs=1e-9)


def test_of_no_window_there_is_no_line():
    assert [levels.shape for levels in theil_sen_lines(np.zeros((0, 9)), np.zeros((0, 9)))] == [(0,), (0,)]
    assert mann_kendall_p_values(np.zeros(0), np.zeros((0, 9)), np.zeros((0, 9))).shape == (0,)


@given(
    st.integers(3, 9).flatmap(
        lambda length: st.tuples(
            arrays(np.int64, length, elements=st.integers(1, 60)), arrays(np.float64, length, elements=st.floats(0, 1))
        )
    )
)
def test_a_trend_of_shares_is_that_of_statsmodels(drawn):
    cases, p_values = drawn
    hits = np.rint(cases * p_values).astype(int)
    (z_score,) = cochran_armitage((hits / cases)[None, :], cases[None, :].astype(float))
    if hits.sum() in (0, cases.sum()):
        assert np.isnan(z_score)
        return
    table = Table(np.stack([hits, cases - hits]), shift_zeros=False)
    expected = table.test_ordinal_association(row_scores=np.array([1, 0]))
    # Its variance is that of drawing without replacement, which is larger by n / (n - 1).
    n = cases.sum()
    assert z_score == pytest.approx(expected.zscore * np.sqrt(n / (n - 1)), rel=1e-9, abs=1e-9)


def test_of_cases_that_are_not_known_nothing_is_said():
    assert np.isnan(cochran_armitage(np.full((1, 4), 0.5), np.array([[10.0, np.nan, 10.0, 10.0]]))).all()
