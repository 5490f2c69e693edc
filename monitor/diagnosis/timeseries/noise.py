"""How much chance there is in judged points: how far they spread, and how far each resembles the one before."""

from __future__ import annotations

import math
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
"""Standard errors by which spread must exceed chance, and resemblance none, before either is believed."""

_DUST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What chance does to each point."""

    std_errors: Floats
    """Standard error of each value."""
    rho: float
    """Autocorrelation of neighbours, 0 or more."""

    def whitened(self, columns: Floats) -> Floats:
        """Columns over the points (along the last axis) in standard errors, freed of what the point before tells.

        In an AR(1) series the results of noise are independent with variance 1 (Prais and Winsten 1954).
        """
        scaled: Floats = columns / self.std_errors
        if not self.rho:
            return scaled
        out = scaled / math.sqrt(1 - self.rho**2)
        out[..., 1:] = (scaled[..., 1:] - self.rho * scaled[..., :-1]) / math.sqrt(1 - self.rho**2)
        out[..., 0] = scaled[..., 0]
        return out

    def precision(self) -> Floats:
        """The inverse of the covariance matrix of the points, tridiagonal in an AR(1) series."""
        n, known = len(self.std_errors), 1 - self.rho**2
        out = np.zeros((n, n))
        out.flat[:: n + 1] = (1 + self.rho**2) / known / self.std_errors**2
        out[[0, -1], [0, -1]] = 1 / known / self.std_errors[[0, -1]] ** 2
        beside = -self.rho / known / (self.std_errors[1:] * self.std_errors[:-1])
        out.flat[1 :: n + 1] = out.flat[n :: n + 1] = beside
        return out


def estimate_noise(those: Points, beside: Floats, *, fitted: int, own: bool = False) -> Noise:
    """The noise, from what a rich description leaves.

    Args:
        those: The points.
        beside: Their values less the description.
        fitted: How many numbers the description was given.
        own: Whether chance is taken at the shares that the description gives, rather than at their mean.

    Shares of known cases have the variance of chance; where they spread significantly more, one more variance that
    all periods share is added to it (DerSimonian and Laird 1986). Elsewhere the spread is estimated. An
    autocorrelation is believed where it is significant: to allow for one that is not there costs power.
    """
    errors, rho = _noises(those, beside[None, :], np.array([fitted]), own=own)
    return Noise(errors[0], float(rho[0]))


def deviances(those: Points, beside: Floats, fitted: NDArray[np.int64]) -> Floats:
    """-2 log likelihood of what each description leaves, with the noise that it leaves itself, but for a constant.

    Args:
        those: The points.
        beside: What the descriptions leave, one a row.
        fitted: How many numbers each was given.
    """
    errors, rho = _noises(those, beside, fitted, own=True)
    known = 1 - rho**2
    scaled = beside / errors
    fresh = scaled[:, 1:] - rho[:, None] * scaled[:, :-1]
    rest = scaled[:, 0] ** 2 + np.einsum("ij,ij->i", fresh, fresh) / known
    found: Floats = 2 * np.log(errors).sum(axis=1) + (len(those) - 1) * np.log(known) + rest
    return found


def _noises(those: Points, beside: Floats, fitted: NDArray[np.int64], *, own: bool) -> tuple[Floats, Floats]:
    """Standard errors and autocorrelation under each description, one a row."""
    free = np.maximum(len(those) - fitted, 1)
    variances = those.binomial_variance(those.values - beside if own else None)
    if variances is None:
        # Numbers that are written alike in all decimals differ by less than this.
        dust = (_DUST * max(1e-9, float(np.abs(those.values).max()))) ** 2
        spread = np.maximum((beside**2 / those.variances).sum(axis=1) / free, dust)
        variances = those.variances * spread[:, None]
    else:
        variances = np.broadcast_to(variances, beside.shape)
        weights = 1 / variances
        more = np.einsum("ij,ij->i", weights, beside**2) - free
        total = weights.sum(axis=1)
        extra = more / (total - np.einsum("ij,ij->i", weights, weights) / total)
        variances = variances + np.where(more > MIN_EXCESS_Z * np.sqrt(2 * free), extra, 0.0)[:, None]
    errors = np.sqrt(variances)
    return errors, _remembered(beside / errors, fitted)


def significant_autocorrelation(beside: Floats, *, fitted: int) -> float:
    """Lag-1 autocorrelation of what a description leaves, where it is significant, else 0."""
    return float(_remembered(beside[None, :], np.array([fitted]))[0])


def _remembered(many: Floats, fitted: NDArray[np.int64]) -> Floats:
    """The same of many, one a row."""
    rho = lag1_autocorrelations(many, fitted)
    return np.where(rho > MIN_AUTOCORRELATION_Z / np.sqrt(many.shape[1]), rho, 0.0)


def neighbor_noise(those: Points) -> Noise:
    """The noise of independent points, from neighbours alone: no change of level is in it."""
    variances = those.binomial_variance()
    if variances is None:
        unlike = np.diff(those.values) / np.sqrt(those.variances[1:] + those.variances[:-1])
        dust = _DUST * max(1e-9, float(np.abs(those.values).max()))
        variances = those.variances * max(qn(unlike), dust) ** 2
    return Noise(np.sqrt(variances), 0.0)
