"""Autocorrelation of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats

MAX_AUTOCORRELATION = 0.95
"""Upper bound: nearer to 1, a series cannot be distinguished from a random walk."""


def lag1_autocorrelations(values: Floats, fitted: NDArray[np.int64]) -> Floats:
    """Return the lag-1 autocorrelation of each row about its mean, in [-0.95, 0.95], corrected for its bias.

    The usual estimate lies low by about (1 + 3 rho) / n for each fitted level (Kendall 1954; Marriott and Pope 1954).
    `values` have the shape (series, n), in order of time; fewer than four give 0. `fitted` counts the levels and slopes
    that were estimated and subtracted of each.
    """
    rows, n = values.shape
    if n < 4:
        return np.zeros(rows)
    centred = values - values.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred)
    covariance = np.einsum("ij,ij->i", centred[:, 1:], centred[:, :-1])
    rho = np.divide(covariance, variance, out=np.zeros(rows), where=variance > 0)
    corrected = np.clip(rho + fitted * (1 + 3 * rho) / n, -MAX_AUTOCORRELATION, MAX_AUTOCORRELATION)
    return np.where(variance > 0, corrected, 0.0)
