"""Dates of periods: ISO 8601 and, where nothing else could be meant, epoch numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from monitor.records import STAMP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Times

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
    19: "dddd-dd-ddTdd:dd:dd",
    20: "dddd-dd-ddTdd:dd:ddZ",
    25: "dddd-dd-ddTdd:dd:dd+00:00",
}
_ALSO = {"T": "T "}
FEW = 64
"""Dates that are read one by one before numpy is any faster."""


def microseconds(text: str, zone: tzinfo = UTC) -> int:
    """Microseconds from 1970-01-01T00:00Z to the date that `text` names.

    Args:
        text: An ISO 8601 date, year and month, or datetime; or seconds, milliseconds, microseconds or nanoseconds
            since 1970 as a whole number of 9 digits or more.
        zone: Holds where the text names none.

    Raises:
        ValueError: With the reason and the remedy.

    >>> microseconds("1970-01-02"), microseconds("1735689600") == microseconds("2025-01-01")
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
    return _of(match, text, zone)


def _of(match: re.Match[str], text: str, zone: tzinfo) -> int:
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
        return microseconds("-".join(basic.groups()), zone)
    if len(digits) < 20:  # int() of a very long text is refused by Python, and slow
        for low, high, factor, divisor in _EPOCHS:
            if low <= int(digits) < high:
                return int(digits) * factor // divisor
    raise ValueError(f"`{digits[:40]}` is neither a date nor seconds since 1970: {REMEDY}")


def column(texts: Sequence[str], zone: tzinfo = UTC) -> Times | None:
    """All of `texts` as period starts; None if one is no date."""
    found = each(texts, zone)
    if any(isinstance(one, str) for one in found):
        return None
    return np.array(found, dtype=np.int64).view(STAMP)


def each(texts: Sequence[str], zone: tzinfo = UTC) -> list[int | str]:
    """Per text what `microseconds` says of it, or why it is no date; in C where they are of one common shape."""
    found: list[int | str | None] = [None] * len(texts)
    if zone is UTC and len(texts) > FEW:
        for index, stamp in zip(*_uniform(texts, len(texts[len(texts) // 2])), strict=True):
            found[index] = stamp
    return [_one(text, zone) if one is None else one for text, one in zip(texts, found, strict=True)]


def _one(text: str, zone: tzinfo) -> int | str:
    try:
        return microseconds(text, zone)
    except ValueError as error:
        return str(error)


def _uniform(texts: Sequence[str], length: int) -> tuple[list[int], list[int]]:
    """Where the dates of the shape of that length stand, and their microseconds; none where one is impossible."""
    shape = _SHAPES.get(length)
    picks = [index for index, text in enumerate(texts) if len(text) == length and text.isascii()] if shape else []
    if not shape or not picks:
        return [], []
    letters = np.array([texts[index] for index in picks], dtype=f"S{length}")
    matrix: NDArray[np.uint8] = letters.view(np.uint8).reshape(len(picks), length)
    fits = np.ones(len(picks), dtype=np.bool_)
    for place, sign in enumerate(shape):
        cells = matrix[:, place]
        fits &= (cells >= 48) & (cells <= 57) if sign == "d" else np.isin(cells, list(_ALSO.get(sign, sign).encode()))
    try:
        times = letters[fits].astype("S19").astype("U19").astype(STAMP)
    except ValueError:
        return [], []
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    sane = (years >= FIRST_YEAR) & (years <= LAST_YEAR)
    return np.array(picks)[fits][sane].tolist(), times[sane].view(np.int64).tolist()
