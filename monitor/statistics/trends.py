"""Whether values or shares go up or down, and how far, for many windows of a sequence at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.statistics.memory import lags_one
from monitor.statistics.slopes import DUST, excess, pairs

if TYPE_CHECKING:
    Floats = NDArray[np.float64]


def kendall_scores(values: Floats, length: int) -> Floats:
    """The deviate of the test of Mann 1945 and Kendall 1975 of each window, ties allowed for, points independent.

    With the continuity correction. The pairs that are so far apart are summed by running sums: a window costs as many
    steps as it has points, not as it has pairs.

    Args:
        values: Finite, in order of time.
        length: Points of a window, 2 or more; one window ends at each point from the `length`-th on.

    Returns:
        One a window, above 0 where it rises; 0 where nothing differs.
    """
    windows = len(values) - length + 1
    s = np.zeros(max(windows, 0))
    if windows <= 0:
        return s
    for apart in range(1, length):
        signs = np.concatenate([[0.0], np.cumsum(np.sign(values[apart:] - values[:-apart]))])
        s += signs[length - apart :] - signs[:windows]
    variance = (length * (length - 1) * (2 * length + 5) - _tied(values, length)) / 18
    corrected = np.sign(s) * np.maximum(np.abs(s) - 1, 0.0)
    found: Floats = np.divide(corrected, np.sqrt(np.maximum(variance, 0.0)), out=np.zeros(windows), where=variance > 0)
    return found


def _tied(values: Floats, length: int) -> Floats:
    """Per window, the sum of t (t - 1) (2 t + 5) over its groups of t equal values."""
    if len(np.unique(values)) == len(values):
        return np.zeros(len(values) - length + 1)
    ordered = np.sort(sliding_window_view(values, length), axis=1)
    fresh = np.concatenate([np.ones((len(ordered), 1), dtype=np.bool_), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    group = np.cumsum(fresh) - 1
    sizes = np.bincount(group).astype(np.float64)
    window = np.repeat(np.arange(len(ordered)), length)[fresh.ravel()]
    summed: Floats = np.bincount(window, sizes * (sizes - 1) * (2 * sizes + 5), len(ordered)).astype(np.float64)
    return summed


def kendall_chances(scores: Floats, times: Floats, values: Floats) -> Floats:
    """The two-sided chance of each window's deviate, with allowance for memory as `mann_kendall` makes it.

    Args:
        scores: From `kendall_scores`.
        times: Of the windows, of shape (windows, length); strictly increasing.
        values: As many.
    """
    length = values.shape[1]
    span = times[:, -1:] - times[:, :1]
    along = (times - times.mean(axis=1, keepdims=True)) / span
    curves, _ = np.linalg.qr(np.stack([np.ones_like(along), along, along**2], axis=2))
    beside = values - np.einsum("ijk,ik->ij", curves, np.einsum("ijk,ij->ik", curves, values))
    rho = lags_one(beside, np.full(len(values), 3))
    rho = np.where(np.ptp(beside, axis=1) > DUST * np.abs(values).max(axis=1), rho, 0.0)
    wider = np.sqrt([excess(one, length) for one in rho.tolist()])
    return np.array([math.erfc(abs(one) / math.sqrt(2)) for one in (scores / wider).tolist()])


def lines(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Where the line of Theil 1950 and Sen 1968 stands at the first and at the last time of each window.

    Args:
        times: Of shape (windows, length); strictly increasing.
        values: As many.
    """
    first, second = pairs(values.shape[1])
    slopes = (values[:, second] - values[:, first]) / (times[:, second] - times[:, first])
    slope = np.median(slopes, axis=1) if len(slopes) else np.zeros(0)
    level = np.median(values - slope[:, None] * times, axis=1) if len(slopes) else np.zeros(0)
    return level + slope * times[:, 0], level + slope * times[:, -1]


def cochran_armitage(shares: Floats, cases: Floats) -> Floats:
    """The deviate of the test for a trend of proportions (Cochran 1954, Armitage 1955), per row, in equal steps.

    Args:
        shares: Of shape (windows, length), in [0, 1].
        cases: What each is a share of; NaN or 0 where that is not known.

    Returns:
        One a row, above 0 where the shares rise; NaN where cases are not known, or there is but one kind of them.
    """
    known = np.where(cases > 0, cases, np.nan)
    steps = np.arange(shares.shape[1]) - (shares.shape[1] - 1) / 2
    total = known.sum(axis=1)
    share = (known * shares).sum(axis=1) / total
    middle = (known * steps).sum(axis=1) / total
    away = steps - middle[:, None]
    above = (known * shares * away).sum(axis=1)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(share * (1 - share) * (known * away**2).sum(axis=1))
        return np.where(spread > 0, above / np.where(spread > 0, spread, 1.0), np.nan)
