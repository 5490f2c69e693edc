"""The baselines that lie in the series' own past."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np

from modeltop.core.series import Flags, Series, SeriesKey, to_datetime64
from modeltop.core.text import format_period, pluralize
from modeltop.rules.baselines.base import NO_SERIES, Baseline, BaselineStats, Places, baseline_stats

MAX_PERIODS = 60
MIN_PERIODS = 10


BaselineWindow = tuple[Series, Places, Places]
"""A pool of evaluable periods, and per point the indices `[low, high)` of its baseline in it."""


class PastBaseline(Baseline):
    """Base of the baselines that lie in the series' own past."""

    __slots__ = ()
    is_moving: ClassVar[bool] = False
    """True if the baseline moves along with the point."""

    min_periods: int = 1
    """Minimum number of periods in a baseline: with fewer there is too little history to compare with."""

    @abstractmethod
    def windows(self, series: Series, evaluable: Flags) -> BaselineWindow:
        """Return the range of each point's baseline; only `evaluable` periods may be in one."""

    def stats(
        self,
        series: Series,
        *,
        min_count: float = 0,
        other_series: Mapping[SeriesKey, Series] = NO_SERIES,  # noqa: ARG002
    ) -> BaselineStats:
        """Return the baseline of each point of `series`, which lies in the series itself."""
        return baseline_stats(
            *self.windows(series, series.evaluable(min_count)), self.min_periods, is_moving=self.is_moving
        )

    def window(self, past: Series, *, min_count: float = 0) -> Series | None:
        """Return the periods that the last one of `past` is compared with; None with too little history."""
        if not len(past):
            return None
        pool, low, high = self.windows(past, past.evaluable(min_count))
        return pool[low[-1] : high[-1]] if high[-1] - low[-1] >= self.min_periods else None


def _validate_periods(max_periods: int, min_periods: int, name: str) -> None:
    if min_periods < 1 or max_periods < min_periods:
        raise ValueError(
            f"{name} = {max_periods} is too few periods to compare with: give {max(min_periods, 1)} or more"
        )


@dataclass(frozen=True, slots=True)
class Rolling(PastBaseline):
    """The newest evaluable periods before each point.

    Raises:
        ValueError: `max_periods` is smaller than `min_periods`, or that than 1.
    """

    is_moving: ClassVar[bool] = True

    max_periods: int = MAX_PERIODS
    min_periods: int = MIN_PERIODS

    def __post_init__(self) -> None:
        _validate_periods(self.max_periods, self.min_periods, "rolling")

    def windows(self, series: Series, evaluable: Flags) -> BaselineWindow:
        """Return, per point, its newest evaluable predecessors, at most `max_periods`."""
        before = _count_before(evaluable)
        return series[evaluable], np.maximum(before - self.max_periods, 0), before

    def describe(self) -> str:
        """Return a description such as `its 60 earlier periods`."""
        return f"its {pluralize(self.max_periods, 'earlier period')}"


@dataclass(frozen=True, slots=True)
class FirstPeriods(PastBaseline):
    """The first evaluable periods of the series; the points among them are compared with nothing.

    Raises:
        ValueError: Fewer than two periods.
    """

    periods: int

    def __post_init__(self) -> None:
        _validate_periods(self.periods, 2, "first")

    def windows(self, series: Series, evaluable: Flags) -> BaselineWindow:
        """Return the same periods for every point after them."""
        high = np.where(_count_before(evaluable) >= self.periods, self.periods, 0)
        return series[evaluable], np.zeros_like(high), high

    def describe(self) -> str:
        """Return a description such as `its first 30 periods`."""
        return f"its first {pluralize(self.periods, 'period')}"


@dataclass(frozen=True, slots=True)
class DateRange(PastBaseline):
    """The evaluable periods from one moment to another; the points before its end are compared with nothing.

    Raises:
        ValueError: The start is not before the end, or they have no zone.
    """

    start: datetime
    end: datetime
    """A period that starts here is not part of it."""

    def __post_init__(self) -> None:
        if to_datetime64(self.start) >= to_datetime64(self.end):
            raise ValueError(
                f"from {format_period(self.start)} is not before to {format_period(self.end)}: exchange them"
            )

    def windows(self, series: Series, evaluable: Flags) -> BaselineWindow:
        """Return the same periods for every point that starts at their end or later."""
        pool = series[evaluable]
        low, high = np.searchsorted(pool.times, [to_datetime64(self.start), to_datetime64(self.end)])
        after = series.times >= to_datetime64(self.end)
        return pool, np.where(after, low, 0), np.where(after, high, 0)

    def describe(self) -> str:
        """Return a description such as `its periods from 2025-01-01 to 2025-02-01`."""
        return f"its periods from {format_period(self.start)} to {format_period(self.end)}"


@dataclass(frozen=True, slots=True)
class SameWeekday(PastBaseline):
    """The newest evaluable periods that started on the same weekday, in UTC: for daily periods with a weekly season.

    Raises:
        ValueError: `periods` is smaller than `min_periods`, or that than 1.
    """

    is_moving: ClassVar[bool] = True

    periods: int = 8
    min_periods: int = 4

    def __post_init__(self) -> None:
        _validate_periods(self.periods, self.min_periods, "weekday")

    def windows(self, series: Series, evaluable: Flags) -> BaselineWindow:
        """Return, per point, its newest evaluable predecessors of the same weekday."""
        weekdays = series.times.astype("datetime64[D]").astype(np.int64) % 7
        order = np.argsort(weekdays[evaluable], kind="stable")
        first = np.searchsorted(weekdays[evaluable][order], weekdays)
        before = np.zeros(len(series), dtype=np.int64)
        for weekday in range(7):
            mask = weekdays == weekday
            before[mask] = _count_before(evaluable[mask])
        high = first + before
        low = np.maximum(high - self.periods, first)
        return series[np.flatnonzero(evaluable)[order]], low, high

    def describe(self) -> str:
        """Return a description such as `its 8 earlier periods on the same weekday`."""
        return f"its {pluralize(self.periods, 'earlier period')} on the same weekday"


ROLLING = Rolling()
"""The baseline of a rule that names none."""


def _count_before(evaluable: Flags) -> Places:
    """Return, per point, the number of evaluable points before it."""
    return np.cumsum(evaluable, dtype=np.int64) - evaluable
