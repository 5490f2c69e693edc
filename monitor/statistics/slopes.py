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
from numpy.typing import NDArray

from monitor.statistics.memory import lag_one
from monitor.statistics.tails import normal_quantile, normal_tail

if TYPE_CHECKING:
    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]


PARABOLA = 4
"""Points with fewer of which a parabola leaves nothing."""

DUST = 1e-12
"""Share of the largest value that rounding leaves beside a curve."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A robust line through a series."""

    slope: float
    """Per unit of the times that were given."""
    low: float
    """95 % interval, unless another confidence was asked for."""
    high: float
    level: float
    """Where the line stands at the last time: the median of what the values leave beside it."""


@dataclass(frozen=True, slots=True)
class Kendall:
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
def pairs(n: int) -> tuple[Places, Places]:
    """The earlier and the later place of each pair of n."""
    first, second = np.triu_indices(n, 1)
    return first, second


def theil_sen(times: Floats, values: Floats, *, confidence: float = 0.95, widen: float = 1.0) -> Slope | None:
    """The median slope between pairs of points at different times, with its interval.

    Args:
        times: Any unit and spacing; the values need not be evenly apart.
        values: As many, finite.
        confidence: Of the interval, which comes from the ordered slopes at Kendall's variance (Sen 1968).
        widen: What that variance is multiplied by, for autocorrelation.

    Returns:
        None with fewer than two different times.
    """
    first, second = pairs(len(values))
    apart = times[second] - times[first]
    there = apart != 0
    if not there.any():
        return None
    slopes = np.sort((values[second] - values[first])[there] / apart[there])
    slope = float(_middle(slopes))
    reach = normal_quantile((1 - confidence) / 2) * math.sqrt(kendall_variance(values, times) * widen)
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    level = float(np.median(values - slope * times) + slope * times[-1])
    return Slope(slope, float(slopes[low]), float(slopes[high]), level)


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


def mann_kendall(values: Floats, *, times: Floats | None = None, independent: bool = False) -> Kendall:
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
    first, second = pairs(n)
    s = float(np.sign(values[second] - values[first]).sum())
    variance = kendall_variance(values)
    rho = 0.0 if independent else _rho(np.arange(n, dtype=np.float64) if times is None else times, values)
    variance *= excess(rho, n)
    if variance <= 0:
        return Kendall(s, 0.0, 0.0, 1.0, rho)
    z = math.copysign(max(abs(s) - 1, 0.0), s) / math.sqrt(variance)
    return Kendall(s, variance, z, min(1.0, 2 * normal_tail(abs(z))), rho)


def _rho(times: Floats, values: Floats) -> float:
    """What the values remember, beside a parabola: a trend that sets in among them is not taken for memory.

    Beside a line, one of a deviation a period is found 24 periods after it set in, and so after 13; memory of 0.6
    passes for a trend as seldom.
    """
    span = float(np.ptp(times))
    if not span or len(values) < PARABOLA:
        return 0.0
    powers = np.vander((times - times.mean()) / span, 3)
    beside = values - powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
    # What rounding leaves beside a perfect curve remembers nothing.
    return lag_one(beside, fitted=3) if np.ptp(beside) > DUST * float(np.abs(values).max()) else 0.0


def excess(rho: float, n: int) -> float:
    """The ratio n / n* of an AR(1) series, at least 1 (Matalas and Langbein 1962; Yue and Wang 2004).

    >>> excess(0.0, 30), round(excess(0.5, 1000), 2)
    (1.0, 3.0)
    """
    if rho <= 0 or n < 2:
        return 1.0
    return float(max(1.0, 1 + 2 * (rho ** (n + 1) - n * rho**2 + (n - 1) * rho) / (n * (rho - 1) ** 2)))
