"""How much chance there is in judged points: how far they spread, and how far each resembles the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.explain.points import Points
from monitor.statistics.memory import lag_one
from monitor.statistics.robust import qn

if TYPE_CHECKING:
    from monitor.records import Floats

MORE, ALIKE = 2.5, 1.5
"""Standard errors by which spread must exceed chance, and resemblance none, before either is believed."""

_DUST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What chance does to each point."""

    errors: Floats
    """Standard error of each value."""
    rho: float
    """Autocorrelation of neighbours, 0 or more."""

    def whitened(self, columns: Floats) -> Floats:
        """Columns over the points (along the last axis) in standard errors, freed of what the point before tells.

        In an AR(1) series the results of noise are independent with variance 1 (Prais and Winsten 1954).
        """
        scaled: Floats = columns / self.errors
        if not self.rho:
            return scaled
        out = scaled / math.sqrt(1 - self.rho**2)
        out[..., 1:] = (scaled[..., 1:] - self.rho * scaled[..., :-1]) / math.sqrt(1 - self.rho**2)
        out[..., 0] = scaled[..., 0]
        return out

    def precision(self) -> Floats:
        """The inverse of the covariance matrix of the points, tridiagonal in an AR(1) series."""
        n, known = len(self.errors), 1 - self.rho**2
        out = np.zeros((n, n))
        out.flat[:: n + 1] = (1 + self.rho**2) / known / self.errors**2
        out[[0, -1], [0, -1]] = 1 / known / self.errors[[0, -1]] ** 2
        beside = -self.rho / known / (self.errors[1:] * self.errors[:-1])
        out.flat[1 :: n + 1] = out.flat[n :: n + 1] = beside
        return out

    def surprise(self, beside: Floats) -> float:
        """-2 log likelihood of what is left beside a description, but for a constant."""
        rest = self.whitened(beside)
        return float(2 * np.log(self.errors).sum() + (len(rest) - 1) * math.log(1 - self.rho**2) + rest @ rest)


def noise_of(those: Points, beside: Floats, *, fitted: int, own: bool = False) -> Noise:
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
    free = max(len(those) - fitted, 1)
    variances = those.chance(those.values - beside if own else None)
    if variances is None:
        # Numbers that are written alike in all decimals differ by less than this.
        dust = (_DUST * max(1e-9, float(np.abs(those.values).max()))) ** 2
        variances = those.variances * max(float((beside**2 / those.variances).sum()) / free, dust)
    else:
        weights = 1 / variances
        more = float(weights @ beside**2) - free
        if more > MORE * math.sqrt(2 * free):
            total = float(weights.sum())
            variances = variances + more / (total - float(weights @ weights) / total)
    errors = np.sqrt(variances)
    return Noise(errors, memory_of(beside / errors, fitted=fitted))


def memory_of(beside: Floats, *, fitted: int) -> float:
    """Lag-1 autocorrelation of what a description leaves, where it is significant, else 0."""
    rho = lag_one(beside, fitted=fitted)
    return rho if rho > ALIKE / math.sqrt(len(beside)) else 0.0


def rough_noise(those: Points) -> Noise:
    """The noise of independent points, from neighbours alone: no change of level is in it."""
    variances = those.chance()
    if variances is None:
        unlike = np.diff(those.values) / np.sqrt(those.variances[1:] + those.variances[:-1])
        dust = _DUST * max(1e-9, float(np.abs(those.values).max()))
        variances = those.variances * max(qn(unlike), dust) ** 2
    return Noise(np.sqrt(variances), 0.0)
