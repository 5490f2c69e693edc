"""The noise of evaluable points: their standard errors and their autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modeltop.core.stats.autocorrelation import lag1_autocorrelations
from modeltop.core.stats.robust import qn
from modeltop.diagnosis.timeseries.points import Points

if TYPE_CHECKING:
    from modeltop.core.series import Floats

MIN_EXCESS_Z, MIN_AUTOCORRELATION_Z = 2.5, 1.5
"""Standard errors by which spread must exceed chance, and autocorrelation exceed 0, before either is believed."""
_MIN_RELATIVE_ERROR = 1e-9
"""Differences of numbers that are written alike in all decimals, relative to the largest of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """An AR(1) process around the values."""

    std_errors: Floats
    """Standard error of each value."""
    rho: float
    """Lag-1 autocorrelation, 0 or more."""

    def precision(self) -> Floats:
        """Return the inverse of the covariance matrix, tridiagonal in an AR(1) process."""
        n, innovation = len(self.std_errors), 1 - self.rho**2
        out = np.zeros((n, n))
        out.flat[:: n + 1] = (1 + self.rho**2) / innovation / self.std_errors**2
        out[[0, -1], [0, -1]] = 1 / innovation / self.std_errors[[0, -1]] ** 2
        off_diagonal = -self.rho / innovation / (self.std_errors[1:] * self.std_errors[:-1])
        out.flat[1 :: n + 1] = out.flat[n :: n + 1] = off_diagonal
        return out


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


def deviances(points: Points, residuals: Floats, fitted: NDArray[np.int64]) -> Floats:
    """Compute -2 log likelihood of models, each under the noise of its own residuals, but for a constant.

    Args:
        points: The points.
        residuals: What each model leaves of them, shape (models, points).
        fitted: Number of levels and slopes of each model.
    """
    variances = points.binomial_variance(points.values - residuals)
    std_errors, rho = _estimate(points, residuals, fitted, variances)
    innovation = 1 - rho**2
    scaled = residuals / std_errors
    innovations = scaled[:, 1:] - rho[:, None] * scaled[:, :-1]
    rest = scaled[:, 0] ** 2 + np.einsum("ij,ij->i", innovations, innovations) / innovation
    out: Floats = 2 * np.log(std_errors).sum(axis=1) + (len(points) - 1) * np.log(innovation) + rest
    return out


def _estimate(
    points: Points, residuals: Floats, fitted: NDArray[np.int64], binomial: Floats | None
) -> tuple[Floats, Floats]:
    """Return standard errors, shape (models, points), and autocorrelations, shape (models,)."""
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
