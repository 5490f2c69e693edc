"""Which periods a series is compared with.

A rule has a `Kind` of reference. `kind.ground(series)` gives for every point of the series what that point is compared
with: judged periods before it, never the point itself or a later one, so that a check which compares stays causal. The
kinds that compare with another series (`Other`) find it among `others`, by the key that `kind.other(key)` names:
`monitor.alerts.replay` and `monitor.standings.standing` are handed `history.series` for that and nothing is bound
before.

The direction is never asked here: which difference is bad is a check's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.records import Series, SeriesKey, to_stamp
from monitor.statistics.windows import moments, totals
from monitor.text import day, plural

if TYPE_CHECKING:
    from monitor.records import Flags, Floats

    Places = NDArray[np.int64]

MOST = 60
LEAST = 10
WEEK = 7
NOTHING: Mapping[SeriesKey, Series] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What each point of a series is compared with; every array has a row a point."""

    judged: Flags
    """True where the point itself is judged."""
    periods: NDArray[np.int64]
    """Periods in its reference; 0 where there is none, or too little history."""
    mean: Floats
    """Their mean, each period alike; NaN without a reference."""
    spread: Floats
    """Standard deviation of one of them; NaN for fewer than two."""
    cases: Floats
    """Sum of their support; NaN where it is not known of all of them."""
    pooled: Floats
    """Their mean over cases, or over periods where the cases are unknown."""
    rarity: Floats
    """Mean of 1 / support: a share p has p (1 - p) × this of variance by chance alone; NaN where unknown."""
    recent: bool = False
    """True where the reference moves along with the point, so that what lasts becomes what is usual."""

    def __len__(self) -> int:
        return len(self.periods)

    def __getitem__(self, part: slice) -> Ground:
        """The rows of a part of the points; arrays are views."""
        cut: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        for name, value in cut.items():
            if isinstance(value, np.ndarray):
                cut[name] = value[part]
        return Ground(**cut)


class Kind(Protocol):
    """A way to choose what a point is compared with; a frozen dataclass."""

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:
        """What each point of `series` is compared with; `min_count` as that of the rule."""

    def other(self, key: SeriesKey) -> SeriesKey | None:
        """The series that the one of this key is compared with; None if with its own past."""

    def words(self) -> str:
        """What it is, such as `its 60 earlier periods`; may hold foreign text."""


def _refuse_empty(most: int, least: int, name: str) -> None:
    if least < 1 or most < least:
        raise ValueError(f"{name} = {most} is too few periods to compare with: give {max(least, 1)} or more")


class _Past:
    """What the kinds share that compare with the series' own past."""

    __slots__ = ()

    def other(self, key: SeriesKey) -> SeriesKey | None:  # noqa: ARG002  the contract of every kind
        """None: its own past."""
        return None


@dataclass(frozen=True, slots=True)
class Rolling(_Past):
    """The newest judged periods before each point. Raises ValueError if that leaves none."""

    most: int = MOST
    least: int = LEAST
    """With fewer there is too little history to compare with."""

    def __post_init__(self) -> None:
        _refuse_empty(self.most, self.least, "rolling")

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:  # noqa: ARG002
        """Per point its `most` judged predecessors, if there are `least`."""
        judged = series.judged(min_count)
        before = _before(judged)
        return _ground(series, judged, np.maximum(before - self.most, 0), before, self.least, recent=True)

    def words(self) -> str:
        """What it is.

        >>> Rolling().words()
        'its 60 earlier periods'
        """
        return f"its {self.most} earlier periods"


@dataclass(frozen=True, slots=True)
class First(_Past):
    """The first judged periods of the series; the points among them are compared with nothing."""

    periods: int

    def __post_init__(self) -> None:
        _refuse_empty(self.periods, 2, "first")

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:  # noqa: ARG002
        """The same periods for every point after them."""
        judged = series.judged(min_count)
        before = _before(judged)
        high = np.where(before >= self.periods, self.periods, 0)
        return _ground(series, judged, np.zeros_like(high), high, 1)

    def words(self) -> str:
        """What it is."""
        return f"its first {plural(self.periods, 'period')}"


@dataclass(frozen=True, slots=True)
class Dates(_Past):
    """The judged periods from one moment to another; the points up to it are compared with nothing.

    Raises ValueError if the one is not before the other, or if they have no zone.
    """

    start: datetime
    end: datetime
    """A period that starts here is not among them."""

    def __post_init__(self) -> None:
        if to_stamp(self.start) >= to_stamp(self.end):
            raise ValueError(f"from {day(self.start)} is not before to {day(self.end)}: exchange them")

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:  # noqa: ARG002
        """The same periods for every point that starts at their end or later."""
        judged = series.judged(min_count)
        low, high = np.searchsorted(series.times[judged], [to_stamp(self.start), to_stamp(self.end)])
        later = series.times >= to_stamp(self.end)
        return _ground(series, judged, np.where(later, low, 0), np.where(later, high, 0), 1)

    def words(self) -> str:
        """What it is."""
        return f"its periods from {day(self.start)} to {day(self.end)}"


