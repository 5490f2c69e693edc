"""How far a value tells the next: autocorrelation, and the number of independent values that a series is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modeltop.core.stats.robust import qn

if TYPE_CHECKING:
    Floats = NDArray[np.float64]

MAX_AUTOCORRELATION = 0.95
"""Nearer to 1 nothing can be told from a wandering level."""


def lag1_autocorrelation(values: Floats, *, fitted: int = 1) -> float:
    """Lag-1 autocorrelation about the mean, in [-0.95, 0.95], freed of its bias in short series.

    The usual estimate lies low by about (1 + 3 rho) / n for each fitted level (Kendall 1954; Marriott and Pope 1954).

    Args:
        values: In order of time; fewer than four have no memory that could be told: 0.
        fitted: How many levels or slopes were estimated and taken off.
    """
    return float(lag1_autocorrelations(values[None, :], np.array([fitted]))[0])


def lag1_autocorrelations(many: Floats, fitted: NDArray[np.int64]) -> Floats:
    """The same of many series of one length, one a row, with as many numbers of levels."""
    rows, n = many.shape
    if n < 4:
        return np.zeros(rows)
    centred = many - many.mean(axis=1, keepdims=True)
    total = np.einsum("ij,ij->i", centred, centred)
    together = np.einsum("ij,ij->i", centred[:, 1:], centred[:, :-1])
    rho = np.divide(together, total, out=np.zeros(rows), where=total > 0)
    found: Floats = np.where(
        total > 0, np.clip(rho + fitted * (1 + 3 * rho) / n, -MAX_AUTOCORRELATION, MAX_AUTOCORRELATION), 0.0
    )
    return found


def robust_lag1_autocorrelation(values: Floats) -> float:
    """Lag-1 autocorrelation in [-0.95, 0.95] that changes of level and wild values hardly touch.

    A step is in one difference of neighbours and in two of every other value: the ratio of the robust scales of these
    is 1 + rho in an AR(1) series, whatever its levels (Chakar, Lebarbier, Levy-Leduc and Robin 2017, Bernoulli 23).
    """
    if len(values) < 8:
        return 0.0
    near, far = qn(values[1:] - values[:-1]), qn(values[2:] - values[:-2])
    return float(np.clip((far / near) ** 2 - 1, -MAX_AUTOCORRELATION, MAX_AUTOCORRELATION)) if near > 0 else 0.0


def variance_inflation(rho: float) -> float:
    """How many times larger the variance of a mean is than that of independent values: (1 + rho) / (1 - rho).

    At least 1: that neighbours repel each other is never taken for more evidence.
    """
    return max(1.0, (1 + rho) / (1 - rho))


def effective_sample_size(n: float, rho: float) -> float:
    """How many independent values tell as much about a mean as `n` of an AR(1) series (Bayley and Hammersley 1946)."""
    return n / variance_inflation(rho)
