"""A single period far from what is usual at that time of the week."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from modeltop.core.series import Breach, Series, Severity
from modeltop.core.stats.cusum import MIN_RELATIVE_STD
from modeltop.core.stats.robust import rolling_mad
from modeltop.core.stats.rolling import rolling_moments
from modeltop.core.text import format_exact, format_value
from modeltop.rules.detectors.base import detector
from modeltop.rules.detectors.pointwise import describe_levels
from modeltop.rules.detectors.self_baselined import Scan, SelfBaselined, validate_levels

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

WEEKS, FEWEST = 8, 4
"""Earlier periods of the same weekday that tell its level, at most and at least."""
NEARER = 0.8
"""There is a week where values lay nearer to their weekday than to all, by this ratio of the mean distances.

Without one the ratio is about 1.08, eight values telling a level less well than sixty.
"""
DAY = np.timedelta64(1, "D")
SMALLEST = 1e-150
"""A deviation of what is 0 and never varied: no value that is judged lies too many of it away to be told."""
EFFICIENCY = 0.37
"""Of a median absolute deviation, beside the standard deviation of a normal sample (Rousseeuw and Croux 1993)."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlierScan(Scan):
    """How far each point lies out."""

    expected: Floats
    scale: Floats
    """One deviation there, in the metric's unit."""


@detector("spike")
@dataclass(frozen=True, slots=True)
class Outlier(SelfBaselined):
    """Objects to a period that lies further on the bad side of its season than so many robust deviations.

    The level is the median of the periods before, and what a period usually lies off is the median absolute deviation
    × 1.4826 of what earlier ones lay off theirs (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers): a bad
    period of the past widens nothing, and a steady trend is no spike. Where days have been nearer to the level of
    their weekday, that is their level: what predicted best up to then is believed (Dawid 1984, Prequential approach,
    JRSS A 147). Until four of its weekday are known a day counts from the furthest of all days before. A
    deviation that was estimated from few periods counts for less; one on fewer cases than usual is wider, and one of a
    share never narrower than chance makes it.

    With the defaults, independent normal periods raise about 0.01 alerts in 365. Each period is judged alone: what
    stays bad is objected to until it is half of the reference. Raises ValueError if a parameter has no sense.
    """

    warn: float | None = 4.5
    """Deviations beyond which it warns."""
    critical: float | None = None
    periods: int = 60
    """Periods before it that tell what is usual, at most."""
    least: int = 10
    """Periods that tell a level at least, and of which what they lay off theirs is known."""
    outside: bool = False
    """Whether it objects to a value on the good side too."""
    scan_type: ClassVar[type[Scan]] = OutlierScan

    def __post_init__(self) -> None:
        validate_levels(
            self.warn, self.critical, minimum=0.1, what="numbers of deviations above 0.1, such as warn = 4.5"
        )
        if self.least < 4 or self.periods < self.least:
            raise ValueError("periods and least are numbers of periods: least from 4 up to periods")

    @property
    def min_history(self) -> int:
        """Judged periods that it needs before the one it judges."""
        return 2 * self.least

    def deviations(self, pool: Series) -> tuple[Floats, ...]:
        """In deviations."""
        plainly = self._off(pool.values, rolling_mad(pool.values, self.periods, self.least)[0])
        weekly = self._off(pool.values, _by_weekday(pool))
        days = _daily(pool, self.periods)
        with np.errstate(invalid="ignore"):
            season = days & (weekly.distance < NEARER * plainly.distance)
        usual = np.where(season, weekly.expected, plainly.expected)
        scale = np.where(season, weekly.scale, plainly.scale)
        early = days & ~np.isfinite(weekly.scale)
        usual[early] = _nearest_before(pool.values)[early]
        scale = self._widened(pool, usual, scale)
        number = np.minimum(np.maximum(np.arange(len(pool)) - self.least, 2), self.periods)
        certain = 1 - 1 / np.sqrt(2 * EFFICIENCY * (number - 1))
        known = np.isfinite(plainly.scale)
        return np.where(known, certain * (pool.values - usual) / scale, np.nan), usual, scale / certain

    def _off(self, values: Floats, level: Floats) -> _Deviation:
        """How far the points lie off the level that was told, and how far they usually do."""
        known = np.isfinite(level)
        beside = (values - level)[known]
        offset, scale = rolling_mad(beside, self.periods, self.least)
        high = np.arange(len(beside))
        low = np.maximum(high - self.periods, 0)
        plain = rolling_moments(beside, low, high)[1]
        scale = np.where(~(scale <= 0), scale, plain)  # more than half of them may be one value
        distance = np.where(
            np.isfinite(scale), rolling_moments(np.abs(beside - np.nan_to_num(offset)), low, high)[0], np.nan
        )
        return _Deviation(*(_among(known, column) for column in (level[known] + offset, scale, distance)))

    def _widened(self, pool: Series, usual: Floats, scale: Floats) -> Floats:
        """A deviation of each point, by what it rests on; of what never varied, a share of the level.

        Where the support is not known the rows stand for it: it is nearly in proportion to them.
        """
        cases = pool.rows if pool.support is None else pool.support
        if cases is not None:
            cases = np.where(cases > 0, cases, np.nan)
            known = np.isfinite(cases)
            usually = _among(known, rolling_mad(cases[known], self.periods, self.least)[0])
            scale = scale * np.sqrt(np.nan_to_num(np.maximum(usually / cases, 1.0), nan=1.0))
            if pool.proportion and pool.support is not None:
                # Half a case of each kind is added: a share of 0 or 1 that was seen so far is not one for ever.
                share = (np.clip(usual, 0, 1) * cases + 0.5) / (cases + 1)
                scale = np.fmax(scale, np.sqrt(share * (1 - share) / cases))
        return np.maximum(scale, np.maximum(MIN_RELATIVE_STD * np.abs(usual), SMALLEST))

    def __call__(self, past: Series, basis: OutlierScan, current_level: Severity) -> Breach | None:  # noqa: ARG002
        """Say how far out it is."""
        level = int(basis.levels[-1])
        if not level:
            return None
        value, usual, size = past.latest, float(basis.expected[-1]), float(basis.excess[-1])
        asks = self.critical if level == Severity.CRITICAL else self.warn
        assert asks is not None, "a level that was given has a number"
        edge = usual + math.copysign(asks * float(basis.scale[-1]), value - usual)
        side = "below" if value < usual else "above"
        return Breach(
            Severity(level), value, edge, f"{format_value(value)} {size:.1f} deviations {side} {format_value(usual)}"
        )

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to."""
        return "not out of season"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks.

        >>> Outlier().describe("recall", format_value, "")
        'recall in one period worse than usual, season allowed for, by more than 4.5 deviations warns'
        """
        side = "off what is" if self.outside else "worse than"
        parts = describe_levels(
            self.warn, self.critical, lambda one: f"by more than {format_exact(float(str(one)))} deviations"
        )
        return f"{name} in one period {side} usual, season allowed for, {parts}"


