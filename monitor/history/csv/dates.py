"""Dates of periods: ISO 8601 and, if unambiguous, epoch numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import DATETIME_DTYPE, Times
from modeltop.history.store.row_format import YEAR_RANGE

REMEDY = "write an ISO 8601 date, such as 2025-01-09 or 2025-01-09T14:00:00Z"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ISO = re.compile(
    r"(\d{4})-(\d{2})(?:-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?[ ]?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BASIC = re.compile(r"((?:19|20|21|22)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])", re.ASCII)
_BASIC_HOURS = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:[01]\d|2[0-3])(?:[0-5]\d)?", re.ASCII)
"""Such as 2025010314: as seconds it is a moment of 2034, with minutes as milliseconds one of 1976."""


@dataclass(frozen=True, slots=True)
class EpochUnit:
    """A unit of the time since 1970."""

    name: str
    symbol: str
    low: int
    """Smallest number that is read as such."""
    high: int
    factor: int
    """A number times this, divided by `divisor`, is in microseconds."""
    divisor: int


# From 1973 to 2200 the four units do not overlap, so the number of digits determines the unit.
EPOCH_UNITS = (
    EpochUnit("seconds", "s", 10**8, 7_258_118_400, 1_000_000, 1),
    EpochUnit("milliseconds", "ms", 10**11, 7_258_118_400_000, 1_000, 1),
    EpochUnit("microseconds", "us", 10**14, 7_258_118_400_000_000, 1, 1),
    EpochUnit("nanoseconds", "ns", 10**17, 7_258_118_400_000_000_000, 1, 1_000),
)
_LENGTHS = (10, 16, 19, 20, 25)
"""Characters of a day alone, to the minute, to the second, and that with `Z` or `+00:00` behind it."""
_MARKS = {4: b"-", 7: b"-", 10: b"T ", 13: b":", 16: b":"}
"""Place in a date → the characters that may stand there."""
_NOT_A_TIME = np.iinfo(np.int64).min
"""What numpy stores as NaT."""
MIN_VECTORIZED = 64
"""Up to so many dates are parsed one by one: numpy is no faster."""


def parse_microseconds(text: str, zone: tzinfo = UTC, fold: int = 0) -> int:
    """Return the microseconds from 1970-01-01T00:00Z to a date, in `zone` if it names none.

    It is an ISO 8601 date, year and month, or datetime; or seconds, milliseconds, microseconds or nanoseconds since
    1970 as an integer of 9 digits or more.

    Args:
        text: The date.
        zone: Time zone of a date that names none.
        fold: 1 for the second of two equal local times, at the end of summer time.

    Raises:
        ValueError: It is not a date, its year is outside of `YEAR_RANGE`, or no clock showed it in `zone`; the message
            names the remedy.

    >>> parse_microseconds("1970-01-02"), parse_microseconds("1735689600") == parse_microseconds("2025-01-01")
    (86400000000, True)
    """
    stripped = text.strip()
    if not stripped:
        raise ValueError(f"the date is empty: {REMEDY}")
    if stripped.isascii() and stripped.isdecimal():
        return _parse_integer(stripped, zone)
    match = _ISO.fullmatch(stripped)
    if not match:
        raise ValueError(f"`{text[:40]}` is not a date: {REMEDY}")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    clock = None if hour is None else (int(hour), int(minute), int(second or 0), fraction or "")
    try:
        return to_microseconds((int(year), int(month), int(day or 1)), clock, parse_offset(offset, zone), fold)
    except ValueError as error:
        raise ValueError(f"`{text[:40]}` is not a date ({error}): {REMEDY}") from None


Clock = tuple[int, int, int, str]
"""Hour, minute, second, and the digits of its fraction."""


def to_microseconds(day: tuple[int, int, int], clock: Clock | None, zone: tzinfo, fold: int = 0) -> int:
    """Return the microseconds from 1970-01-01T00:00Z to a local time.

    Args:
        day: Year, month and day.
        clock: Time of day; None for a day's start, which is the day's first moment where clocks skip midnight.
        zone: Its time zone.
        fold: 1 for the second of two equal local times.

    Raises:
        ValueError: There is no such day or time, or its year is outside of `YEAR_RANGE`.
    """
    first, last = YEAR_RANGE
    if not first <= day[0] <= last:
        raise ValueError(f"its year is outside {first} to {last}")
    hour, minute, second, fraction = clock or (0, 0, 0, "")
    local = datetime(*day, hour, minute, second, tzinfo=zone, fold=fold if clock else 0)
    if clock and zone is not UTC and _is_skipped(local):
        raise ValueError(f"clocks in {zone} skipped this hour, so give the offset from UTC")
    return (local - EPOCH) // _MICROSECOND + int(fraction.ljust(6, "0")[:6])


def _is_skipped(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)


def parse_offset(text: str | None, zone: tzinfo) -> tzinfo:
    """Return the zone of an offset such as Z, +01, +0100 or -05:00; `zone` if there is none.

    Raises:
        ValueError: It is a day or longer.
    """
    if not text:
        return zone
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if text[0] == "-" else span)


def _parse_integer(digits: str, zone: tzinfo) -> int:
    basic = _BASIC.fullmatch(digits)
    if basic:
        return parse_microseconds("-".join(basic.groups()), zone)
    is_number = len(digits) < 20 and not _BASIC_HOURS.fullmatch(digits)  # int() of a very long text is slow
    unit = find_epoch_unit(int(digits)) if is_number else None
    if unit is None:
        raise ValueError(f"`{digits[:40]}` is neither a date nor seconds since 1970: {REMEDY}")
    return int(digits) * unit.factor // unit.divisor


def find_epoch_unit(number: int | Decimal) -> EpochUnit | None:
    """Return the unit in which a number counts the time since 1970; None if it does in none."""
    return next((unit for unit in EPOCH_UNITS if unit.low <= number < unit.high), None)


def has_impossible_year(text: str) -> bool:
    """Return whether a text looks like a date, but its year is outside of `YEAR_RANGE`.

    >>> has_impossible_year("20255-02-05"), has_impossible_year("05.02.0025"), has_impossible_year("2025-02-31")
    (True, True, False)
    """
    year = re.search(r"(?<!\d)\d{4,5}(?!\d)", text)
    return year is not None and not YEAR_RANGE[0] <= int(year[0]) <= YEAR_RANGE[1]


def read_each(texts: Sequence[str], parse: Callable[[str], int]) -> Times:
    """Return per text the date that `parse` returns in microseconds since 1970; NaT where it raises ValueError."""

    def read(text: str) -> int:
        try:
            return parse(text)
        except ValueError:
            return _NOT_A_TIME

    return np.array([read(text) for text in texts], dtype=np.int64).view(DATETIME_DTYPE)


def read_dates(texts: Sequence[str], zone: tzinfo = UTC) -> Times:
    """Return per text its date, NaT where `parse_microseconds` refuses it; in numpy where they share one layout."""
    times = np.full(len(texts), np.datetime64("NaT", "us"), dtype=DATETIME_DTYPE)
    length = len(texts[len(texts) // 2]) if texts else 0
    if zone is UTC and len(texts) > MIN_VECTORIZED and length in _LENGTHS:
        alike = np.flatnonzero([len(text) == length and text.isascii() for text in texts])
        characters = np.array([texts[index] for index in alike.tolist()], dtype=f"S{length}").view(np.uint8)
        if (parsed := _parse_alike(characters.reshape(-1, length))) is not None:
            times[alike] = parsed
    rest = np.flatnonzero(np.isnat(times))
    times[rest] = read_each([texts[index] for index in rest.tolist()], partial(parse_microseconds, zone=zone))
    return times


def parse_dates_at(body: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp], zone: tzinfo = UTC) -> Times | None:
    """Return the dates in a text, without making a string of each.

    None if not nearly all share one layout, or one of those is wrong: then the distinct ones are parsed as strings.

    Args:
        body: The text in UTF-8.
        starts: Offset of each date's first byte.
        ends: Offset behind each date's last byte.
        zone: Time zone of dates that name none; only UTC is parsed here.

    Raises:
        ValueError: One of another layout is not a date; the message names it and the remedy.
    """
    length = int((ends - starts)[len(starts) // 2]) if len(starts) else 0
    if zone is not UTC or length not in _LENGTHS:
        return None
    has_length = ends - starts == length
    rest = np.flatnonzero(~has_length).tolist()
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(body, np.uint8), length)
    parsed = _parse_alike(windows[starts[has_length]])
    if parsed is None or len(rest) * 16 > len(starts) + 16 * MIN_VECTORIZED:
        return None
    times = np.empty(len(starts), DATETIME_DTYPE)
    times[has_length] = parsed
    for row in rest:
        times[row] = np.datetime64(parse_microseconds(body[starts[row] : ends[row]].decode(), zone), "us")
    return times


def _parse_alike(characters: NDArray[np.uint8]) -> Times | None:
    """Return the dates in rows of characters as numpy reads them; None unless all are dates of one layout, in UTC."""
    length, zone = characters.shape[1], {20: b"Z", 25: b"+00:00"}.get(characters.shape[1], b"")
    end = length - len(zone)
    is_alike = all(
        np.isin(characters[:, place], list(allowed)).all() for place, allowed in _MARKS.items() if place < end
    )
    if not is_alike or not characters.all() or (characters[:, end:] != list(zone)).any():
        return None
    try:
        times: Times = np.ascontiguousarray(characters[:, :end]).view(f"S{end}")[:, 0].astype(DATETIME_DTYPE)
    except ValueError:
        return None
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    return times if ((years >= YEAR_RANGE[0]) & (years <= YEAR_RANGE[1])).all() else None
