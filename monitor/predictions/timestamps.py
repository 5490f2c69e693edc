"""Timestamps of a log: how they are written, decided for the entire column, and the expression that reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.series import to_datetime
from modeltop.core.text import sanitize
from modeltop.history.csv import date_formats
from modeltop.history.csv.dates import EPOCH_UNITS
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.periods import Period, find_zone, utc_offset_changes
from modeltop.predictions.schema import Column, ColumnType, is_timestamp, number_expr, text_expr

_WITH_ZONE = re.compile(r":\d\d([.,]\d+)?\s*([AP]M\s*)?(Z|UTC|GMT|[+-]\d\d:?(\d\d)?)$", re.IGNORECASE)
_ISO = re.compile(r"\s*\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)?)?\s*", re.IGNORECASE)
_BLANK = "[ \u00a0\u202f]*"
_NUMBERS = (
    r"^ *(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})"
    rf"(?:(?:T|,? +)(\d{{1,2}}):(\d{{2}})(?::(\d{{2}}(?:[.]\d+)?))?{_BLANK}([AaPp]?)(?:[.]?[Mm][.]?)?"
    rf"{_BLANK}(Z|UTC|GMT|[+-]\d{{2}}(?::?\d{{2}})?)?)? *$"
)
"""Three numbers, and a time of day: hour, minute, second, half of the day, zone."""
_CLOCK = (("hour", 4), ("minute", 5), ("second", 6), ("half", 7), ("zone", 8))
_DIRECTIVES = {
    "Y": ("year", r"(\d{4})"), "y": ("year", r"(\d{2})"), "m": ("month", r"(\d{1,2})"), "d": ("day", r"(\d{1,2})"),
    "b": ("name", r"([A-Za-z]{3})[a-z]*[.]?"), "B": ("name", r"([A-Za-z]{3})[a-z]*[.]?"), "H": ("hour", r"(\d{1,2})"),
    "I": ("hour", r"(\d{1,2})"), "M": ("minute", r"(\d{2})"), "S": ("second", r"(\d{2}(?:[.]\d+)?)"),
    "f": ("fraction", r"(\d{1,9})"), "p": ("half", "([AaPp])[.]?[Mm][.]?"),
    "z": ("zone", r"(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"),
}  # fmt: skip
"""Directive of strptime → the part of a date and its pattern."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_OF_1900 = "69"
"""Years of two digits from here on are of the last century (POSIX)."""


@dataclass(frozen=True, slots=True)
class DatePattern:
    """How dates other than ISO dates are written."""

    regex: str
    places: tuple[tuple[str, int], ...]
    """Parts of a date, and the groups of `regex` that have them."""
    is_only: bool = False
    """Whether a person gave it: then nothing else is a date."""


YEAR_FIRST = DatePattern(_NUMBERS, (("year", 1), ("month", 2), ("day", 3), *_CLOCK))
DAY_FIRST = DatePattern(_NUMBERS, (("year", 3), ("month", 2), ("day", 1), *_CLOCK))
MONTH_FIRST = DatePattern(_NUMBERS, (("year", 3), ("month", 1), ("day", 2), *_CLOCK))
_ORDERS = {
    date_formats.YEAR_FIRST: YEAR_FIRST,
    date_formats.DAY_FIRST: DAY_FIRST,
    date_formats.MONTH_FIRST: MONTH_FIRST,
}


@dataclass(frozen=True, slots=True)
class TimestampFormat:
    """How the timestamps of a log are read."""

    pattern: DatePattern | None = None
    """None: they are ISO dates, or no text."""
    offsets: tuple[tuple[datetime | None, int], ...] = ()
    """Seconds from UTC of local times up to a moment, the last one without; empty: they are UTC."""


