"""How time is cut into periods: hours, days, weeks and months of a zone, and runs of rows.

An engine groups by whole minutes, hours or days; longer periods are merged from them here, where the calendar and the
clock changes of a zone are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.series import DATETIME_DTYPE
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from modeltop.core.series import Times

CODES = {
    "min": ("m", 1), "t": ("m", 1), "h": ("h", 1), "d": ("D", 1), "w": ("W", 1),
    "ms": ("M", 1), "m": ("M", 1), "qs": ("M", 3), "q": ("M", 3), "ys": ("M", 12), "y": ("M", 12), "a": ("M", 12),
}  # fmt: skip
"""By the code in lower case: the unit of numpy, and how many of it."""
EXAMPLES = "write such as H, D, W, MS, 15min, 6h, 5000rows or column=NAME"
MINUTES = {"m": 1, "h": 60, "D": 1440}
MONDAY = 4
"""Days from 1970-01-01, a Thursday, to the first Monday."""
ROWS_PATTERN = re.compile(r"(\d{1,9})\s*rows", re.IGNORECASE)
COLUMN_PREFIX = "column="


@dataclass(frozen=True, slots=True)
class Period:
    """Spans of equal length of the calendar of a zone."""

    size: int
    unit: str
    """`m` minutes, `h`, `D`, `W`, `M` months."""
    zone: str = "UTC"

    @property
    def grain(self) -> str:
        """What an engine groups by: `m`, `h` or `D`."""
        return self.unit if self.unit in MINUTES else "D"

    @property
    def is_subhourly(self) -> bool:
        """Up to an hour: cut by time that passes, so that the hour that a clock repeats is two periods."""
        return self.unit in MINUTES and self.size * MINUTES[self.unit] <= 60

    def utc_offset(self, moment: np.datetime64) -> np.timedelta64:
        """What local time is ahead of UTC at that moment; for a short period only the part below an hour."""
        ahead = _zone_offset(self.zone, moment)
        return ahead % np.timedelta64(1, "h") if self.is_subhourly else ahead

    def starts(self, local: Times) -> Times:
        """The starts in UTC of the periods in which local times lie."""
        begun = self._floor(local)
        unique, back = np.unique(begun, return_inverse=True)
        return np.array([self._to_utc(one) for one in unique], dtype=DATETIME_DTYPE)[back]

    def start(self, moment: np.datetime64) -> np.datetime64:
        """The start of the period in which a moment of UTC lies."""
        found: np.datetime64 = self.starts(np.array([moment + self.utc_offset(moment)], dtype=DATETIME_DTYPE))[0]
        return found

    def end(self, start: np.datetime64) -> np.datetime64:
        """The end of the period that starts then: the start of the next one, in UTC."""
        local = np.array([start + self.utc_offset(start)], dtype=DATETIME_DTYPE)
        if self.unit == "M":
            after = (local.astype("datetime64[M]") + self.size).astype(DATETIME_DTYPE)
        else:
            minutes = 7 * MINUTES["D"] if self.unit == "W" else MINUTES[self.unit]
            after = local + np.timedelta64(self.size * minutes, "m")
        return self._to_utc(self._floor(after)[0])

    def _floor(self, local: Times) -> Times:
        if self.unit == "M":
            months = local.astype("datetime64[M]").astype(np.int64)
            return (months // self.size * self.size).astype("datetime64[M]").astype(DATETIME_DTYPE)
        if self.unit == "W":
            weeks = (local.astype("datetime64[D]").astype(np.int64) - MONDAY) // (7 * self.size)
            return (weeks * 7 * self.size + MONDAY).astype("datetime64[D]").astype(DATETIME_DTYPE)
        if self.unit == "D":
            days = local.astype("datetime64[D]").astype(np.int64) // self.size * self.size
            return days.astype("datetime64[D]").astype(DATETIME_DTYPE)
        step = self.size * MINUTES[self.unit]
        minutes = local.astype("datetime64[m]").astype(np.int64) // step * step
        return minutes.astype("datetime64[m]").astype(DATETIME_DTYPE)

    def _to_utc(self, local: np.datetime64) -> np.datetime64:
        if self.is_subhourly:
            return local - self.utc_offset(local)
        moment: datetime = local.astype(DATETIME_DTYPE).item()
        utc = moment.replace(tzinfo=_zone(self.zone)).astimezone(UTC).replace(tzinfo=None)
        return np.datetime64(utc, "us")


def parse_period(code: str, timezone: str = "UTC") -> Period:
    """A period from its code, such as `D`, `15min` or `MS`.

    Raises:
        SourceError: The code or the zone is none.

    >>> parse_period("6h"), parse_period("W").grain
    (Period(size=6, unit='h', zone='UTC'), 'D')
    """
    found = re.fullmatch(r"(\d{0,4})\s*([A-Za-z]{1,3})", code.strip())
    if found is None or found[2].lower() not in CODES or found[1] == "0":
        raise SourceError(f"--period {sanitize(code, 40)} is none: {EXAMPLES}")
    unit, times = CODES[found[2].lower()]
    size = int(found[1] or 1) * times
    if unit in ("m", "h") and 1440 % (size * MINUTES[unit]):
        raise SourceError(f"--period {sanitize(code, 40)} does not fill a day: choose one that does, such as 6h")
    _zone(timezone)
    return Period(size, unit, timezone)


def rows_per_period(code: str) -> int | None:
    """N of `Nrows`; None where the code is another. Raises SourceError for 0."""
    found = ROWS_PATTERN.fullmatch(code.strip())
    if found is not None and int(found[1]) == 0:
        raise SourceError(f"--period {sanitize(code, 40)}: a period has at least one row")
    return None if found is None else int(found[1])


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SourceError(f"--timezone {sanitize(name, 40)} is none: write such as Europe/Berlin") from None


def _zone_offset(zone: str, moment: np.datetime64) -> np.timedelta64:
    utc = moment.astype(DATETIME_DTYPE).item().replace(tzinfo=UTC)
    return np.timedelta64(utc.astimezone(_zone(zone)).utcoffset() or timedelta(0), "us")


def utc_offset_changes(
    period: Period, first: np.datetime64, last: np.datetime64
) -> list[tuple[np.datetime64, np.timedelta64]]:
    """From when on local time is how much ahead of UTC, between two moments, the first entry at the first of them."""
    if period.zone == "UTC":
        return [(first, np.timedelta64(0, "us"))]
    found = [(first, period.utc_offset(first))]
    step = np.timedelta64(1, "D")
    at = first.astype("datetime64[D]").astype(DATETIME_DTYPE)
    while at < last:
        after = at + step
        if period.utc_offset(after) != found[-1][1]:
            found.append(_find_offset_change(period, at, after, found[-1][1]))
        at = after
    return found


def _find_offset_change(
    period: Period, before: np.datetime64, after: np.datetime64, held: np.timedelta64
) -> tuple[np.datetime64, np.timedelta64]:
    """The second at which the shift changes, by halving."""
    low, high = before.astype("datetime64[s]").astype(np.int64), after.astype("datetime64[s]").astype(np.int64)
    while high - low > 1:
        middle = (low + high) // 2
        if period.utc_offset(np.datetime64(int(middle), "s").astype(DATETIME_DTYPE)) == held:
            low = middle
        else:
            high = middle
    moment = np.datetime64(int(high), "s").astype(DATETIME_DTYPE)
    return moment, period.utc_offset(moment)
