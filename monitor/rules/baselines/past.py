"""The kinds of reference that lie in the series' own past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from modeltop.core.series import Series, SeriesKey, to_stamp
from modeltop.core.text import day, plural
from modeltop.rules.baselines.base import NOTHING, Ground, ground, picked

if TYPE_CHECKING:
    from modeltop.core.series import Flags
    from modeltop.rules.baselines.base import Places

MOST = 60
LEAST = 10
WEEK = 7


class Cut(NamedTuple):
    """Per point the places in a pool of judged periods between which its reference lies."""

    pool: Series
    low: Places
    high: Places


class Past(ABC):
    """What the kinds share that compare with the series' own past."""

    __slots__ = ()
    several: ClassVar[bool] = True
    moves: ClassVar[bool] = False
    """True where the reference moves along with the point."""

    @property
    def fewest(self) -> int:
        """With fewer periods there is too little history to compare with."""
        return 1

    @abstractmethod
    def cut(self, series: Series, judged: Flags) -> Cut:
        """Where the reference of each point lies; `judged` says which periods can be one."""

    @abstractmethod
    def words(self) -> str:
        """What it is."""

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:  # noqa: ARG002
        """What each point of `series` is compared with; `min_count` as that of the rule."""
        cut = self.cut(series, series.judged(min_count))
        return ground(*cut, self.fewest, recent=self.moves)

    def window(self, past: Series, *, min_count: float = 0) -> Series | None:
        """The periods that the last one of `past` is compared with; None with too little history."""
        if not len(past):
            return None
        pool, low, high = self.cut(past, past.judged(min_count))
        return pool[low[-1] : high[-1]] if high[-1] - low[-1] >= self.fewest else None

    def other(self, key: SeriesKey) -> SeriesKey | None:  # noqa: ARG002  the contract of every kind
        """None: its own past."""
        return None


def _refuse_few(most: int, least: int, name: str) -> None:
    if least < 1 or most < least:
        raise ValueError(f"{name} = {most} is too few periods to compare with: give {max(least, 1)} or more")


@dataclass(frozen=True, slots=True)
class Rolling(Past):
    """The newest judged periods before each point. Raises ValueError if that leaves none."""

    moves: ClassVar[bool] = True

    most: int = MOST
    least: int = LEAST
    """With fewer there is too little history to compare with."""

    def __post_init__(self) -> None:
        _refuse_few(self.most, self.least, "rolling")

    @property
    def fewest(self) -> int:
        """As configured."""
        return self.least

    def cut(self, series: Series, judged: Flags) -> Cut:
        """Per point its `most` judged predecessors."""
        before = _before(judged)
        return Cut(picked(series, judged), np.maximum(before - self.most, 0), before)

    def words(self) -> str:
        """What it is.

        >>> Rolling().words()
        'its 60 earlier periods'
        """
        return f"its {plural(self.most, 'earlier period')}"


@dataclass(frozen=True, slots=True)
class First(Past):
    """The first judged periods of the series; the points among them are compared with nothing."""

    periods: int

    def __post_init__(self) -> None:
        _refuse_few(self.periods, 2, "first")

    def cut(self, series: Series, judged: Flags) -> Cut:
        """The same periods for every point after them."""
        high = np.where(_before(judged) >= self.periods, self.periods, 0)
        return Cut(picked(series, judged), np.zeros_like(high), high)

    def words(self) -> str:
        """What it is."""
        return f"its first {plural(self.periods, 'period')}"


@dataclass(frozen=True, slots=True)
class Dates(Past):
    """The judged periods from one moment to another; the points up to it are compared with nothing.

    Raises ValueError if the one is not before the other, or if they have no zone.
    """

    start: datetime
    end: datetime
    """A period that starts here is not among them."""

    def __post_init__(self) -> None:
        if to_stamp(self.start) >= to_stamp(self.end):
            raise ValueError(f"from {day(self.start)} is not before to {day(self.end)}: exchange them")

    def cut(self, series: Series, judged: Flags) -> Cut:
        """The same periods for every point that starts at their end or later."""
        pool = picked(series, judged)
        low, high = np.searchsorted(pool.times, [to_stamp(self.start), to_stamp(self.end)])
        later = series.times >= to_stamp(self.end)
        return Cut(pool, np.where(later, low, 0), np.where(later, high, 0))

    def words(self) -> str:
        """What it is."""
        return f"its periods from {day(self.start)} to {day(self.end)}"


@dataclass(frozen=True, slots=True)
class Weekday(Past):
    """The newest judged periods that began on the same weekday, in UTC: for daily periods with a weekly season."""

    moves: ClassVar[bool] = True

    periods: int = 8
    least: int = 4

    def __post_init__(self) -> None:
        _refuse_few(self.periods, self.least, "weekday")

    @property
    def fewest(self) -> int:
        """As configured."""
        return self.least

    def cut(self, series: Series, judged: Flags) -> Cut:
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
        return Cut(picked(picked(series, judged), order), low, high)

    def words(self) -> str:
        """What it is."""
        return f"its {plural(self.periods, 'earlier period')} on the same weekday"


ROLLING = Rolling()
"""The reference of a rule that names none."""


def earlier(past: Series, *, most: int = MOST, least: int = LEAST, min_count: float = 0) -> Series | None:
    """The newest judged periods before the last one of `past`: what that one is compared with by default.

    Args:
        past: A series that ends with the period in question.
        most: Periods in the window at most.
        least: With fewer there is too little history to compare with, and the result is None.
        min_count: Periods that rest on fewer cases are no reference.
    """
    return Rolling(most, least).window(past, min_count=min_count)


def _before(judged: Flags) -> Places:
    """Per point the number of judged ones before it."""
    return np.cumsum(judged, dtype=np.int64) - judged
