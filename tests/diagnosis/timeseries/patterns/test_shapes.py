"""Descriptions against generalised least squares of statsmodels, place by place."""

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import toeplitz
from statsmodels.regression.linear_model import GLS

from modeltop.diagnosis.timeseries.noise import Noise
from modeltop.diagnosis.timeseries.pattern_fit import MAX_SPIKE_PERIODS, MIN_BEFORE, ShapeFitter

N = 15
TIMES = np.arange(N)


def step(place):
    return (place <= TIMES) * 1.0


def bend(place):
    return np.maximum(TIMES - place + 1.0, 0.0)


def opposed(atom, gap):
    return [[atom(i) - atom(j)] for i, j in combinations(range(MIN_BEFORE, N - 1), 2) if j - i >= gap]


def two(first, second):
    pairs = combinations(range(MIN_BEFORE, N - 1), 2)
    return [[first(i), second(j)] for i, j in pairs if j - i >= 2]


def apart(width):
    return [[step(k) - step(k + width)] for k in range(MIN_BEFORE, N - width)]


ALL = {
    "step": [[step(k)] for k in range(MIN_BEFORE, N)],
    "bend": [[bend(k)] for k in range(MIN_BEFORE, N - 1)],
    "line": [[TIMES * 1.0]],
    "spike": apart(1),
    "burst": [one for width in range(2, MAX_SPIKE_PERIODS + 1) for one in apart(width)],
    "ramp": opposed(bend, 2),
    "return": opposed(step, MAX_SPIKE_PERIODS + 1),
    "two steps": two(step, step),
    "step and bend": two(step, bend),
    "bend and step": two(bend, step),
    "two bends": two(bend, bend),
    "two ramps": [
        [bend(i) - bend(j), bend(j) - bend(k)]
        for i, j, k in combinations(range(MIN_BEFORE, N - 1), 3)
        if j - i >= 2 and k - j >= 2
    ],
}


def rest(values, columns, covariance):
    fit = GLS(values, np.column_stack([np.ones(N), *columns]), sigma=covariance).fit()
    return float(fit.wresid @ fit.wresid), fit.fittedvalues - fit.fittedvalues[0]


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("name", ALL)
def test_a_description_at_its_best_place_is_the_best_of_all_places(name, rho):
    rng = np.random.default_rng(3)
    values, errors = 20 + 3 * bend(7) - 3 * bend(11) + rng.standard_normal(N), rng.uniform(0.5, 1.5, N)
    covariance = toeplitz(rho ** np.arange(N)) * np.outer(errors, errors)
    fitter = ShapeFitter(values, Noise(errors, rho))
    found = {shape.name: shape for shape in fitter.shapes()}[name]
    level = rest(values, [], covariance)[0]
    best, curve = min((rest(values, columns, covariance) for columns in ALL[name]), key=lambda one: one[0])
    assert fitter.error == pytest.approx(level)
    assert found.gain == pytest.approx(level - best)
    assert found.curve - found.curve[0] == pytest.approx(curve, abs=1e-8)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
def test_the_precision_is_the_inverse_of_the_covariance(rho):
    errors = np.random.default_rng(4).uniform(0.1, 2.0, 9)
    covariance = toeplitz(rho ** np.arange(9)) * np.outer(errors, errors)
    assert Noise(errors, rho).precision() @ covariance == pytest.approx(np.eye(9), abs=1e-9)


@pytest.mark.parametrize("n", [10, 11, 12, 13])
def test_the_shortest_histories_have_descriptions_within_their_bounds(n):
    values = np.random.default_rng(n).standard_normal(n)
    for shape in ShapeFitter(values, Noise(np.ones(n), 0.0)).shapes():
        assert 0 <= shape.start_index < n
        assert -1e-9 <= shape.gain <= n * float(values @ values)
        assert np.isfinite(shape.curve).all()
