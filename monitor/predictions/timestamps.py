"""Timestamps of a log: how they are written, decided for the entire column, and the expression that reads them."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv import date_formats
from modeltop.history.csv.dates import EPOCH_UNITS
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.schema import Column, ColumnType, is_timestamp, number_expr

_WITH_ZONE = re.compile(r"\d\s*(Z|UTC|GMT|[+-]\d\d:?(\d\d)?)$", re.IGNORECASE)
_ISO = re.compile(r"\s*\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)?)?\s*", re.IGNORECASE)
_BLANK = "[ \u00a0\u202f]*"
_NUMBERS = (
    r"^ *(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})"
    rf"(?:(?:T|,? +)(\d{{1,2}}):(\d{{2}})(:\d{{2}}(?:[.]\d+)?)?{_BLANK}([AaPp]?)(?:[.]?[Mm][.]?)?"
    rf"{_BLANK}(Z|UTC|GMT|[+-]\d{{2}}(?::?\d{{2}})?)?)? *$"
)
"""Three numbers, and a time of day: hour, minute, second, half of the day, zone."""


class DateOrder(Enum):
    """Order of year, month and day in a date of three numbers; the value has their places."""

    YEAR_FIRST = (1, 2, 3)
    DAY_FIRST = (3, 2, 1)
    MONTH_FIRST = (3, 1, 2)


_ORDERS = {
    date_formats.YEAR_FIRST: DateOrder.YEAR_FIRST,
    date_formats.DAY_FIRST: DateOrder.DAY_FIRST,
    date_formats.MONTH_FIRST: DateOrder.MONTH_FIRST,
}


def find_date_order(table: Expression, column: Column, engine: Engine) -> DateOrder | None:
    """Return the order of the numbers in the dates of a column; None for ISO dates, and for what is no text.

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


def _decided_order(table: Expression, column: Column, engine: Engine, texts: list[str]) -> DateOrder | None:
    """Return the order by the first rows, or where no day above 12 is among them, by all."""
    try:
        found = date_formats.choose_date_format(column.name, texts)
        return _ORDERS.get(found) if found else None
    except date_formats.AmbiguousDatesError as error:
        first, second = (_highest(table[column.name], place, engine) for place in (1, 2))
        if (first > 12) is not (second > 12):
            return DateOrder.DAY_FIRST if first > 12 else DateOrder.MONTH_FIRST
        raise SourceError(f"--timestamp {sanitize(column.name, 60)} {sanitize(error, 200)}") from None


def _highest(expr: Expression, place: int, engine: Engine) -> int:
    """Return the highest number in that place of the dates that do not start with the year."""
    from modeltop.predictions.engines.base import fetch

    number = expr.re_extract(_NUMBERS, place).nullif("").try_cast("int32")
    highest = fetch(engine, number.max().as_table()).to_pylist()
    return next(iter(highest[0].values())) or 0


def timestamp_expr(table: Expression, column: Column, order: DateOrder | None) -> Expression:
    """Return the column as a moment in UTC, without its zone; one without a zone is in UTC already.

    Args:
        table: The table.
        column: One of its columns.
        order: From `find_date_order`.
    """
    expr = table[column.name]
    if column.type is ColumnType.NUMBER:
        return _epoch(number_expr(table, column), column)
    if column.stored_type is ColumnType.TEXT:
        text = expr if order is None else _as_iso(expr, order)
        if any(_WITH_ZONE.search(str(value).strip()) for value in column.sample):
            return text.try_cast("timestamp('UTC')").cast("timestamp(6)")
        return text.try_cast("timestamp(6)")
    return expr if expr.type() == "timestamp(6)" else expr.cast("timestamp(6)")


def _as_iso(expr: Expression, order: DateOrder) -> Expression:
    """Return dates of three numbers as ISO 8601; anything else as it is."""
    import ibis

    def part(place: int) -> Any:
        return expr.re_extract(_NUMBERS, place)

    year, month, day = (part(place) for place in order.value)
    half, hour = part(7).upper(), part(4).nullif("").try_cast("int32").fill_null(0)
    hour = ibis.cases(((half == "P") & (hour < 12), hour + 12), ((half == "A") & (hour == 12), 0), else_=hour)
    zone = part(8).re_replace("^(UTC|GMT|Z)$", "+00:00")
    clock = hour.cast("string").lpad(2, "0") + ":" + part(5).lpad(2, "0") + part(6) + zone
    return expr.re_search(_NUMBERS).ifelse(year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0") + " " + clock, expr)


def _epoch(value: Expression, column: Column) -> Expression:
    largest = max((abs(float(stamp)) for stamp in column.sample), default=0.0)
    unit = next((unit for unit in EPOCH_UNITS[:-1] if largest < 1000 * unit.low), EPOCH_UNITS[-1])
    microseconds = (value * unit.factor / unit.divisor).cast("int64")
    # Not all engines make a moment of microseconds.
    whole = (microseconds // 1000).as_timestamp("ms").cast("timestamp(6)")
    return whole + (microseconds % 1000).as_interval("us")
