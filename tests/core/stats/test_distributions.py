import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from modeltop.core.stats.distributions import chi2_sf, jensen_shannon, norm_isf, norm_sf


@pytest.mark.parametrize("z", [-8.0, -1.0, 0.0, 0.5, 3.0, 8.0, 30.0])
def test_normal_tails_are_those_of_scipy_also_far_out(z):
    assert norm_sf(z) == pytest.approx(stats.norm.sf(z), rel=1e-13)


@pytest.mark.parametrize("tail", [0.9, 0.5, 0.025, 1e-6, 1e-12])
def test_a_normal_quantile_is_exceeded_as_often_as_was_asked(tail):
    assert norm_sf(norm_isf(tail)) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 6, 9, 10, 11, 31, 40, 60])
@pytest.mark.parametrize("x", [-1.0, 0.0, 0.1, 0.3, 3.0, 7.0, 30.0, 300.0, 2000.0])
def test_chi_squared_tails_are_those_of_scipy(x, df):
    assert chi2_sf(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-10, abs=1e-300)


def test_chi_squared_tails_of_arrays_are_those_of_their_elements():
    tails = chi2_sf([[3.0, 0.0], [9.0, np.nan]], [1, 0])
    assert tails == pytest.approx(
        np.array([[stats.chi2.sf(3.0, 1), 1.0], [stats.chi2.sf(9.0, 1), np.nan]]), nan_ok=True
    )


@pytest.mark.parametrize(("p", "q"), [(0.0, 1.0), (0.2, 0.2), (0.01, 0.5), (0.0, 0.3)])
def test_the_distance_of_two_proportions_is_that_of_scipy(p, q):
    expected = jensenshannon([p, 1 - p], [q, 1 - q], base=2)
    assert jensen_shannon(p, q) == pytest.approx(expected, abs=1e-7)
