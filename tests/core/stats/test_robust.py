import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats
from statsmodels.robust.scale import qn_scale

from modeltop.core.stats.robust import (
    distinct,
    hampel_filter,
    median,
    qn,
    rolling_mad,
    rolling_median,
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


@given(SOME, st.integers(1, 5))
def test_the_median_before_reads_no_value_from_its_own_on(values, reach):
    slow = [values[0], *(np.median(values[max(k - reach, 0) : k]) for k in range(1, len(values)))]
    assert rolling_median(values, reach).tolist() == slow


@pytest.mark.parametrize(
    ("level", "filtered"),
    [
        pytest.param([1, 1, 1, 1, 1, 9, 1, 1, 1, 1], [1] * 10, id="one wild value"),
        pytest.param([1, 1, 1, 9, 9, 9, 1, 1, 1, 1], [1] * 10, id="three in a row"),
        pytest.param([1, 1, 9, 9, 9, 9, 9, 9, 1, 1], None, id="six are a level"),
        pytest.param([1, 1, 1, 1, 1, 1, 5, 5, 5, 5], None, id="a step"),
        pytest.param([1, 1, 1, 1, 1, 1, 1, 1, 5, 5], None, id="a step two periods ago"),
        pytest.param([1, 1, 1, 1, 1, 1, 1, 1, 1, 5], [1] * 10, id="the newest has yet to last"),
        pytest.param([1, 1, 1, 1, 9, 5, 5, 5, 5, 5], [1, 1, 1, 1, 5, 5, 5, 5, 5, 5], id="beside a step"),
        pytest.param([1, 1, 1.2, 0.8, 1.25, 1, 1, 1, 1, 1], None, id="within three errors"),
    ],
)
def test_wild_values_are_put_back_and_levels_are_left_alone(level, filtered):
    assert hampel_filter(np.array(level, dtype=float), np.full(10, 0.1)).tolist() == (
        level if filtered is None else filtered
    )


@given(SOME, st.floats(0.01, 100), st.integers(-1000, 1000))
def test_what_is_wild_does_not_depend_on_units(values, scale, origin):
    errors = np.full(len(values), np.e / 3)  # no value that anybody would try lies just three of them off another
    moved = hampel_filter(values * scale + origin, errors * scale)
    assert moved == pytest.approx(hampel_filter(values, errors) * scale + origin, rel=1e-6, abs=1e-3 * scale + 1e-6)


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
