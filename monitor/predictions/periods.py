"""Periods: hours, days, weeks and months of a zone, runs of rows, or the values of a column.

An engine groups by whole minutes, hours or days; longer periods are merged from them here, because the calendar and the
clock changes of a zone are known.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.series import DATETIME_DTYPE, Times
from modeltop.core.text import sanitize

CODES = {
    "min": ("m", 1), "t": ("m", 1), "h": ("h", 1), "d": ("D", 1), "w": ("W", 1),
    "ms": ("M", 1), "m": ("M", 1), "qs": ("M", 3), "q": ("M", 3), "ys": ("M", 12), "y": ("M", 12), "a": ("M", 12),
}  # fmt: skip
"""Unit of numpy, and how many of it, by the code in lower case (those of pandas)."""
EXAMPLES = "write one of H, D, W, MS, 15min, 6h, 5000rows or column=NAME"
MINUTES = {"m": 1, "h": 60, "D": 1440, "W": 7 * 1440}
MONDAY = 4 * 1440
"""Minutes from 1970-01-01, a Thursday, to the first Monday."""
ROWS_PATTERN = re.compile(r"(\d{1,9})\s*rows", re.IGNORECASE)
COLUMN_PREFIX = "column="


@dataclass(frozen=True, slots=True)
class Period:
    """A span of the calendar of a zone, such as a week."""

    size: int
    unit: str
    """`m` minute, `h` hour, `D` day, `W` week from Monday, `M` month."""
    zone: str = "UTC"

    @property
    def code(self) -> str:
        """The length in one spelling: `D` of `1d`, `3MS` of `Q`."""
        unit = {"m": "min", "h": "H", "M": "MS"}.get(self.unit, self.unit)
        return unit if self.size == 1 else f"{self.size}{unit}"

    @property
    def grain(self) -> str:
        """Unit that an engine groups by: `m`, `h` or `D`."""
        return self.unit if self.unit in ("m", "h") else "D"

    @property
    def is_subhourly(self) -> bool:
        """Whether it is at most an hour: cut by elapsed time, so that the hour that a clock repeats is two periods."""
        return self.unit in ("m", "h") and self.size * MINUTES[self.unit] <= 60

    def utc_offset(self, moment: np.datetime64) -> np.timedelta64:
        """Return the offset of local time from UTC at a moment; of a subhourly period modulo one hour."""
        utc = moment.astype(DATETIME_DTYPE).item().replace(tzinfo=UTC)
        offset = np.timedelta64(utc.astimezone(find_zone(self.zone)).utcoffset() or timedelta(0), "us")
        return offset % np.timedelta64(1, "h") if self.is_subhourly else offset

    def starts(self, local: Times) -> Times:
        """Return the starts in UTC of the periods that contain local times."""
        if self.zone == "UTC":
            return self._floor(local)
        unique, inverse = np.unique(self._floor(local), return_inverse=True)
        return np.array([self._to_utc(start) for start in unique], dtype=DATETIME_DTYPE)[inverse]

    def start(self, moment: np.datetime64) -> np.datetime64:
        """Return the start of the period that contains a moment of UTC."""
        start: np.datetime64 = self.starts(np.array([moment + self.utc_offset(moment)], dtype=DATETIME_DTYPE))[0]
        return start

    def end(self, start: np.datetime64) -> np.datetime64:
        """Return the end of the period with that start: the start of the next one, in UTC."""
        local = np.array([start + self.utc_offset(start)], dtype=DATETIME_DTYPE)
        if self.unit == "M":
            following = (local.astype("datetime64[M]") + self.size).astype(DATETIME_DTYPE)
        else:
            following = local + np.timedelta64(self.size * MINUTES[self.unit], "m")
        return self._to_utc(self._floor(following)[0])

    def _floor(self, local: Times) -> Times:
        if self.unit == "M":
            months = local.astype("datetime64[M]").astype(np.int64)
            return (months // self.size * self.size).astype("datetime64[M]").astype(DATETIME_DTYPE)
        step, origin = self.size * MINUTES[self.unit], MONDAY if self.unit == "W" else 0
        minutes = (local.astype("datetime64[m]").astype(np.int64) - origin) // step * step + origin
        return minutes.astype("datetime64[m]").astype(DATETIME_DTYPE)

    def _to_utc(self, local: np.datetime64) -> np.datetime64:
        if self.is_subhourly:
            return local - self.utc_offset(local)
        moment: datetime = local.astype(DATETIME_DTYPE).item()
        utc = moment.replace(tzinfo=find_zone(self.zone)).astimezone(UTC).replace(tzinfo=None)
        return np.datetime64(utc, "us")


def parse_period(code: str, timezone: str = "UTC") -> Period:
    """Return the period of a code, such as `D`, `15min` or `MS`.

    Raises:
        SourceError: There is no such code or zone.

    >>> parse_period("6h"), parse_period("W").grain
    (Period(size=6, unit='h', zone='UTC'), 'D')
    """
    match = re.fullmatch(r"(\d{0,4})\s*([A-Za-z]{1,3})", code.strip())
    if match is None or match[2].lower() not in CODES or match[1] == "0":
        raise SourceError(f"--period {sanitize(code, 40)} is invalid: {EXAMPLES}")
    unit, factor = CODES[match[2].lower()]
    size = int(match[1] or 1) * factor
    if unit in ("m", "h") and 1440 % (size * MINUTES[unit]):
        raise SourceError(f"--period {sanitize(code, 40)} does not fill a day: choose one that does, such as 6h")
    find_zone(timezone)
    return Period(size, unit, timezone)


def rows_per_period(code: str) -> int | None:
    """Return N of the code `Nrows`; None for any other code.

    Raises:
        SourceError: N is 0.
    """
    match = ROWS_PATTERN.fullmatch(code.strip())
    if match is not None and int(match[1]) == 0:
        raise SourceError(f"--period {sanitize(code, 40)}: a period has at least one row")
    return None if match is None else int(match[1])


def period_column(code: str) -> str | None:
    """Return NAME of the code `column=NAME`; None for any other code."""
    return code.removeprefix(COLUMN_PREFIX) if code.startswith(COLUMN_PREFIX) else None


def is_calendar(code: str) -> bool:
    """Return whether periods are spans of time, not runs of rows or values of a column."""
    return rows_per_period(code) is None and period_column(code) is None


@cache
def find_zone(name: str, flag: str = "--timezone") -> ZoneInfo:
    """Return a time zone; raise SourceError if there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SourceError(f"{flag} {sanitize(name, 40)} is not a time zone: write one such as Europe/Berlin") from None


