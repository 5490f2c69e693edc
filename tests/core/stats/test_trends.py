import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.contingency_tables import Table

from modeltop.core.stats.trend_tests import (
    cochran_armitage,
    mann_kendall,
    mann_kendall_p_values,
    mann_kendall_z,
    theil_sen,
    theil_sen_lines,
)

VALUES = arrays(np.float64, st.integers(0, 40), elements=st.integers(0, 8).map(float))


@given(VALUES, st.integers(2, 12))
def test_each_window_has_the_deviate_of_the_test_of_it_alone(values, length):
    slow = [
        mann_kendall(values[first : first + length], independent=True).z for first in range(len(values) - length + 1)
    ]
    assert mann_kendall_z(values, length) == pytest.approx(slow, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(8, 14), st.sampled_from([0.0, 0.6]), st.booleans())
def test_chance_and_line_of_each_window_are_those_of_it_alone(seed, length, slope, ties):
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.integers(1, 5, 24)).astype(float)
    values = slope * np.arange(24) + rng.standard_normal(24).cumsum()
    values = np.round(values) if ties else values
    parts = np.arange(24 - length + 1)[:, None] + np.arange(length)
    chances = mann_kendall_p_values(mann_kendall_z(values, length), days[parts], values[parts])
    starts, ends = theil_sen_lines(days[parts], values[parts])
    for part, chance, start, end in zip(parts, chances, starts, ends, strict=True):
        line = theil_sen(days[part], values[part])
        assert chance == pytest.approx(mann_kendall(values[part], times=days[part]).p, rel=1e-6)
        assert end == pytest.approx(line.level, abs=1e-9)
        assert end - start == pytest.approx(line.slope * np.ptp(days[part]), abs=1e-9)


def test_of_no_window_there_is_no_line():
    assert [one.shape for one in theil_sen_lines(np.zeros((0, 9)), np.zeros((0, 9)))] == [(0,), (0,)]
    assert mann_kendall_p_values(np.zeros(0), np.zeros((0, 9)), np.zeros((0, 9))).shape == (0,)


@given(
    st.integers(3, 9).flatmap(
        lambda length: st.tuples(
            arrays(np.int64, length, elements=st.integers(1, 60)), arrays(np.float64, length, elements=st.floats(0, 1))
        )
    )
)
def test_a_trend_of_shares_is_that_of_statsmodels(drawn):
    cases, chances = drawn
    hits = np.rint(cases * chances).astype(int)
    (found,) = cochran_armitage((hits / cases)[None, :], cases[None, :].astype(float))
    if hits.sum() in (0, cases.sum()):
        assert np.isnan(found)
        return
    known = Table(np.stack([hits, cases - hits]), shift_zeros=False)
    expected = known.test_ordinal_association(row_scores=np.array([1, 0]))
    # Its variance is that of drawing without replacement, which is larger by n / (n - 1).
    n = cases.sum()
    assert found == pytest.approx(expected.zscore * np.sqrt(n / (n - 1)), rel=1e-9, abs=1e-9)


def test_of_cases_that_are_not_known_nothing_is_said():
    assert np.isnan(cochran_armitage(np.full((1, 4), 0.5), np.array([[10.0, np.nan, 10.0, 10.0]]))).all()
