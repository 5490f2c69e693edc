import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.contingency_tables import Table

from monitor.statistics.slopes import mann_kendall
from monitor.statistics.trends import cochran_armitage, kendall_scores

VALUES = arrays(np.float64, st.integers(0, 40), elements=st.integers(0, 8).map(float))


@given(VALUES, st.integers(2, 12))
def test_each_window_has_the_deviate_of_the_test_of_it_alone(values, length):
    slow = [
        mann_kendall(values[first : first + length], independent=True).z for first in range(len(values) - length + 1)
    ]
    assert kendall_scores(values, length) == pytest.approx(slow, abs=1e-12)


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