def utc_offset_changes(
    period: Period, first: np.datetime64, last: np.datetime64
) -> list[tuple[np.datetime64, np.timedelta64]]:
    """Return the offsets of local time from UTC between two moments, each with the moment from which it holds.

    Args:
        period: Its zone counts; of a subhourly period offsets are modulo one hour.
        first: UTC, the moment of the first entry.
        last: UTC.
    """
    if period.zone == "UTC":
        return [(first, np.timedelta64(0, "us"))]
    changes = [(first, period.utc_offset(first))]
    step = np.timedelta64(1, "D")
    day = first.astype("datetime64[D]").astype(DATETIME_DTYPE)
    while day < last:
        following = day + step
        if period.utc_offset(following) != changes[-1][1]:
            changes.append(_find_offset_change(period, day, following, changes[-1][1]))
        day = following
    return changes


def _find_offset_change(
    period: Period, before: np.datetime64, after: np.datetime64, offset: np.timedelta64
) -> tuple[np.datetime64, np.timedelta64]:
    """Return the second between two moments from which `offset` no longer holds, by bisection, and the new offset."""
    first, last = (int(moment.astype("datetime64[s]").astype(np.int64)) for moment in (before, after))
    seconds = range(first + 1, last + 1)

    def has_changed(second: int) -> bool:
        return bool(period.utc_offset(np.datetime64(second, "s").astype(DATETIME_DTYPE)) != offset)

    second = seconds[bisect.bisect_left(seconds, True, key=has_changed)]  # noqa: FBT003  the value to find
    moment = np.datetime64(second, "s").astype(DATETIME_DTYPE)
    return moment, period.utc_offset(moment)
