import pytest
from scipy import stats

from modeltop.core.stats.distributions import (
    chi2_sf,
    norm_isf,
    norm_sf,
    t_isf,
    t_sf,
)


@pytest.mark.parametrize("z", [-8.0, -1.0, 0.0, 0.5, 3.0, 8.0, 30.0])
def test_normal_tails_are_those_of_scipy_also_far_out(z):
    assert norm_sf(z) == pytest.approx(stats.norm.sf(z), rel=1e-13)


@pytest.mark.parametrize("tail", [0.9, 0.5, 0.025, 1e-6, 1e-12])
def test_a_normal_quantile_is_exceeded_as_often_as_was_asked(tail):
    assert norm_sf(norm_isf(tail)) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2.5, 6, 30, 400])
@pytest.mark.parametrize("t", [-2.0, 0.0, 0.1, 1.0, 2.5, 10.0, 100.0])
def test_student_tails_are_those_of_scipy(t, freedom):
    assert t_sf(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-10)


@pytest.mark.parametrize("freedom", [1, 2.5, 6, 30, 400])
@pytest.mark.parametrize("tail", [0.5, 0.4, 0.025, 0.0005])
def test_student_quantiles_are_those_of_scipy(tail, freedom):
    assert t_isf(tail, freedom) == pytest.approx(stats.t.isf(tail, freedom), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 6, 11, 40])
@pytest.mark.parametrize("x", [-1.0, 0.0, 0.1, 2.0, 7.0, 50.0, 400.0])
def test_chi_squared_tails_are_those_of_scipy(x, freedom):
    assert chi2_sf(x, freedom) == pytest.approx(stats.chi2.sf(x, freedom), rel=1e-9, abs=1e-300)
