import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.robust.scale import qn_scale

from monitor.statistics.robust import median_before, qn, running_median, spread, tamed

SOME = arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6))


@given(SOME)
def test_the_spread_is_the_scaled_median_absolute_deviation_of_scipy(values):
    assert spread(values) == pytest.approx(stats.median_abs_deviation(values, scale="normal"), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("size", [2, 9, 40, 101])
def test_qn_is_that_of_statsmodels(size):
    values = np.random.default_rng(size).standard_t(3, size)
    assert qn(values) == pytest.approx(qn_scale(values), rel=1e-3)


@given(SOME, st.integers(1, 5))
def test_a_running_median_is_the_median_of_each_window(values, reach):
    slow = [np.median(values[max(k - reach, 0) : k + reach + 1]) for k in range(len(values))]
    assert running_median(values, reach).tolist() == slow


@given(SOME, st.integers(1, 5))
def test_the_median_before_reads_no_value_from_its_own_on(values, reach):
    slow = [values[0], *(np.median(values[max(k - reach, 0) : k]) for k in range(1, len(values)))]
    assert median_before(values, reach).tolist() == slow


def test_a_wild_value_is_pulled_back_and_a_step_is_left_alone():
    values = np.array([1.0, 1.1, 0.9, 1.0, 9.0, 1.1, 0.9, 1.0, 5.0, 5.1, 4.9, 5.0])
    calm = tamed(values, np.full(12, 0.1))
    assert calm[4] == pytest.approx(1.2)
    assert np.delete(calm, 4).tolist() == np.delete(values, 4).tolist()


def test_nothing_has_no_spread():
    assert spread(np.array([])) == qn(np.array([1.0])) == 0.0
