"""Days on which other values are normal: holidays, sales, the end of a month, as people configure them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class DayRange(NamedTuple):
    """A range of days, both ends included: of every year as `12-24`, of one year as `2026-12-24`."""

    first: str
    last: str

    def covers(self, day: date) -> bool:
        """Return whether a day is in the range; one of every year may run over the end of the year.

        >>> new_year = date(2027, 1, 1)
        >>> DayRange("12-31", "01-01").covers(new_year), DayRange("2026-12-31", "2026-12-31").covers(new_year)
        (True, False)
        """
        text = day.isoformat()[-len(self.first) :]
        if self.first <= self.last:
            return self.first <= text <= self.last
        return text >= self.first or text <= self.last


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Days under one name, such as Christmas."""

    name: str
    dates: tuple[DayRange, ...]
    model: str = "*"
    """A glob; `*` matches all models."""
    zone: tzinfo = UTC
    """Time zone in which a day starts at midnight."""

    def overlaps(self, start: datetime, length: timedelta) -> bool:
        """Return whether one of its days is in a period.

        Args:
            start: Start of the period, aware.
            length: Its length.
        """
        first, last = (moment.astimezone(self.zone).date() for moment in (start, start + length - SECOND))
        days = (first + number * DAY for number in range((last - first).days + 1))
        return any(dates.covers(day) for day in days for dates in self.dates)
