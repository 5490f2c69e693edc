"""`[[calendar]]`: days on which other values are normal, so that an incident on them is explained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, tzinfo
from typing import Any

from modeltop.config.table import TableReader
from modeltop.core.calendar import CalendarEvent, DayRange

LEAP_YEAR = 2024
MAX_RANGE, MAX_DAYS = 60, 183
"""Maximum days of one range, and of an event in a year: the values of more are no exception."""
EXAMPLES = 'write "12-25" for every year, "2026-11-27" for one, or a range such as "12-24..12-26"'
REMEDY = "list only the days on which other values are normal"


def parse_calendar(tables: Sequence[TableReader], zone: tzinfo) -> tuple[CalendarEvent, ...]:
    """Return the events of `[[calendar]]`.

    Args:
        tables: The tables.
        zone: Time zone in which a day starts at midnight.
    """
    return tuple(_event(table, zone) for table in tables)


def _event(table: TableReader, zone: tzinfo) -> CalendarEvent:
    name, ranges = table.text("name"), tuple(_ranges(table))
    if "name" not in table.data or (name is not None and not any(map(str.isprintable, name.replace(" ", "")))):
        table.error("name", f'{"missing" if name is None else "blank"}; write one such as "Christmas"')
    totals = Counter[str]()
    for days in ranges:
        totals[days.first[: -len("12-25")]] += _length(days)
    if (total := max(totals.values(), default=0)) > MAX_DAYS:
        table.error("dates", f"{total} days a year, maximum {MAX_DAYS}; {REMEDY}")
    return CalendarEvent(name or "", ranges, table.text("model") or "*", zone)


def _ranges(table: TableReader) -> Iterator[DayRange]:
    if table.data.get("dates", []) == []:
        table.error("dates", f"missing; {EXAMPLES}")
    value: Any = table.get("dates", (list, str, date), "a date, or an array of dates,")
    items = value if isinstance(value, list) else [] if value is None else [value]
    for item in items:
        text = item.isoformat()[: len("2026-12-25")] if isinstance(item, date) else str(item)
        if (days := day_range(text)) is None:
            table.error("dates", f"{text!r} is not a date; {EXAMPLES}")
        elif (length := _length(days)) > MAX_RANGE:
            table.error("dates", f"{text!r} is {length} days, maximum {MAX_RANGE}; {REMEDY}")
        else:
            yield days


def day_range(text: str) -> DayRange | None:
    """Return a day, or a range of days with both ends; None if it is neither.

    >>> day_range("12-25"), day_range("2026-12-24..2027-01-02"), day_range("13-25")
    (DayRange(first='12-25', last='12-25'), DayRange(first='2026-12-24', last='2027-01-02'), None)
    """
    first, sign, last = (part.strip() for part in text.partition(".."))
    last = last if sign else first
    is_yearly = len(first) == len("12-25")
    if len(first) != len(last) or (last < first and not is_yearly):
        return None
    return DayRange(first, last) if _is_day(first) and _is_day(last) else None


def _length(days: DayRange) -> int:
    """Return the number of days of a range; one that runs over the end of the year goes on in the next."""
    length = (_to_date(days.last) - _to_date(days.first)).days + 1
    return length if length > 0 else length + 366


def _to_date(text: str) -> date:
    return date.fromisoformat(text if len(text) > len("12-25") else f"{LEAP_YEAR}-{text}")


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"(\d{4}-)?\d{2}-\d{2}", text, re.ASCII):
        return False
    try:
        _to_date(text)
    except ValueError:
        return False
    return True
