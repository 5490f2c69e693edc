"""Time ranges as people type them: `7d`, `2025-06`, `2025-W24`, `2025-Q2`, `2025-06-01..2025-06-10`."""

from __future__ import annotations

import re
from datetime import date
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from modeltop.core.text import parse_duration
from modeltop.history.csv.dates import parse_microseconds
from modeltop_tui.view.state import ALL_TIME, TimeWindow

if TYPE_CHECKING:
    from modeltop.core.series import Floats

EXAMPLES = "7d, 1y, 2025-06, 2025-W24, 2025-Q2, 2025-06-01.., 2025-06..2025-07"
DAY_SECONDS, MICROSECONDS = 86_400.0, 1e6
MONTH_LENGTH, DAY_LENGTH = len("2025-06"), len("2025-06-01")
YEAR_DAYS, WEEK_DAYS, QUARTER_MONTHS = 365.25, 7, 3
_YEARS = re.compile(r"(\d{1,3})y")
_WEEK_OR_QUARTER = re.compile(r"(\d{4})-?([wq])(\d{1,2})", re.IGNORECASE)


class TypedRange(NamedTuple):
    """Both ends in seconds since 1970, UTC; or a length of time up to the newest period."""

    start: float = -inf
    end: float = inf
    """The first moment after it."""
    length: float = inf


def parse_range(text: str) -> TypedRange | None:
    """Return a range: a duration, or a quarter, month, week, day or minute, or from one to another; None if it is none.

    Without a first or a last one it is open at that end. Times without an offset are UTC, as on the screen.

    >>> parse_range("2h").length, parse_range("1970-01-02..").start, parse_range("..1970-01-01").end
    (7200.0, 86400.0, 86400.0)
    >>> parse_range("1970-02..1970-01"), parse_range("triage")
    (None, None)
    """
    duration, years = parse_duration(text), _YEARS.fullmatch(text)
    if duration is not None:
        return TypedRange(length=duration.total_seconds())
    if years is not None and int(years[1]):
        return TypedRange(length=int(years[1]) * YEAR_DAYS * DAY_SECONDS)
    first, sign, last = text.partition("..")
    if not first and not last:
        return None
    try:
        start = _start(first) if first else -inf
        end = _end(last if sign else first) if last or not sign else inf
    except ValueError:
        return None
    return TypedRange(start, end) if start < end else None


def is_range_like(text: str) -> bool:
    """Return whether a person must have meant a range: it starts as one, or has two dots."""
    return text[:1].isdecimal() or ".." in text


def _start(text: str) -> float:
    if text.isdecimal():
        raise ValueError("a number is a count, not a time")
    named = _WEEK_OR_QUARTER.fullmatch(text)
    if named is None:
        return parse_microseconds(text) / MICROSECONDS
    year, number = int(named[1]), int(named[3])
    is_week = named[2].casefold() == "w"
    first = date.fromisocalendar(year, number, 1) if is_week else date(year, QUARTER_MONTHS * number - 2, 1)
    return parse_microseconds(first.isoformat()) / MICROSECONDS


def _end(text: str) -> float:
    start, named = _start(text), _WEEK_OR_QUARTER.fullmatch(text)
    if named is not None and named[2].casefold() == "w":
        return start + WEEK_DAYS * DAY_SECONDS
    if named is not None:
        return _start(_month_after(int(named[1]), QUARTER_MONTHS * int(named[3])))
    if len(text) > DAY_LENGTH:
        return start + 60.0
    if len(text) > MONTH_LENGTH:
        return start + DAY_SECONDS
    return _start(_month_after(int(text[:4]), int(text[5:])))


def _month_after(year: int, month: int) -> str:
    return f"{year + month // 12:04}-{month % 12 + 1:02}"


def window_of(chosen: TypedRange, times: Floats) -> TimeWindow | None:
    """Return the part of a time axis with exactly the periods in a range; None if there are none.

    Args:
        chosen: A range.
        times: Starts of the periods in seconds since 1970, UTC, increasing; at least one.
    """
    start = max(chosen.start, float(times[-1]) - chosen.length)
    after = times > start if chosen.length < inf else times >= start
    shown = times[after & (times < chosen.end)]
    if len(shown) in (0, len(times)):
        return ALL_TIME if len(shown) else None
    return TimeWindow(float(shown[-1] - shown[0]), None if shown[-1] == times[-1] else float(shown[-1]))
