import numpy as np
import pytest
from statsmodels.tsa.stattools import acf

from modeltop.core.stats.autocorrelation import lag1_autocorrelations


def lag1_autocorrelation(values, fitted=1):
    return lag1_autocorrelations(values[None, :], np.array([fitted]))[0]


def test_without_its_correction_it_is_the_estimate_of_statsmodels():
    values = np.random.default_rng(1).normal(size=50)
    raw = acf(values, nlags=1, fft=False)[1]
    assert lag1_autocorrelation(values, 0) == pytest.approx(raw, rel=1e-12)
    assert lag1_autocorrelation(values) == pytest.approx(raw + (1 + 3 * raw) / 50, rel=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_short_series_are_estimated_without_bias(rho, ar1):
    rng = np.random.default_rng(2)
    estimates = [lag1_autocorrelation(ar1(rho, 30, rng)) for _ in range(600)]
    assert np.mean(estimates) == pytest.approx(rho, abs=0.04)


@pytest.mark.parametrize("values", [np.ones(20), np.arange(3.0), np.array([])])
def test_what_has_no_spread_or_is_too_short_has_no_autocorrelation(values):
    assert lag1_autocorrelation(values) == 0.0