def parse_format(text: str) -> DatePattern:
    """Return the pattern that directives of strptime describe, such as `%d.%m.%y %H:%M`.

    Raises:
        SourceError: They describe no date, or one is not supported.
    """
    regex, places = "", list[tuple[str, int]]()
    for literal, blank, directive in re.findall(r"([^%\s])|(\s+)|%(.?)", text):
        if not literal and not blank and directive not in _DIRECTIVES:
            known = ", ".join(f"%{name}" for name in _DIRECTIVES)
            raise SourceError(f"--timestamp-format {sanitize(text, 40)}: %{sanitize(directive)} is not one of {known}")
        part, pattern = _DIRECTIVES.get(directive, ("", " +" if blank else re.escape(literal)))
        regex += pattern
        places += [(part, len(places) + 1)] if part else []
    names = [name for name, _ in places]
    if len(set(names)) < len(names) or "year" not in names or ("month" in names) is ("name" in names):
        example = "write one such as %d.%m.%Y %H:%M"
        raise SourceError(f"--timestamp-format {sanitize(text, 40)} has not one year and one month: {example}")
    return DatePattern(f"^ *{regex} *$", tuple(places), is_only=True)


def find_timestamp_format(
    table: Expression, column: Column, engine: Engine, *, written: str | None, zone: str | None
) -> TimestampFormat:
    """Return how the timestamps of a column are read.

    Args:
        table: Its table.
        column: The timestamps.
        engine: The engine that loaded the table.
        written: Directives of strptime; None: by the values.
        zone: Time zone of those that name none; None: UTC.

    Raises:
        SourceError: They are no dates, ambiguous, or contradict what was given.
    """
    is_given = written is not None and column.stored_type is not ColumnType.TIMESTAMP
    pattern = parse_format(written or "") if is_given else find_date_pattern(table, column, engine)
    if zone is None:
        return TimestampFormat(pattern)
    find_zone(zone, "--local-time")
    if has_zone(column, pattern):
        name = sanitize(column.name, 60)
        raise SourceError(f"--local-time is for timestamps without a zone, and those of {name} are moments: remove it")
    local = timestamp_expr(table, column, TimestampFormat(pattern))
    (span,) = fetch(engine, table.aggregate(first=local.min(), last=local.max())).to_pylist()
    if span["first"] is None:
        return TimestampFormat(pattern)
    day = timedelta(days=1)
    first = np.datetime64(span["first"].replace(tzinfo=None) - day, "us")
    last = np.datetime64(span["last"].replace(tzinfo=None) + day, "us")
    changes = utc_offset_changes(Period(1, "D", zone), first, last)
    # Of an hour that comes twice the first counts, as Python reads a local time.
    until = [to_datetime(moment + offset).replace(tzinfo=None) for (moment, _), (_, offset) in pairwise(changes[::-1])]
    seconds = [int(offset / np.timedelta64(1, "s")) for _, offset in changes]
    return TimestampFormat(pattern, tuple(zip([*until[::-1], None], seconds, strict=True)))


def find_date_pattern(table: Expression, column: Column, engine: Engine) -> DatePattern | None:
    """Return how the dates of a column of text are written; None for ISO dates, and for what is no text.

    Raises:
        SourceError: They are no such dates, or no day above 12 tells day and month apart.
    """
    if column.type is ColumnType.NUMBER or column.stored_type is not ColumnType.TEXT or not column.sample:
        return None
    cells = list(map(str, column.sample))
    texts = list(dict.fromkeys(cells))
    if column.type is ColumnType.TIMESTAMP:
        if 2 * sum(_ISO.fullmatch(cell) is not None for cell in cells) > len(cells):
            return None
        order = _decided_order(table, column, engine, texts)
        if order is not None:
            return order
    example = sanitize(next((text for text in texts if not is_timestamp(text)), texts[0]), 40)
    raise SourceError(
        f"--timestamp {sanitize(column.name, 60)} holds {example}, which is not an ISO date: name another"
    )


def _decided_order(table: Expression, column: Column, engine: Engine, texts: list[str]) -> DatePattern | None:
    """Return the order by the first rows, or where no day above 12 is among them, by all."""
    try:
        found = date_formats.choose_date_format(column.name, texts)
        return _ORDERS.get(found) if found else None
    except date_formats.AmbiguousDatesError as error:
        first, second = (_highest(table[column.name], place, engine) for place in (1, 2))
        if (first > 12) is not (second > 12):
            return DAY_FIRST if first > 12 else MONTH_FIRST
        raise SourceError(f"--timestamp {sanitize(column.name, 60)} {sanitize(error, 200)}") from None


