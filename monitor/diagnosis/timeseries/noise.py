"""The noise of evaluable points: their standard errors and their autocorrelation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.core.stats.autocorrelation import lag1_autocorrelations
from modeltop.core.stats.robust import qn
from modeltop.diagnosis.timeseries.points import Points

MIN_EXCESS_Z, MIN_AUTOCORRELATION_Z = 2.5, 1.5
"""Standard errors by which spread must exceed chance, and autocorrelation exceed 0, before either is believed."""
HEAVY_TAILED_DEGREES = 2
"""Degrees of freedom of heavy-tailed noise. Simulated: with more of them, the largest of 60 values of three degrees of
freedom is more often called a spike."""
MAX_HEAVY_AUTOCORRELATION = 0.3
"""Autocorrelation up to which noise may be heavy-tailed where counts of cases are unknown: so much is chance."""
SCALE_STEPS, MIN_HEAVY_SCALE = 10, 1e-3
"""Steps to the scale of heavy-tailed noise, and the least that it may be, in variances."""
_MIN_RELATIVE_ERROR = 1e-9
"""Differences of numbers that are written alike in all decimals, relative to the largest of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """An AR(1) process around the values."""

    std_errors: Floats
    """Standard error of each value."""
    rho: float
    """Lag-1 autocorrelation, 0 or more."""

    def off_diagonal(self) -> Floats:
        """Return the secondary diagonal of the precision matrix, which is tridiagonal in an AR(1) process."""
        return -self.rho / (1 - self.rho**2) / (self.std_errors[1:] * self.std_errors[:-1])

    def weigh(self, values: Floats) -> Floats:
        """Return the product of the precision matrix, the inverse of the covariance matrix, and values."""
        diagonal = np.full(len(values), 1 + self.rho**2)
        diagonal[[0, -1]] = 1.0
        off_diagonal = self.off_diagonal()
        weighed = diagonal / (1 - self.rho**2) / self.std_errors**2 * values
        weighed[1:] += off_diagonal * values[:-1]
        weighed[:-1] += off_diagonal * values[1:]
        return weighed


def estimate_noise(points: Points, residuals: Floats, *, fitted: int) -> Noise:
    """Estimate the noise from the residuals of a model with many parameters.

    Proportions of known support have their binomial variance; if they spread significantly more, one that all
    periods share is added (DerSimonian and Laird 1986). Elsewhere the spread is estimated.

    Args:
        points: The points.
        residuals: Their values less those of the model.
        fitted: Number of levels and slopes of the model.
    """
    std_errors, rho = _estimate(points, residuals[None, :], np.array([fitted]), points.binomial_variance())
    return Noise(std_errors[0], float(rho[0]))


def deviances(points: Points, residuals: Floats, fitted: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Compute -2 log likelihood of models, but for a constant, and the autocorrelation that each leaves.

    Each has the noise of its own residuals. Where that is independent and its spread is estimated, it is normal or of
    Student's t, whichever is likelier. An autocorrelated series may jump and return slowly, which is no heavy tail.

    Args:
        points: The points.
        residuals: What each model leaves of them, shape (models, points).
        fitted: Number of levels and slopes of each model.
    """
    variances = points.binomial_variance(points.values - residuals)
    std_errors, rho = _estimate(points, residuals, fitted, variances)
    innovation = 1 - rho**2
    scaled = residuals / std_errors
    squares = scaled**2
    squares[:, 1:] = (scaled[:, 1:] - rho[:, None] * scaled[:, :-1]) ** 2 / innovation[:, None]
    heavy = _heavy_tailed_deviances(squares)
    may_be_heavy = rho <= (MAX_HEAVY_AUTOCORRELATION if variances is None else 0.0)
    if variances is not None:  # the tail is one more thing to estimate besides the spread
        heavy += math.log(len(points))
        may_be_heavy &= std_errors[:, 0] > (1 + _MIN_RELATIVE_ERROR) * np.sqrt(variances[:, 0])
    rest = np.where(may_be_heavy, np.minimum(squares.sum(axis=1), heavy), squares.sum(axis=1))
    return 2 * np.log(std_errors).sum(axis=1) + (len(points) - 1) * np.log(innovation) + rest, rho


def _heavy_tailed_deviances(squares: Floats) -> Floats:
    """Return those of independent values of Student's t, by their squares: for its likeliest scale, but for a constant.

    By expectation and maximization (Lange, Little and Taylor 1989, JASA 84); the constant left out is that of a normal.
    """
    n, scale = squares.shape[1], np.ones((len(squares), 1))
    for _ in range(SCALE_STEPS):
        weights = (HEAVY_TAILED_DEGREES + 1) / (HEAVY_TAILED_DEGREES + squares / scale)
        scale = np.maximum((weights * squares).mean(axis=1, keepdims=True), MIN_HEAVY_SCALE)
    tails = np.log1p(squares / scale / HEAVY_TAILED_DEGREES).sum(axis=1)
    # Of two degrees of freedom the density at 0 is 1 / sqrt(8), of a normal 1 / sqrt(2 pi).
    return np.asarray(n * (math.log(4 / math.pi) + np.log(scale[:, 0])) + (HEAVY_TAILED_DEGREES + 1) * tails)


def _estimate(
    points: Points, residuals: Floats, fitted: NDArray[np.int64], binomial: Floats | None
) -> tuple[Floats, Floats]:
    degrees = np.maximum(len(points) - fitted, 1)
    if binomial is None:
        spread = (residuals**2 / points.variances).sum(axis=1) / degrees
        variances = points.variances * np.maximum(spread, _min_error(points) ** 2)[:, None]
    else:
        variances = np.broadcast_to(binomial, residuals.shape)
        weights = 1 / variances
        excess = np.einsum("ij,ij->i", weights, residuals**2) - degrees
        total = weights.sum(axis=1)
        between = excess / (total - np.einsum("ij,ij->i", weights, weights) / total)
        variances = variances + np.where(excess > MIN_EXCESS_Z * np.sqrt(2 * degrees), between, 0.0)[:, None]
    std_errors = np.sqrt(variances)
    return std_errors, significant_autocorrelations(residuals / std_errors, fitted)


def significant_autocorrelations(residuals: Floats, fitted: NDArray[np.int64]) -> Floats:
    """Return the lag-1 autocorrelation of each row of residuals, (models, points), if it is significant, else 0."""
    rho = lag1_autocorrelations(residuals, fitted)
    return np.where(rho > MIN_AUTOCORRELATION_Z / np.sqrt(residuals.shape[1]), rho, 0.0)


def neighbor_noise(points: Points) -> Noise:
    """Estimate the noise of independent points from differences of neighbours, which hold no change of level."""
    variances = points.binomial_variance()
    if variances is None:
        differences = np.diff(points.values) / np.sqrt(points.variances[1:] + points.variances[:-1])
        variances = points.variances * max(qn(differences), _min_error(points)) ** 2
    return Noise(np.sqrt(variances), 0.0)


def _min_error(points: Points) -> float:
    return _MIN_RELATIVE_ERROR * max(1e-9, float(np.abs(points.values).max()))
