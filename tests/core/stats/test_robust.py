import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats
from statsmodels.robust.scale import qn_scale

from modeltop.core.stats.robust import (
    distinct,
    median,
    qn,
    rolling_mad,
    running_median,
)

SOME = arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6))
SHAPES = array_shapes(max_dims=3, max_side=9)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(
    st.one_of(
        arrays(np.float64, SHAPES, elements=FINITE),
        arrays(np.float64, SHAPES, elements=st.sampled_from([1.0, 2.0, 2.5, np.nan])),
        arrays(np.int64, SHAPES, elements=st.integers(-(2**52), 2**52)),
        arrays("timedelta64[us]", SHAPES, elements=st.integers(-(2**52), 2**52)),
    )
)
def test_the_median_is_that_of_numpy_to_the_last_bit(values):
    with np.errstate(over="ignore"):  # numpy too overflows on the sum of two of the largest numbers
        actual, expected = median(values), np.median(values, axis=-1)
    assert np.shape(actual) == np.shape(expected)
    assert np.array_equal(actual, expected, equal_nan=values.dtype == np.float64)


def test_a_long_sample_with_a_nan_anywhere_has_no_median():
    values = np.random.default_rng(1).permutation(np.arange(1001.0))
    assert median(values) == 500
    values[3] = np.nan
    assert np.isnan(median(values))


def test_an_empty_sample_has_no_median():
    with pytest.raises(IndexError):
        median(np.array([]))


@given(st.one_of(SOME, arrays(np.int64, st.integers(0, 20), elements=st.integers(0, 9))))
def test_distinct_values_are_what_numpy_finds_unique(values):
    for array in (values, values.astype("datetime64[us]")):
        assert distinct(array).tolist() == np.unique(array).tolist()
        assert distinct(array).dtype == array.dtype


@pytest.mark.parametrize("size", [2, 9, 40, 101])
def test_qn_is_that_of_statsmodels(size):
    values = np.random.default_rng(size).standard_t(3, size)
    assert qn(values) == pytest.approx(qn_scale(values), rel=1e-3)


@given(SOME, st.integers(1, 5))
def test_a_running_median_is_the_median_of_each_window(values, reach):
    slow = [np.median(values[max(k - reach, 0) : k + reach + 1]) for k in range(len(values))]
    assert running_median(values, reach).tolist() == slow


def test_nothing_has_no_spread():
    assert qn(np.array([1.0])) == 0.0


@given(SOME, st.integers(1, 12), st.integers(1, 4))
def test_median_and_scale_before_are_those_of_the_values_before_alone(values, max_size, min_size):
    medians, scale = rolling_mad(values, max(max_size, min_size), min_size)
    for index in range(len(values)):
        before = values[max(index - max(max_size, min_size), 0) : index]
        enough = len(before) >= min_size
        expected = (
            (np.median(before), stats.median_abs_deviation(before, scale="normal")) if enough else (np.nan, np.nan)
        )
        assert (medians[index], scale[index]) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
