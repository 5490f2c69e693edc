"""Fitted shapes against generalised least squares of statsmodels at every position."""

from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import toeplitz
from statsmodels.regression.linear_model import GLS

from modeltop.diagnosis.timeseries.noise import Noise
from modeltop.diagnosis.timeseries.pattern_fit import MAX_SPIKE_PERIODS, MIN_BEFORE, fit_shapes

N = 15
TIMES = np.arange(N)


def step(position):
    return (position <= TIMES) * 1.0


def bend(position):
    return np.maximum(TIMES - position + 1.0, 0.0)


def opposed(atom, gap):
    return [[atom(i) - atom(j)] for i, j in combinations(range(MIN_BEFORE, N - 1), 2) if j - i >= gap]


def apart(width):
    return [[step(k) - step(k + width)] for k in range(MIN_BEFORE, N - width)]


COLUMNS = {
    "step": [[step(k)] for k in range(MIN_BEFORE, N)],
    "line": [[bend(1)]],
    "slope": [[bend(k)] for k in range(MIN_BEFORE, N - 1)],
    "spike": apart(1),
    "burst": [columns for width in range(2, MAX_SPIKE_PERIODS + 1) for columns in apart(width)],
    "ramp": opposed(bend, 2),
    "return": opposed(step, MAX_SPIKE_PERIODS + 1),
}


def fit(values, columns, covariance):
    model = GLS(values, np.column_stack([np.ones(N), *columns]), sigma=covariance).fit()
    return float(model.wresid @ model.wresid), model.fittedvalues - model.fittedvalues[0]


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_shape_at_its_best_position_is_the_best_of_all_positions(name, rho):
    rng = np.random.default_rng(3)
    values, errors = 20 + 3 * bend(7) - 3 * bend(11) + rng.standard_normal(N), rng.uniform(0.5, 1.5, N)
    covariance = toeplitz(rho ** np.arange(N)) * np.outer(errors, errors)
    shapes = {shape.name: shape for shape in fit_shapes(values, Noise(errors, rho))}
    level = fit(values, [], covariance)[0]
    best, curve = min((fit(values, columns, covariance) for columns in COLUMNS[name]), key=lambda pair: pair[0])
    assert shapes[name].gain == pytest.approx(level - best)
    assert shapes[name].curve - shapes[name].curve[0] == pytest.approx(curve, abs=1e-8)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
def test_the_precision_is_the_inverse_of_the_covariance(rho):
    errors = np.random.default_rng(4).uniform(0.1, 2.0, 9)
    covariance = toeplitz(rho ** np.arange(9)) * np.outer(errors, errors)
    noise = Noise(errors, rho)
    precision = np.stack([noise.weigh(column) for column in np.eye(9)])
    assert precision @ covariance == pytest.approx(np.eye(9), abs=1e-9)
    assert noise.off_diagonal() == pytest.approx(np.diag(precision, 1))


@pytest.mark.parametrize("n", [10, 11, 12, 13])
def test_the_shortest_histories_have_shapes_within_their_bounds(n):
    values = np.random.default_rng(n).standard_normal(n)
    for shape in fit_shapes(values, Noise(np.ones(n), 0.0)):
        assert 0 <= shape.start_index < n
        assert -1e-9 <= shape.gain <= n * float(values @ values)
        assert np.isfinite(shape.curve).all()
