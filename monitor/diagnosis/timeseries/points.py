"""The evaluable points of a series with the relative error of each, as input of all time series statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from modeltop.core.series import Floats, Series, Times
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import MAX_MAGNITUDE, median

DAY = np.timedelta64(1, "D")
MIN_STEADY_PERIODS, MIN_STEADY_CASES, MIN_STEADY_RATIO = 20, 3.0, 0.25
"""Periods, and n p (1 - p) of a usual one, from which differences are nearly normal; and the ratio of their spread to
the binomial one below which values do not rest on their cases. Simulated: at most 1 of 1,000 series that do."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The evaluable points of a series as arrays, oldest first."""

    times: Times
    values: Floats
    variances: Floats
    """Sampling variance of each value relative to the others, with a median of about 1."""
    support: Floats | None
    """Number of cases of which each value is a proportion; None if it is not a proportion, or the number is unknown."""
    season: Floats | None = None
    """Seasonal effect that was subtracted from each value; None if there is none."""

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, part: slice) -> Points:
        support, season = (None if column is None else column[part] for column in (self.support, self.season))
        return Points(self.times[part], self.values[part], self.variances[part], support, season)

    @property
    def days(self) -> Floats:
        """Days since the first point."""
        return np.asarray((self.times - self.times[0]) / DAY)

    def binomial_variance(self, level: Floats | None = None) -> Floats | None:
        """Return the variance p (1 - p) / n of proportions, else None; p is `level` without season, or the mean."""
        if self.support is None:
            return None
        total = self.support.sum()
        proportion = self.values @ self.support / total if level is None else level
        if self.season is not None:
            proportion = proportion + self.season
        # Half a case of each kind is added: a proportion of 0 or 1 so far need not be so for ever.
        proportion = (np.clip(proportion, 0, 1) * total + 0.5) / (total + 1)
        return np.asarray(proportion * (1 - proportion) / self.support)

    def mean(self, values: Floats) -> float:
        """Return the mean of values at these points, weighted by the inverse of the variances."""
        weights = 1 / self.variances
        return float(weights @ values / weights.sum())

    def deseasonalize(self, season: Floats) -> Points:
        """Return the points without their season, which is remembered: a low proportion has a variance of its own."""
        return replace(self, values=self.values - season, season=season)


def evaluable_points(series: Series, newest: int | None = None) -> Points:
    """Return the evaluable points of a series, without values too large for their squares to be numbers.

    A value on n cases has a variance in proportion to 1 / n. If the support is unknown the rows of the period replace
    it; if these are not known for all points either, all have the same variance. Of more than `newest` points, these.
    """
    indices = np.flatnonzero(series.evaluable() & (np.abs(series.values) < MAX_MAGNITUDE))
    if newest is not None:
        indices = indices[-newest:]
    times, values = series.times[indices], series.values[indices]
    for column in (series.support, series.rows):
        if column is not None and len(indices):
            cases = column[indices]
            if np.all(np.isfinite(cases) & (cases > 0)):
                is_support = series.proportion and column is series.support and not _is_too_steady(values, cases)
                return Points(times, values, median(cases) / cases, cases if is_support else None)
    return Points(times, values, np.ones(len(indices)), None)


def _is_too_steady(values: Floats, cases: Floats) -> bool:
    """Return whether proportions vary so little that they cannot rest on these cases, such as smoothed ones.

    With their binomial variance p (1 - p) / n every change of a steady series would pass for noise.
    """
    level = float(np.clip(median(values), 0, 1))
    if len(values) < MIN_STEADY_PERIODS or level * (1 - level) * float(median(cases)) < MIN_STEADY_CASES:
        return False
    differences = np.abs(np.diff(values)) / np.sqrt(level * (1 - level) * (1 / cases[1:] + 1 / cases[:-1]))
    return NORMAL_MAD * float(median(differences)) < MIN_STEADY_RATIO
