"""The kinds of reference that lie in the series' own past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from modeltop.core.series import Series, SeriesKey, to_datetime64
from modeltop.core.text import format_period, pluralize
from modeltop.rules.baselines.base import NO_SERIES, BaselineStats, baseline_stats, select_periods

if TYPE_CHECKING:
    from modeltop.core.series import Flags
    from modeltop.rules.baselines.base import Places

MAX_PERIODS = 60
MIN_PERIODS = 10
WEEK = 7


class BaselineWindow(NamedTuple):
    """Per point the places in a pool of judged periods between which its reference lies."""

    pool: Series
    low: Places
    high: Places


class PastBaseline(ABC):
    """What the kinds share that compare with the series' own past."""

    __slots__ = ()
    has_spread: ClassVar[bool] = True
    is_moving: ClassVar[bool] = False
    """True where the reference moves along with the point."""

    @property
    def required_periods(self) -> int:
        """With fewer periods there is too little history to compare with."""
        return 1

    @abstractmethod
    def windows(self, series: Series, judged: Flags) -> BaselineWindow:
        """Where the reference of each point lies; `judged` says which periods can be one."""

    @abstractmethod
    def describe(self) -> str:
        """What it is."""

    def stats(
        self,
        series: Series,
        *,
        min_count: float = 0,
        other_series: Mapping[SeriesKey, Series] = NO_SERIES,  # noqa: ARG002
    ) -> BaselineStats:
        """What each point of `series` is compared with; `min_count` as that of the rule."""
        cut = self.windows(series, series.evaluable(min_count))
        return baseline_stats(*cut, self.required_periods, is_moving=self.is_moving)

    def window(self, past: Series, *, min_count: float = 0) -> Series | None:
        """The periods that the last one of `past` is compared with; None with too little history."""
        if not len(past):
            return None
        pool, low, high = self.windows(past, past.evaluable(min_count))
        return pool[low[-1] : high[-1]] if high[-1] - low[-1] >= self.required_periods else None

    def other_key(self, key: SeriesKey) -> SeriesKey | None:  # noqa: ARG002  the contract of every kind
        """None: its own past."""
        return None


def _validate_periods(most: int, least: int, name: str) -> None:
    if least < 1 or most < least:
        raise ValueError(f"{name} = {most} is too few periods to compare with: give {max(least, 1)} or more")


@dataclass(frozen=True, slots=True)
class Rolling(PastBaseline):
    """The newest judged periods before each point. Raises ValueError if that leaves none."""

    is_moving: ClassVar[bool] = True

    max_periods: int = MAX_PERIODS
    min_periods: int = MIN_PERIODS
    """With fewer there is too little history to compare with."""

    def __post_init__(self) -> None:
        _validate_periods(self.max_periods, self.min_periods, "rolling")

    @property
    def required_periods(self) -> int:
        """As configured."""
        return self.min_periods

    def windows(self, series: Series, judged: Flags) -> BaselineWindow:
        """Per point its `most` judged predecessors."""
        before = _before(judged)
        return BaselineWindow(select_periods(series, judged), np.maximum(before - self.max_periods, 0), before)

    def describe(self) -> str:
        """What it is.

        >>> Rolling().describe()
        'its 60 earlier periods'
        """
        return f"its {pluralize(self.max_periods, 'earlier period')}"


@dataclass(frozen=True, slots=True)
class FirstPeriods(PastBaseline):
    """The first judged periods of the series; the points among them are compared with nothing."""

    periods: int

    def __post_init__(self) -> None:
        _validate_periods(self.periods, 2, "first")

    def windows(self, series: Series, judged: Flags) -> BaselineWindow:
        """The same periods for every point after them."""
        high = np.where(_before(judged) >= self.periods, self.periods, 0)
        return BaselineWindow(select_periods(series, judged), np.zeros_like(high), high)

    def describe(self) -> str:
        """What it is."""
        return f"its first {pluralize(self.periods, 'period')}"


@dataclass(frozen=True, slots=True)
class DateRange(PastBaseline):
    """The judged periods from one moment to another; the points up to it are compared with nothing.

    Raises ValueError if the one is not before the other, or if they have no zone.
    """

    start: datetime
    end: datetime
    """A period that starts here is not among them."""

    def __post_init__(self) -> None:
        if to_datetime64(self.start) >= to_datetime64(self.end):
            raise ValueError(
                f"from {format_period(self.start)} is not before to {format_period(self.end)}: exchange them"
            )

    def windows(self, series: Series, judged: Flags) -> BaselineWindow:
        """The same periods for every point that starts at their end or later."""
        pool = select_periods(series, judged)
        low, high = np.searchsorted(pool.times, [to_datetime64(self.start), to_datetime64(self.end)])
        later = series.times >= to_datetime64(self.end)
        return BaselineWindow(pool, np.where(later, low, 0), np.where(later, high, 0))

    def describe(self) -> str:
        """What it is."""
        return f"its periods from {format_period(self.start)} to {format_period(self.end)}"


@dataclass(frozen=True, slots=True)
class SameWeekday(PastBaseline):
    """The newest judged periods that began on the same weekday, in UTC: for daily periods with a weekly season."""

    is_moving: ClassVar[bool] = True

    periods: int = 8
    min_periods: int = 4

    def __post_init__(self) -> None:
        _validate_periods(self.periods, self.min_periods, "weekday")

    @property
    def required_periods(self) -> int:
        """As configured."""
        return self.min_periods

    def windows(self, series: Series, judged: Flags) -> BaselineWindow:
        """Per point its judged predecessors of the same weekday."""
        days = series.times.astype("datetime64[D]").astype(np.int64) % WEEK
        order = np.argsort(days[judged], kind="stable")
        first = np.searchsorted(days[judged][order], days)
        before = np.zeros(len(series), dtype=np.int64)
        for weekday in range(WEEK):
            on = days == weekday
            before[on] = _before(judged[on])
        high = first + before
        low = np.maximum(high - self.periods, first)
        return BaselineWindow(select_periods(select_periods(series, judged), order), low, high)

    def describe(self) -> str:
        """What it is."""
        return f"its {pluralize(self.periods, 'earlier period')} on the same weekday"


ROLLING = Rolling()
"""The reference of a rule that names none."""


def trailing_window(
    past: Series, *, max_periods: int = MAX_PERIODS, min_periods: int = MIN_PERIODS, min_count: float = 0
) -> Series | None:
    """The newest judged periods before the last one of `past`: what that one is compared with by default.

    Args:
        past: A series that ends with the period in question.
        max_periods: Periods in the window at most.
        min_periods: With fewer there is too little history to compare with, and the result is None.
        min_count: Periods that rest on fewer cases are no reference.
    """
    return Rolling(max_periods, min_periods).window(past, min_count=min_count)


def _before(judged: Flags) -> Places:
    """Per point the number of judged ones before it."""
    return np.cumsum(judged, dtype=np.int64) - judged
