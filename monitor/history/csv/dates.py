"""Dates of periods: ISO 8601 and, where nothing else could be meant, epoch numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import DATETIME_DTYPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Times

    Places = NDArray[np.intp]

FIRST_YEAR = 1970
LAST_YEAR = 2200
"""Years outside of these are slips of the keyboard (`0025`, `20255`), and would stretch the time axis beyond use."""

REMEDY = "write an ISO 8601 date, such as 2025-01-09 or 2025-01-09T14:00:00Z"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ISO = re.compile(
    r"(\d{4})-(\d{2})(?:-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?[ ]?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BASIC = re.compile(r"((?:19|20|21|22)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])", re.ASCII)
# From 1973 to 2200 the four units do not overlap, so that the number of digits tells which is meant.
_EPOCHS = (
    (10**8, 7_258_118_400, 1_000_000, 1),
    (10**11, 7_258_118_400_000, 1_000, 1),
    (10**14, 7_258_118_400_000_000, 1, 1),
    (10**17, 7_258_118_400_000_000_000, 1, 1_000),
)
_SHAPES = {
    10: "dddd-dd-dd",
    16: "dddd-dd-ddTdd:dd",
    19: "dddd-dd-ddTdd:dd:dd",
    20: "dddd-dd-ddTdd:dd:ddZ",
    25: "dddd-dd-ddTdd:dd:dd+00:00",
}
_ALSO = {"T": "T "}
MIN_VECTORIZED = 64
"""Dates that are read one by one before numpy is any faster."""


def parse_microseconds(text: str, zone: tzinfo = UTC) -> int:
    """Microseconds from 1970-01-01T00:00Z to the date that `text` names.

    Args:
        text: An ISO 8601 date, year and month, or datetime; or seconds, milliseconds, microseconds or nanoseconds
            since 1970 as a whole number of 9 digits or more.
        zone: Holds where the text names none.

    Raises:
        ValueError: With the reason and the remedy.

    >>> parse_microseconds("1970-01-02"), parse_microseconds("1735689600") == parse_microseconds("2025-01-01")
    (86400000000, True)
    """
    stripped = text.strip()
    if not stripped:
        raise ValueError(f"the date is empty: {REMEDY}")
    if stripped.isascii() and stripped.isdecimal():
        return _whole_number(stripped, zone)
    match = _ISO.fullmatch(stripped)
    if not match:
        raise ValueError(f"`{text[:40]}` is no date: {REMEDY}")
    return _microseconds_of_match(match, text, zone)


def _microseconds_of_match(match: re.Match[str], text: str, zone: tzinfo) -> int:
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    _check_year(int(year), text)
    try:
        local = datetime(
            int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
        moment = local.replace(tzinfo=_offset(offset)) if offset else local
    except ValueError as error:
        raise ValueError(f"`{text[:40]}` is no date ({error}): {REMEDY}") from None
    return (moment - EPOCH) // _MICROSECOND + int((fraction or "0").ljust(6, "0")[:6])


def _offset(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if text[0] == "-" else span)


def _check_year(year: int, text: str) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the year of `{text[:40]}` is outside {FIRST_YEAR} to {LAST_YEAR}: {REMEDY}")


def _whole_number(digits: str, zone: tzinfo) -> int:
    basic = _BASIC.fullmatch(digits)
    if basic:
        return parse_microseconds("-".join(basic.groups()), zone)
    if len(digits) < 20:  # int() of a very long text is refused by Python, and slow
        for low, high, factor, divisor in _EPOCHS:
            if low <= int(digits) < high:
                return int(digits) * factor // divisor
    raise ValueError(f"`{digits[:40]}` is neither a date nor seconds since 1970: {REMEDY}")


def parse_dates(texts: Sequence[str], zone: tzinfo = UTC) -> Times | None:
    """All of `texts` as period starts; None if one is no date."""
    found = parse_each_date(texts, zone)
    if any(isinstance(one, str) for one in found):
        return None
    return np.array(found, dtype=np.int64).view(DATETIME_DTYPE)


def parse_each_date(texts: Sequence[str], zone: tzinfo = UTC) -> list[int | str]:
    """Per text what `microseconds` says of it, or why it is no date; in C where they are of one common shape."""
    found: list[int | str | None] = [None] * len(texts)
    if zone is UTC and len(texts) > MIN_VECTORIZED:
        for index, stamp in zip(*_uniform(texts, len(texts[len(texts) // 2])), strict=True):
            found[index] = stamp
    return [_parse_one_date(text, zone) if one is None else one for text, one in zip(texts, found, strict=True)]


def _parse_one_date(text: str, zone: tzinfo) -> int | str:
    try:
        return parse_microseconds(text, zone)
    except ValueError as error:
        return str(error)


def parse_dates_at(
    body: bytes, starts: Places, ends: Places, zone: tzinfo = UTC
) -> tuple[Times, dict[int, str]] | None:
    """The dates that stand at such places of a text, and which of them are none, and why.

    None where not nearly all are of one common shape: then the distinct ones are read sooner one by one.
    """
    length = int((ends - starts)[len(starts) // 2]) if len(starts) else 0
    if zone is not UTC or length not in _SHAPES:
        return None
    same = ends - starts == length
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(body, np.uint8), length)
    fits, found = _read(windows[np.where(same, starts, 0)], _SHAPES[length])
    rest = np.flatnonzero(~(fits & same)).tolist()
    if len(rest) * 16 > len(starts) + 16 * MIN_VECTORIZED:
        return None
    faults = {}
    for row, one in zip(
        rest, parse_each_date([body[starts[row] : ends[row]].decode() for row in rest], zone), strict=True
    ):
        if isinstance(one, str):
            faults[row] = one
        found[row] = 0 if isinstance(one, str) else one
    return found.view(DATETIME_DTYPE), faults


def _uniform(texts: Sequence[str], length: int) -> tuple[list[int], list[int]]:
    """Where the dates of the shape of that length stand, and their microseconds."""
    shape = _SHAPES.get(length)
    picks = [index for index, text in enumerate(texts) if len(text) == length and text.isascii()] if shape else []
    if not shape or not picks:
        return [], []
    letters = np.array([texts[index] for index in picks], dtype=f"S{length}")
    fits, found = _read(letters.view(np.uint8).reshape(len(picks), length), shape)
    return np.array(picks)[fits].tolist(), found[fits].tolist()


def _read(letters: NDArray[np.uint8], shape: str) -> tuple[Flags, NDArray[np.int64]]:
    """Which rows of letters are dates of a shape, and their microseconds."""
    fits = np.ones(len(letters), dtype=np.bool_)
    for place, sign in enumerate(shape):
        cells = letters[:, place]
        fits &= (cells >= 48) & (cells <= 57) if sign == "d" else np.isin(cells, list(_ALSO.get(sign, sign).encode()))
    year, month, day = _number(letters, 0, 4), _number(letters, 5, 7), _number(letters, 8, 10)
    hour, minute, second = (_number(letters, start, start + 2) if start < len(shape) else 0 for start in (11, 14, 17))
    fits &= (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
    fits &= np.less(hour, 24) & np.less(minute, 60) & np.less(second, 60)
    months = (year - 1970) * 12 + month - 1
    first, following = (_first_day(months + more) for more in (0, 1))
    fits &= (day >= 1) & (day <= following - first)
    seconds = (first + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    return fits, seconds * 1_000_000


def _number(letters: NDArray[np.uint8], start: int, end: int) -> NDArray[np.int64]:
    found = np.zeros(len(letters), dtype=np.int64)
    for place in range(start, end):
        found = found * 10 + letters[:, place] - 48
    return found


def _first_day(months: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days from 1970-01-01 to the first day of a month, counted in months from then."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