@dataclass(frozen=True, slots=True)
class Weekday(_Past):
    """The newest judged periods that began on the same weekday, in UTC: for daily periods with a weekly season."""

    periods: int = 8
    least: int = 4

    def __post_init__(self) -> None:
        _refuse_empty(self.periods, self.least, "weekday")

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:  # noqa: ARG002
        """Per point its judged predecessors of the same weekday."""
        judged = series.judged(min_count)
        days = series.times.astype("datetime64[D]").astype(np.int64) % WEEK
        out = _nothing(judged, recent=True)
        for weekday in range(WEEK):
            on = days == weekday
            before = _before(judged[on])
            low = np.maximum(before - self.periods, 0)
            _fill(out, on, _ground(_picked(series, on), judged[on], low, before, self.least))
        return out

    def words(self) -> str:
        """What it is."""
        return f"its {plural(self.periods, 'earlier period')} on the same weekday"


@dataclass(frozen=True, slots=True)
class Other:
    """The same period of another series: of a segment, a model or a metric. Raises ValueError if none is named."""

    model: str | None = None
    metric: str | None = None
    segment: str | None = None

    def __post_init__(self) -> None:
        if self.model is None and self.metric is None and self.segment is None:
            raise ValueError("a reference needs a model, a metric or a segment to compare with")

    def other(self, key: SeriesKey) -> SeriesKey | None:
        """The key with what is named put in its place."""
        named = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        return replace(key, **named)

    def ground(self, series: Series, *, min_count: float = 0, others: Mapping[SeriesKey, Series] = NOTHING) -> Ground:
        """Per point the judged period of the other series that began at the same moment, if there is one."""
        out = _nothing(series.judged(min_count))
        key = self.other(series.key)
        found = others.get(key) if key is not None and key != series.key else None
        if found is None or not len(found):
            return out
        at = np.minimum(np.searchsorted(found.times, series.times), len(found) - 1)
        met = (found.times[at] == series.times) & found.judged(min_count)[at]
        out.periods[met] = 1
        out.mean[met] = out.pooled[met] = found.values[at][met]
        if found.support is not None:
            out.cases[met] = found.support[at][met]
            out.rarity[met] = 1 / np.maximum(found.support[at][met], 1)
        return out

    def words(self) -> str:
        """What it is; foreign text."""
        return " of ".join(name for name in (self.metric, self.segment, self.model) if name is not None)


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
    before = past[:-1]
    index = np.flatnonzero(before.judged(min_count))[-most:]
    return None if len(index) < max(least, 1) else _picked(before, index)


def _picked(series: Series, places: NDArray[Any]) -> Series:
    cut: dict[str, Any] = {one.name: getattr(series, one.name) for one in fields(series)}
    return Series(**{name: cell[places] if isinstance(cell, np.ndarray) else cell for name, cell in cut.items()})


def _nothing(judged: Flags, *, recent: bool = False) -> Ground:
    mean, spread, cases, pooled, rarity = np.full((5, len(judged)), np.nan)
    none = np.zeros(len(judged), dtype=np.int64)
    return Ground(judged, none, mean, spread, cases, pooled, rarity, recent)


def _before(judged: Flags) -> Places:
    """Per point the number of judged ones before it."""
    return np.cumsum(judged, dtype=np.int64) - judged


def _fill(out: Ground, on: Flags, part: Ground) -> None:
    for one in fields(out):
        column = getattr(out, one.name)
        if isinstance(column, np.ndarray):
            column[on] = getattr(part, one.name)


def _ground(series: Series, judged: Flags, low: Places, high: Places, least: int, *, recent: bool = False) -> Ground:
    """Compare each point with the judged periods `[low, high)`, counted among the judged ones alone."""
    enough = high - low >= least
    low, high = np.where(enough, low, 0), np.where(enough, high, 0)
    values = series.values[judged]
    mean, spread = moments(values, low, high)
    cases, pooled, rarity = np.full(len(series), np.nan), mean, np.full(len(series), np.nan)
    if series.support is not None:
        support = series.support[judged]
        known = np.isfinite(support) & (support > 0)
        sure = np.where(known, support, 1.0)
        columns = np.stack([sure, sure * values, 1 / sure, np.where(known, 0.0, 1.0)])
        sums = totals(columns)[:, high] - totals(columns)[:, low]
        whole = enough & (sums[3] == 0)
        number = np.maximum(high - low, 1)
        cases = np.where(whole, sums[0], np.nan)
        pooled = np.where(whole, sums[1] / np.maximum(sums[0], 1), mean)
        rarity = np.where(whole, sums[2] / number, np.nan)
    return Ground(judged, high - low, mean, spread, cases, pooled, rarity, recent)
