"""Robust trend lines by the slopes between pairs of points (Theil 1950, Sen 1968), and tests for a trend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.core.stats.autocorrelation import lag1_autocorrelations
from modeltop.core.stats.distributions import norm_isf, norm_sf
from modeltop.core.stats.robust import distinct, median
from modeltop.core.stats.rolling import row_chunks

Indices = NDArray[np.int64]

MIN_PARABOLA_POINTS = 4
"""Minimum number of points for which a parabola leaves residuals."""

ROUNDING_TOLERANCE = 1e-12
"""Residuals of a perfect fit by rounding, as a fraction of the largest value."""


@dataclass(frozen=True, slots=True)
class TheilSenResult:
    """A robust line through a series: slope, interval and level."""

    slope: float
    low: float
    high: float
    level: float
    """Value of the line at the last time, such that the median residual is 0."""


class MannKendallResult(NamedTuple):
    """The result of the test of Mann and Kendall, and the autocorrelation that it allows for."""

    p: float
    rho: float
    """Lag-1 autocorrelation of the residuals of a parabola."""


@lru_cache(maxsize=64)
def index_pairs(n: int) -> tuple[Indices, Indices]:
    """Return the earlier and the later index of each pair of n."""
    first, second = np.triu_indices(n, 1)
    return first, second


def theil_sen(times: Floats, values: Floats, *, widen: float = 1.0) -> TheilSenResult | None:
    """Fit the median slope between pairs of points at different times, with its interval.

    Args:
        times: In any unit, at any distances; None is returned with fewer than two different ones.
        values: As many, finite.
        widen: Factor of Kendall's variance, from which the interval comes (Sen 1968), for autocorrelation.
    """
    first, second = index_pairs(len(values))
    gaps = times[second] - times[first]
    distinct_times = gaps != 0
    if not distinct_times.any():
        return None
    slopes = np.sort((values[second] - values[first])[distinct_times] / gaps[distinct_times])
    slope = float(median(slopes))
    reach = norm_isf(0.025) * math.sqrt(kendall_variance(values, times) * widen)
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    level = float(median(values - slope * times) + slope * times[-1])
    return TheilSenResult(slope, float(slopes[low]), float(slopes[high]), level)


def kendall_variance(values: Floats, times: Floats | None = None) -> float:
    """Return the variance of S of independent values without a trend, ties allowed for (Sen 1968, equation 2.6)."""
    n = len(values)
    columns = [values] if times is None else [values, times]
    tied = sum(float(_tie_sums(np.sort(column)[None, :])[0]) for column in columns)
    return max(0.0, (n * (n - 1) * (2 * n + 5) - tied) / 18)


def mann_kendall(values: Floats, times: Floats) -> MannKendallResult:
    """Test whether values at increasing times, all finite, rise or fall monotonically more than by chance.

    Autocorrelation looks like a trend. The variance of S is therefore multiplied by n / n*, the number of values over
    that of independent ones (Yue and Wang 2004), for an AR(1) series whose rho is that of the residuals of a parabola.
    The correction of Hamed and Rao 1998 sums many estimated autocorrelations instead and keeps only the significant
    ones: in 30 values it then mostly keeps none, and the test finds a trend three times as often as it should.
    """
    rho = float(_detrended_autocorrelations(times[None, :], values[None, :])[0])
    z = float(mann_kendall_z(values, len(values))[0]) / math.sqrt(variance_correction(rho, len(values)))
    return MannKendallResult(min(1.0, 2 * norm_sf(abs(z))), rho)


def _detrended_autocorrelations(times: Floats, values: Floats, season: int = 1) -> Floats:
    """Return the autocorrelation of the residuals of a parabola, so that the start of a trend does not count as one.

    Nor does a season of so many values.

    With a line, a trend of a standard deviation per period is found 24 periods after it started, and so after 13; an
    autocorrelation of 0.6 passes for a trend as seldom.
    """
    if values.shape[1] < MIN_PARABOLA_POINTS:
        return np.zeros(len(values))
    scaled = (times - times.mean(axis=1, keepdims=True)) / (times[:, -1:] - times[:, :1])
    # A season adds a mean for each place of it but the last.
    places = np.eye(season)[np.arange(values.shape[1]) % season, :-1]
    columns = [np.stack([np.ones_like(scaled), scaled, scaled**2], axis=2)]
    columns += [np.broadcast_to(places, (len(values), *places.shape))] if season > 1 else []
    curves, _ = np.linalg.qr(np.concatenate(columns, axis=2))
    residuals = values - np.einsum("ijk,ik->ij", curves, np.einsum("ijk,ij->ik", curves, values))
    is_rounding = np.ptp(residuals, axis=1) <= ROUNDING_TOLERANCE * np.abs(values).max(axis=1)
    # Neighbors have different means of the season, which add no bias.
    return np.where(is_rounding, 0.0, lag1_autocorrelations(residuals, np.full(len(values), 3)))


def variance_correction(rho: float, n: int) -> float:
    """Return the ratio n / n* of an AR(1) series, at least 1 (Matalas and Langbein 1962; Yue and Wang 2004).

    >>> variance_correction(0.0, 30), round(variance_correction(0.5, 1000), 2)
    (1.0, 3.0)
    """
    if rho <= 0 or n < 2:
        return 1.0
    return float(max(1.0, 1 + 2 * (rho ** (n + 1) - n * rho**2 + (n - 1) * rho) / (n * (rho - 1) ** 2)))


def mann_kendall_z(values: Floats, length: int) -> Floats:
    """Return the z-score of the test of Mann 1945 and Kendall 1975 of each window, ties allowed for, without memory.

    With the continuity correction; above 0 if the window rises, 0 if nothing differs. One window of `length`
    points ends at each of the finite `values` from the `length`-th on. Pairs of equal distance are summed by running
    sums: a window costs as many steps as it has points, not as it has pairs.
    """
    windows = len(values) - length + 1
    s = np.zeros(max(windows, 0))
    if windows <= 0:
        return s
    for lag in range(1, length):
        signs = np.concatenate([[0.0], np.cumsum(np.sign(values[lag:] - values[:-lag]))])
        s += signs[length - lag :] - signs[:windows]
    tied = np.zeros(windows)
    if len(distinct(values)) < len(values):
        for rows in row_chunks(windows, length):
            tied[rows] = _tie_sums(np.sort(sliding_window_view(values, length)[rows], axis=1))
    variance = (length * (length - 1) * (2 * length + 5) - tied) / 18
    corrected = np.sign(s) * np.maximum(np.abs(s) - 1, 0.0)
    z_scores: Floats = np.divide(
        corrected, np.sqrt(np.maximum(variance, 0.0)), out=np.zeros(windows), where=variance > 0
    )
    return z_scores


def mann_kendall_rows(values: Floats, season: int = 1) -> Floats:
    """Return the z-score of `mann_kendall_z` of each row, shape (windows, length).

    Only values at the same place of a season of so many are compared (Hirsch, Slack and Smith 1982, Water Resources
    Research 18); `length` is a multiple of it.
    """
    rows, length = len(values), values.shape[1] // season
    values = values.reshape(rows, length, season).swapaxes(1, 2).reshape(rows * season, length)
    s = np.zeros(len(values))
    for lag in range(1, length):
        s += np.sign(values[:, lag:] - values[:, :-lag]).sum(axis=1)
    variance = (length * (length - 1) * (2 * length + 5) - _tie_sums(np.sort(values, axis=1))) / 18
    s, variance = s.reshape(rows, season).sum(axis=1), variance.reshape(rows, season).sum(axis=1)
    corrected = np.sign(s) * np.maximum(np.abs(s) - 1, 0.0)
    return np.asarray(np.divide(corrected, np.sqrt(np.maximum(variance, 0.0)), out=np.zeros(rows), where=variance > 0))


def significant_trends(times: Floats, values: Floats, p: float, *, corrected: bool = True, season: int = 1) -> Indices:
    """Return the windows that rise or fall significantly, by the two-sided test of Mann and Kendall.

    Args:
        times: Shape (windows, length); strictly increasing.
        values: The same shape, finite.
        p: The largest p-value.
        corrected: Whether to allow for autocorrelation.
        season: Values after which a season repeats, of which the length is a multiple.
    """
    z_scores = mann_kendall_rows(values, season)
    rows: Indices = np.flatnonzero(np.abs(z_scores) >= norm_isf(p / 2))  # autocorrelation only adds to a p-value
    if not corrected or not len(rows):
        return rows
    return rows[mann_kendall_p_values(z_scores[rows], times[rows], values[rows], season) <= p]


def _tie_sums(ordered: Floats) -> Floats:
    """Return, per sorted row, the sum of t (t - 1) (2 t + 5) over its groups of t equal values."""
    rows, length = ordered.shape
    is_first = np.ones(ordered.shape, dtype=np.bool_)
    is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    sizes = np.bincount(np.cumsum(is_first) - 1).astype(np.float64) if ordered.size else np.zeros(0)
    row = np.repeat(np.arange(rows), length)[is_first.ravel()]
    return np.bincount(row, sizes * (sizes - 1) * (2 * sizes + 5), rows).astype(np.float64)


def mann_kendall_p_values(z_scores: Floats, times: Floats, values: Floats, season: int = 1) -> Floats:
    """Return the two-sided p-value of each window, autocorrelation allowed for as `mann_kendall` does.

    Args:
        z_scores: From `mann_kendall_z`, shape (windows,).
        times: Shape (windows, length); strictly increasing.
        values: The same shape, finite.
        season: Values after which a season repeats.
    """
    autocorrelations = _detrended_autocorrelations(times, values, season).tolist()
    widening = [variance_correction(rho, values.shape[1]) for rho in autocorrelations]
    return np.array([2 * norm_sf(abs(z)) for z in (z_scores / np.sqrt(widening)).tolist()])


def theil_sen_lines(times: Floats, values: Floats, season: int = 1) -> tuple[Floats, Floats]:
    """Return the line of Theil 1950 and Sen 1968 at the first and at the last time of each window.

    `times`, strictly increasing, and `values`, finite, have the shape (windows, length). Slopes are those between
    values at the same place of a season of so many.
    """
    first, second = index_pairs(values.shape[1])
    if season > 1:
        is_same = (second - first) % season == 0
        first, second = first[is_same], second[is_same]
    slopes = (values[:, second] - values[:, first]) / (times[:, second] - times[:, first])
    slope = median(slopes)
    level = median(values - slope[:, None] * times)
    return level + slope * times[:, 0], level + slope * times[:, -1]


def cochran_armitage(proportions: Floats, cases: Floats) -> Floats:
    """Return the z-score of the test for a trend of proportions in equal steps (Cochran 1954, Armitage 1955).

    One per window of `proportions`, shape (windows, length), in [0, 1]: above 0 if they rise, NaN if `cases` are
    not known (NaN or 0), or all alike.
    """
    weights = np.where(cases > 0, cases, np.nan)
    steps = np.arange(proportions.shape[1]) - (proportions.shape[1] - 1) / 2
    total = weights.sum(axis=1)
    pooled = (weights * proportions).sum(axis=1) / total
    center = (weights * steps).sum(axis=1) / total
    centred = steps - center[:, None]
    covariance = (weights * proportions * centred).sum(axis=1)
    with np.errstate(invalid="ignore"):
        std = np.sqrt(pooled * (1 - pooled) * (weights * centred**2).sum(axis=1))
        return np.where(std > 0, covariance / np.where(std > 0, std, 1.0), np.nan)
