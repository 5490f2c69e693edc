"""The judged points of a series with the error of each, in the form in which they are explained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Series
from modeltop.core.stats.robust import MAX_MAGNITUDE, median

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Judged points, oldest first."""

    times: Times
    values: Floats
    variances: Floats
    """Of each value by chance, relative to each other, with a median of about 1."""
    support: Floats | None
    """What each value is a share of; None where it is no share, or of unknown cases."""
    season: Floats | None = None
    """What was taken off each value for its season; None where there is none."""

    def __len__(self) -> int:
        return len(self.times)

    def since(self, place: int) -> Points:
        """Those from a place on."""
        cases, season = (None if one is None else one[place:] for one in (self.support, self.season))
        return Points(self.times[place:], self.values[place:], self.variances[place:], cases, season)

    @property
    def days(self) -> Floats:
        """Days since the first point."""
        since: Floats = (self.times - self.times[0]) / DAY
        return since

    def binomial_variance(self, level: Floats | None = None) -> Floats | None:
        """The variance p (1 - p) / n that chance alone gives to shares; None where they are none.

        Args:
            level: The share p of each without its season; one for all, their mean, where it is not given.
        """
        if self.support is None:
            return None
        whole = self.support.sum()
        share = self.values @ self.support / whole if level is None else level
        if self.season is not None:
            share = share + self.season
        # Half a case of each kind is added: a share of 0 or 1 that was seen so far is not one for ever.
        share = (np.clip(share, 0, 1) * whole + 0.5) / (whole + 1)
        variances: Floats = share * (1 - share) / self.support
        return variances

    def mean(self, values: Floats) -> float:
        """Their mean, each weighed by what it rests on."""
        weights = 1 / self.variances
        return float(weights @ values / weights.sum())

    def subtract(self, part: Floats) -> Points:
        """The same with something taken off the values."""
        return replace(self, values=self.values - part)

    def deseasonalize(self, part: Floats) -> Points:
        """The same without what the season adds, which is remembered: chance moves a low share as a low one."""
        return replace(self, values=self.values - part, season=part)


def evaluable_points(series: Series, *, min_count: float = 0, newest: int | None = None) -> Points:
    """The judged points, or the newest of them, without values so large that no chance is known of them.

    A value that rests on n cases has a variance in proportion to 1 / n: a month of five games tells little. Where the
    support is unknown the rows of the period weigh in its place, being nearly in proportion to it; where these are
    not known of all points either, all weigh alike.
    """
    places = np.flatnonzero(series.evaluable(min_count) & (np.abs(series.values) < MAX_MAGNITUDE))
    if newest is not None:
        places = places[-newest:]
    times, values = series.times[places], series.values[places]
    for column in (series.support, series.rows):
        if column is not None and len(places):
            cases = column[places]
            if np.all(np.isfinite(cases) & (cases > 0)):
                known = series.proportion and column is series.support
                return Points(times, values, median(cases) / cases, cases if known else None)
    return Points(times, values, np.ones(len(places)), None)
