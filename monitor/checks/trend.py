"""A metric that goes on getting worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from monitor.checks.base import check
from monitor.checks.comparing import per_level
from monitor.checks.direction import worse
from monitor.checks.own import Looked, Own, refuse_numbers
from monitor.records import Better, Evidence, Series, Severity
from monitor.statistics.slopes import mann_kendall, theil_sen
from monitor.statistics.tails import normal_quantile
from monitor.statistics.trends import cochran_armitage, kendall_scores
from monitor.text import brief, plain, plural

if TYPE_CHECKING:
    from monitor.records import Floats

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, eq=False)
class Going(Looked):
    """How far each point has gone."""

    gone: Floats
    """By so much its line went up over its periods; below 0: down."""
    start: Floats
    """Where that stood at the first of them."""


@check("trend")
@dataclass(frozen=True, slots=True)
class Trend(Own):
    """Objects while the newest periods go on getting worse, more surely than chance and by more than so much.

    How far they went is how far the line of Theil 1950 and Sen 1968 went from the first of them to the last, on the
    true times; one wild period moves it not. Whether they went at all is the test of Mann 1945 and Kendall 1975, its
    variance enlarged for autocorrelation (Yue and Wang 2004, see `monitor.statistics.slopes`). Shares of known cases
    must also go further than the chance of so many cases makes them: the test of Cochran 1954 and Armitage 1955. A
    step among the periods is a way of going too; a weekly season makes it less sure, never surer. A slow one is now
    surer and now less sure than `p`: `recover = 7` in its rule makes one alert of it.

    With the defaults, independent healthy periods raise about 0.02 alerts in 365, those of an AR(1) of 0.6 about 0.2.
    Raises ValueError if a parameter has no sense.
    """

    warn: float | None = 0.0
    """How far it may go over the periods, in the metric's unit, before it warns."""
    critical: float | None = None
    periods: int = 30
    """The newest periods, itself among them, that are looked at."""
    p: float = 0.0001
    """Chance of going as surely in the bad direction where there is no trend, at most."""
    outside: bool = False
    """Whether it objects to going the good way too."""
    kind: ClassVar[type[Looked]] = Going

    def __post_init__(self) -> None:
        refuse_numbers(self.warn, self.critical, least=0, what="distances in the metric's unit, such as warn = 0.02")
        if not 0 < self.p < 0.5:
            raise ValueError(f"p = {plain(self.p)}: give a chance between 0 and 0.5, such as 0.001")
        if self.periods < 8:
            raise ValueError(f"periods = {self.periods} are too few to tell a trend from chance: give 8 or more")

    @property
    def history(self) -> int:
        """Judged periods that it needs before the one it judges."""
        return self.periods - 1

    def sizes(self, pool: Series) -> tuple[Floats, ...]:
        """How far the line went where it went surely, else NaN."""
        gone, start = np.full((2, len(pool)), np.nan)
        if len(pool) >= self.periods and (self.outside or pool.better is not Better.NEITHER):
            days = (pool.times - pool.times[0]) / DAY
            for last in self._candidates(pool).tolist():
                part = slice(last + 1 - self.periods, last + 1)
                gone[last], start[last] = self._gone(days[part], pool.values[part])
        return gone, gone, start

    def _candidates(self, pool: Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Places of points that would object if their neighbours told nothing of each other: few of many."""
        sure = self._surely(kendall_scores(pool.values, self.periods), pool)
        if pool.proportion and pool.support is not None:
            windows = (sliding_window_view(one, self.periods) for one in (pool.values, pool.support))
            sure &= self._surely(cochran_armitage(*windows), pool)
        return np.flatnonzero(sure) + self.periods - 1

    def _surely(self, z: Floats, pool: Series) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether it goes the bad way as surely as is asked; where the cases are not known, they speak not against."""
        asks = normal_quantile(self.p / 2 if self.outside else self.p)
        return np.isnan(z) | (worse(z, pool.better, outside=self.outside) > asks)

    def _gone(self, days: Floats, values: Floats) -> tuple[float, float]:
        """How far the line goes and where it starts; NaN where that may be chance."""
        tested = mann_kendall(values, times=days)
        line = theil_sen(days, values)
        if line is None or tested.p > (self.p if self.outside else 2 * self.p):
            return np.nan, np.nan
        gone = line.slope * float(days[-1] - days[0])
        return gone, line.level - gone

    def __call__(self, past: Series, basis: Going, held: Severity) -> Evidence | None:  # noqa: ARG002
        """Say how far it went, and in how long."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, gone = past.latest, float(basis.gone[-1])
        way = "down" if gone < 0 else "up"
        said = f"{brief(value)}, gone {way} by {brief(abs(gone))} in {plural(self.periods, 'period')}"
        return Evidence(Severity(level), value, float(basis.start[-1]), said, past=True)

    def inside(self) -> str:
        """What is true of a value that it does not object to."""
        return "not going anywhere" if self.outside else "not going on getting worse"

    def sentence(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks.

        >>> Trend(warn=0.02).sentence("recall", brief, "")
        'recall going on getting worse in 30 periods by more than 0.02 warns (p < 0.0001)'
        """
        what = "rising or falling" if self.outside else "going on getting worse"
        parts = per_level(
            self.warn, self.critical, lambda one: f"by more than {show(float(str(one)))}" if one else "however far"
        )
        return f"{name} {what} in {plural(self.periods, 'period')} {parts} (p < {plain(self.p)})"
