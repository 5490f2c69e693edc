"""A line that wild values cannot move, and whether there is one at all.

Both count pairs: the slope is the median of the slopes between pairs (Theil 1950, Sen 1968), the test asks whether
more pairs rise than fall (Mann 1945, Kendall 1975).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from modeltop.core.stats.autocorrelation import lag1_autocorrelation, lag1_autocorrelations
from modeltop.core.stats.distributions import norm_isf, norm_sf
from modeltop.core.stats.robust import distinct, median

if TYPE_CHECKING:
    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

MIN_PARABOLA_POINTS = 4
"""Points with fewer of which a parabola leaves nothing."""

ROUNDING_TOLERANCE = 1e-12
"""Share of the largest value that rounding leaves beside a curve."""


@dataclass(frozen=True, slots=True)
class TheilSenResult:
    """A robust line through a series."""

    slope: float
    """Per unit of the times that were given."""
    low: float
    """95 % interval, unless another confidence was asked for."""
    high: float
    level: float
    """Where the line stands at the last time: the median of what the values leave beside it."""


@dataclass(frozen=True, slots=True)
class MannKendallResult:
    """The test of Mann and Kendall."""

    s: float
    """Rising pairs less falling ones."""
    variance: float
    """Of `s` without a trend; ties and autocorrelation allowed for."""
    z: float
    """With the continuity correction."""
    p: float
    """Two-sided."""
    rho: float = 0.0
    """Lag-1 autocorrelation beside a parabola."""


@lru_cache(maxsize=64)
def index_pairs(n: int) -> tuple[Places, Places]:
    """The earlier and the later place of each pair of n."""
    first, second = np.triu_indices(n, 1)
    return first, second


def theil_sen(times: Floats, values: Floats, *, confidence: float = 0.95, widen: float = 1.0) -> TheilSenResult | None:
    """The median slope between pairs of points at different times, with its interval.

    Args:
        times: Any unit and spacing; the values need not be evenly apart.
        values: As many, finite.
        confidence: Of the interval, which comes from the ordered slopes at Kendall's variance (Sen 1968).
        widen: What that variance is multiplied by, for autocorrelation.

    Returns:
        None with fewer than two different times.
    """
    first, second = index_pairs(len(values))
    apart = times[second] - times[first]
    there = apart != 0
    if not there.any():
        return None
    slopes = np.sort((values[second] - values[first])[there] / apart[there])
    slope = float(_middle(slopes))
    reach = norm_isf((1 - confidence) / 2) * math.sqrt(kendall_variance(values, times) * widen)
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    level = float(median(values - slope * times) + slope * times[-1])
    return TheilSenResult(slope, float(slopes[low]), float(slopes[high]), level)


def _middle(ordered: Floats) -> float:
    n = len(ordered)
    return float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


def kendall_variance(values: Floats, times: Floats | None = None) -> float:
    """Variance of S of independent values without a trend, with what ties of values and of times take off; 0 or more.

    Kendall 1975; with ties of both it is that of Sen 1968, equation 2.6, which leaves out what they have in common.
    """
    n = len(values)
    ties = [_ties(values)] if times is None else [_ties(values), _ties(times)]
    most = n * (n - 1) * (2 * n + 5)
    return max(0.0, (most - sum(float((t * (t - 1) * (2 * t + 5)).sum()) for t in ties)) / 18)


def _ties(values: Floats) -> Floats:
    counts = np.unique(values, return_counts=True)[1]
    return counts[counts > 1].astype(np.float64)


def mann_kendall(values: Floats, *, times: Floats | None = None, independent: bool = False) -> MannKendallResult:
    """Whether the values rise or fall, in any way, more than chance makes them.

    Neighbours that resemble each other look like a trend. The variance of S is therefore multiplied by n / n*, the
    number of values over that of independent ones (Yue and Wang 2004), with the autocorrelation of an AR(1) series
    whose rho is taken from what the values leave beside a parabola. The correction of Hamed and Rao 1998 sums
    many estimated autocorrelations instead and keeps only the significant ones: in 30 values it then mostly keeps
    none, and the test says "trend" three times as often as it should.

    Args:
        values: In order of time, finite.
        times: Where they are unevenly apart; for the parabola only.
        independent: Leave the variance as it is for independent values.
    """
    n = len(values)
    first, second = index_pairs(n)
    s = float(np.sign(values[second] - values[first]).sum())
    variance = kendall_variance(values)
    rho = 0.0 if independent else _rho(np.arange(n, dtype=np.float64) if times is None else times, values)
    variance *= variance_correction(rho, n)
    if variance <= 0:
        return MannKendallResult(s, 0.0, 0.0, 1.0, rho)
    z = math.copysign(max(abs(s) - 1, 0.0), s) / math.sqrt(variance)
    return MannKendallResult(s, variance, z, min(1.0, 2 * norm_sf(abs(z))), rho)


def _rho(times: Floats, values: Floats) -> float:
    """What the values remember, beside a parabola: a trend that sets in among them is not taken for memory.

    Beside a line, one of a deviation a period is found 24 periods after it set in, and so after 13; memory of 0.6
    passes for a trend as seldom.
    """
    span = float(np.ptp(times))
    if not span or len(values) < MIN_PARABOLA_POINTS:
        return 0.0
    powers = np.vander((times - times.mean()) / span, 3)
    beside = values - powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
    # What rounding leaves beside a perfect curve remembers nothing.
    return (
        lag1_autocorrelation(beside, fitted=3)
        if np.ptp(beside) > ROUNDING_TOLERANCE * float(np.abs(values).max())
        else 0.0
    )


def variance_correction(rho: float, n: int) -> float:
    """The ratio n / n* of an AR(1) series, at least 1 (Matalas and Langbein 1962; Yue and Wang 2004).

    >>> variance_correction(0.0, 30), round(variance_correction(0.5, 1000), 2)
    (1.0, 3.0)
    """
    if rho <= 0 or n < 2:
        return 1.0
    return float(max(1.0, 1 + 2 * (rho ** (n + 1) - n * rho**2 + (n - 1) * rho) / (n * (rho - 1) ** 2)))


def mann_kendall_z(values: Floats, length: int) -> Floats:
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
    if len(distinct(values)) == len(values):
        return np.zeros(len(values) - length + 1)
    ordered = np.sort(sliding_window_view(values, length), axis=1)
    fresh = np.concatenate([np.ones((len(ordered), 1), dtype=np.bool_), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    group = np.cumsum(fresh) - 1
    sizes = np.bincount(group).astype(np.float64)
    window = np.repeat(np.arange(len(ordered)), length)[fresh.ravel()]
    summed: Floats = np.bincount(window, sizes * (sizes - 1) * (2 * sizes + 5), len(ordered)).astype(np.float64)
    return summed


def mann_kendall_p_values(scores: Floats, times: Floats, values: Floats) -> Floats:
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
    rho = lag1_autocorrelations(beside, np.full(len(values), 3))
    rho = np.where(np.ptp(beside, axis=1) > ROUNDING_TOLERANCE * np.abs(values).max(axis=1), rho, 0.0)
    wider = np.sqrt([variance_correction(one, length) for one in rho.tolist()])
    return np.array([math.erfc(abs(one) / math.sqrt(2)) for one in (scores / wider).tolist()])


def theil_sen_lines(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Where the line of Theil 1950 and Sen 1968 stands at the first and at the last time of each window.

    Args:
        times: Of shape (windows, length); strictly increasing.
        values: As many.
    """
    first, second = index_pairs(values.shape[1])
    slopes = (values[:, second] - values[:, first]) / (times[:, second] - times[:, first])
    slope = median(slopes)
    level = median(values - slope[:, None] * times)
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