class _Deviation(NamedTuple):
    """What each point is compared with; NaN where too little is known."""

    expected: Floats
    scale: Floats
    distance: Floats
    """How far points before lay off theirs, on average."""


def _among(known: Flags, column: Floats) -> Floats:
    whole = np.full(len(known), np.nan)
    whole[known] = column
    return whole


def _by_weekday(pool: Series) -> Floats:
    """Per point the median of those before it on the same weekday, in UTC; NaN where there are too few."""
    weekdays = pool.times.astype("datetime64[D]").astype(np.int64) % 7
    level = np.full(len(pool), np.nan)
    for weekday in range(7):
        on = weekdays == weekday
        level[on] = rolling_mad(pool.values[on], WEEKS, FEWEST)[0]
    return level


def _daily(pool: Series, periods: int) -> Flags:
    """Per point whether those before it mostly came a day apart."""
    usual, _ = rolling_mad(np.diff(pool.times) / DAY, periods, 1)
    return np.concatenate([[False], np.abs(usual - 1) < 0.1])[: len(pool)]


def _nearest_before(values: Floats) -> Floats:
    """Per point what of the span of all values before it lies nearest to it; the first has none but itself."""
    low, high = np.minimum.accumulate(values), np.maximum.accumulate(values)
    before = np.clip(values[1:], low[:-1], high[:-1])
    return np.concatenate([values[:1], before])
