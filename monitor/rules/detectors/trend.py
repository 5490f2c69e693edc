"""A metric that goes on getting worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from modeltop.core.series import Breach, Direction, Series, Severity
from modeltop.core.stats.distributions import norm_isf
from modeltop.core.stats.trend_tests import cochran_armitage, mann_kendall_p_values, mann_kendall_z, theil_sen_lines
from modeltop.core.text import format_exact, format_value, pluralize
from modeltop.rules.detectors.base import detector
from modeltop.rules.detectors.pointwise import adverse_difference, describe_levels, grade_levels
from modeltop.rules.detectors.self_baselined import Scan, SelfBaselined, validate_levels

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Places

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, eq=False)
class TrendScan(Scan):
    """How far each point has gone."""

    total_change: Floats
    """By so much its line goes up over its periods; below 0: down; NaN where that may be chance."""
    start: Floats
    """Where it stands at the first of them."""


@detector("trend")
@dataclass(frozen=True, slots=True)
class Trend(SelfBaselined):
    """Objects while the newest periods go on getting worse, more surely than chance and by more than so much.

    How far they went is how far the line of Theil 1950 and Sen 1968 went from the first of them to the last, on the
    true times; one wild period moves it not. Whether they went at all is the test of Mann 1945 and Kendall 1975, its
    variance enlarged for autocorrelation (Yue and Wang 2004, see `core.stats.trend_tests`). Shares of known cases
    must also go further than the chance of so many cases makes them: the test of Cochran 1954 and Armitage 1955. A
    step among the periods is a way of going too; a weekly season makes it less sure, never surer.

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
    stay: float = 0.01
    """Chance up to which it stays told, if more than `p`: what falls slowly is now surer and now less sure."""
    outside: bool = False
    """Whether it objects to going the good way too."""
    scan_type: ClassVar[type[Scan]] = TrendScan

    def __post_init__(self) -> None:
        validate_levels(self.warn, self.critical, minimum=0, what="distances in the metric's unit, such as warn = 0.02")
        for name, chance in (("p", self.p), ("stay", self.stay)):
            if not 0 < chance < 0.5:
                raise ValueError(f"{name} = {format_exact(chance)}: give a chance between 0 and 0.5, such as 0.001")
        if self.periods < 8:
            raise ValueError(f"periods = {self.periods} are too few to tell a trend from chance: give 8 or more")

    @property
    def min_history(self) -> int:
        """Judged periods that it needs before the one it judges."""
        return self.periods - 1

    def deviations(self, pool: Series) -> tuple[Floats, ...]:
        """How far the line went where it went surely, else NaN."""
        going, start, chance = np.full((3, len(pool)), np.nan)
        if len(pool) >= self.periods and (self.outside or pool.better is not Direction.NEITHER):
            scores = mann_kendall_z(pool.values, self.periods)
            self._try(pool, scores, self._candidates(pool, scores, self.p), chance)
            told = np.flatnonzero(chance <= self._both(self.p))[:1]
            chance[: told[0] if len(told) else None] = np.nan  # what is not told yet cannot stay told
            if len(told):
                more = self._candidates(pool, scores, max(self.p, self.stay))
                self._try(pool, scores, more[(more > told[0]) & np.isnan(chance[more])], chance)
            stays = np.flatnonzero(chance <= self._both(max(self.p, self.stay)))
            start[stays], end = theil_sen_lines(*self._windows(pool, stays))
            going[stays] = end - start[stays]
        return np.where(chance <= self._both(self.p), going, np.nan), going, start

    def _windows(self, pool: Series, places: Places) -> tuple[Floats, Floats]:
        """Days and values of the periods that end at some places."""
        parts = places[:, None] + np.arange(1 - self.periods, 1)
        return (pool.times[parts] - pool.times[0]) / DAY, pool.values[parts]

    def _try(self, pool: Series, scores: Floats, places: Places, chance: Floats) -> None:
        """Work out the chance at some places."""
        chance[places] = mann_kendall_p_values(scores[places + 1 - self.periods], *self._windows(pool, places))

    def _both(self, p: float) -> float:
        """What a chance in the direction that is asked for is in both."""
        return p if self.outside else 2 * p

    def _candidates(self, pool: Series, scores: Floats, p: float) -> Places:
        """Places of points that would object if their neighbours told nothing of each other: few of many."""
        sure = self._surely(scores, pool, p)
        if pool.proportion and pool.support is not None:
            windows = (sliding_window_view(one, self.periods) for one in (pool.values, pool.support))
            sure &= self._surely(cochran_armitage(*windows), pool, p)
        return np.flatnonzero(sure) + self.periods - 1

    def _surely(self, z: Floats, pool: Series, p: float) -> Flags:
        """Whether it goes the bad way as surely as is asked; where the cases are not known, they speak not against."""
        return np.isnan(z) | (adverse_difference(z, pool.better, outside=self.outside) > norm_isf(self._both(p) / 2))

    def levels(self, series: Series, basis: Scan, current_level: Severity) -> Levels:
        """Per point its level; what is held stays so while it goes on, if less surely."""
        if not current_level:
            return basis.levels
        stays = grade_levels(self._far(series, basis), self.warn, self.critical)
        return np.maximum(basis.levels, np.minimum(stays, np.int8(current_level)))

    def excess(self, series: Series, basis: Scan, level: Severity) -> Floats:  # noqa: ARG002  the protocol's
        """Per point how far the line went."""
        return np.nan_to_num(self._far(series, basis), nan=-np.inf)

    def _far(self, series: Series, basis: Scan) -> Floats:
        assert isinstance(basis, TrendScan), "it is what `bases` gave"
        return adverse_difference(basis.total_change, series.better, outside=self.outside)

    def __call__(self, past: Series, basis: TrendScan, current_level: Severity) -> Breach | None:
        """Say how far it went, and in how long."""
        level = int(self.levels(past[-1:], basis[-1:], current_level)[-1])
        if not level:
            return None
        value, gone = past.latest, float(basis.total_change[-1])
        way = "down" if gone < 0 else "up"
        said = f"{format_value(value)} {way} by {format_value(abs(gone))} in {pluralize(self.periods, 'period')}"
        return Breach(Severity(level), value, float(basis.start[-1]), said)

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to."""
        return "not going anywhere" if self.outside else "not going on getting worse"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks.

        >>> Trend(warn=0.02).describe("recall", format_value, "")
        'recall going on getting worse in 30 periods by more than 0.02 warns (p < 0.0001)'
        """
        what = "rising or falling" if self.outside else "going on getting worse"
        parts = describe_levels(
            self.warn, self.critical, lambda one: f"by more than {show(float(str(one)))}" if one else "however far"
        )
        return f"{name} {what} in {pluralize(self.periods, 'period')} {parts} (p < {format_exact(self.p)})"