def _highest(expr: Expression, place: int, engine: Engine) -> int:
    """Return the highest number in that place of the dates that do not start with the year."""
    number = expr.re_extract(_NUMBERS, place).nullif("").try_cast("int32")
    highest = fetch(engine, number.max().as_table()).to_pylist()
    return next(iter(highest[0].values())) or 0


def timestamp_expr(table: Expression, column: Column, form: TimestampFormat) -> Expression:
    """Return the column as a moment in UTC, without its zone; null where there is none."""
    expr, pattern = table[column.name], form.pattern
    if pattern is None and column.type is ColumnType.NUMBER:
        return _epoch(number_expr(table, column), column)
    if column.stored_type is ColumnType.TEXT or (pattern is not None and column.stored_type is ColumnType.NUMBER):
        text = text_expr(table, column) if pattern is None else _as_iso(text_expr(table, column), pattern)
        if has_zone(column, pattern):
            return text.try_cast("timestamp('UTC')").cast("timestamp(6)")
        return _to_utc(text.try_cast("timestamp(6)"), form.offsets)
    return _to_utc(expr if expr.type() == "timestamp(6)" else expr.cast("timestamp(6)"), form.offsets)


def has_zone(column: Column, pattern: DatePattern | None) -> bool:
    """Return whether the timestamps of a column are moments, whatever the local time."""
    if pattern is not None and pattern.is_only:
        return "zone" in dict(pattern.places)
    if column.stored_type is ColumnType.TIMESTAMP:
        return any(isinstance(value, datetime) and value.tzinfo is not None for value in column.sample)
    is_epoch = column.type is ColumnType.NUMBER
    return is_epoch or any(_WITH_ZONE.search(str(value).strip()) for value in column.sample)


def _to_utc(local: Expression, offsets: tuple[tuple[datetime | None, int], ...]) -> Expression:
    import ibis

    if not offsets:
        return local
    shifted = [local - ibis.interval(seconds=seconds) for _, seconds in offsets]
    before = [local < ibis.literal(until, "timestamp(6)") for until, _ in offsets[:-1]]
    return ibis.cases(*zip(before, shifted, strict=False), else_=shifted[-1]) if before else shifted[0]


def _as_iso(expr: Expression, pattern: DatePattern) -> Expression:
    """Return dates of a pattern as ISO 8601; anything else as it is, or null."""
    import ibis

    places = dict(pattern.places)

    def part(name: str) -> Any:
        return expr.re_extract(pattern.regex, places[name]) if name in places else ibis.literal("")

    year, half, month = part("year"), part("half").upper(), part("month")
    century = (year >= _FIRST_OF_1900).ifelse("19", "20")
    if "name" in places:
        name = part("name").lower()
        month = ibis.cases(*((name == each, f"{number:02}") for number, each in enumerate(_MONTHS, start=1)))
    hour = part("hour").nullif("").try_cast("int32").fill_null(0)
    hour = ibis.cases(((half == "P") & (hour < 12), hour + 12), ((half == "A") & (hour == 12), 0), else_=hour)
    minute, second = (part(name).nullif("").fill_null("00") for name in ("minute", "second"))
    fraction = ibis.literal(".") + part("fraction") if "fraction" in places else ibis.literal("")
    zone = part("zone").re_replace("^(UTC|GMT|Z)$", "+00:00")
    day = part("day") if "day" in places else ibis.literal("01")
    date = (year.length() == 2).ifelse(century + year, year) + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")
    iso = date + " " + hour.cast("string").lpad(2, "0") + ":" + minute + ":" + second + fraction + zone
    return expr.re_search(pattern.regex).ifelse(iso, ibis.null("string") if pattern.is_only else expr)


def _epoch(value: Expression, column: Column) -> Expression:
    largest = max((abs(float(stamp)) for stamp in column.sample), default=0.0)
    unit = next((unit for unit in EPOCH_UNITS[:-1] if largest < 1000 * unit.low), EPOCH_UNITS[-1])
    microseconds = (value * unit.factor / unit.divisor).cast("int64")
    # Not all engines make a moment of microseconds.
    whole = (microseconds // 1000).as_timestamp("ms").cast("timestamp(6)")
    return whole + (microseconds % 1000).as_interval("us")
