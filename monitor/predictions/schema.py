"""The columns of a log, their types inferred from their first values, and expressions that read them as such.

In a CSV everything is text until a role asks for more, so that `007` stays the name of a model.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv.number_formats import (
    PLAIN,
    AmbiguousNumbersError,
    NumberFormat,
    choose_number_format,
    numbers_of,
)
from modeltop.predictions.engines.base import Expression

MISSING_WORDS = frozenset(("", "null", "none", "nan", "na", "n/a", "#n/a", "-", "?"))
"""Values that are not there, in lower case; among several classes they may be names."""
SNIFF_VALUES = 1_000
"""First values, from which the type of a column of text is inferred."""


class ColumnType(Enum):
    """Type of the values of a column."""

    TEXT = "text"
    NUMBER = "numbers"
    BOOLEAN = "true or false"
    TIMESTAMP = "dates"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a log, with its first values."""

    name: str
    """Foreign text."""
    type: ColumnType
    """Type of its values, however they are stored: numbers written as text are numbers."""
    stored_type: ColumnType
    """Type of the column in the engine."""
    sample: tuple[Any, ...]
    """First values without missing ones; numbers with a decimal comma or a percent sign as plain ones."""
    is_integer: bool = False
    """Whether it is stored as an integer."""
    is_float64: bool = False
    """Whether it is stored in double precision."""
    number_format: NumberFormat = PLAIN
    """Decimal mark and percent sign of numbers that are written as text."""

    @property
    def value_counts(self) -> dict[str, int]:
        """Counts of the distinct values of the sample, as text; without what is no number among numbers."""
        if self.type is ColumnType.NUMBER and self.stored_type is ColumnType.TEXT:
            return Counter(as_text(value, self.type) for value in self.sample if is_number(value))
        return Counter(as_text(value, self.type) for value in self.sample)


def as_text(value: object, type_: ColumnType) -> str:
    """Return a value as a person writes it: an integer without a decimal point.

    >>> as_text("1.0", ColumnType.NUMBER), as_text(True, ColumnType.BOOLEAN), as_text("007", ColumnType.TEXT)
    ('1', 'true', '007')
    """
    if type_ is ColumnType.BOOLEAN:
        return str(value).lower()
    if type_ is ColumnType.NUMBER:
        number = float(value)  # type: ignore[arg-type]  # it was read as a number before
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def infer_column(name: str, dtype: Any, sample: Iterable[object]) -> Column:
    """Infer a column.

    Args:
        name: Its name.
        dtype: Its type in Ibis.
        sample: Its first values.
    """
    values = tuple(value for value in sample if value is not None)
    stored = type_ = _stored_type(dtype)
    form = PLAIN
    if stored is ColumnType.TEXT:
        values = tuple(value for value in values if str(value).strip())
        type_ = _infer_text_type([str(value) for value in values[:SNIFF_VALUES]])
        if type_ is ColumnType.TEXT and (form := _number_format(values[:SNIFF_VALUES])) is not PLAIN:
            texts = (str(value).strip() for value in values)
            values = tuple(repr(form.convert(text)) if form.reads(text) else text for text in texts)
            type_ = ColumnType.NUMBER
    elif stored is ColumnType.NUMBER:
        values = tuple(value for value in values if not math.isnan(float(value)))  # type: ignore[arg-type]
    return Column(name, type_, stored, values, dtype.is_integer(), dtype.is_float64(), form)


def _number_format(values: Sequence[object]) -> NumberFormat:
    """Return how nearly all values write a number, with a decimal comma or a percent sign; `PLAIN` if they do not."""
    cells = numbers_of(map(str, values))
    try:
        form = choose_number_format(cells, None)
    except AmbiguousNumbersError:
        return PLAIN
    return PLAIN if form.separators or sum(map(form.reads, cells)) < 0.9 * len(cells) else form


def _stored_type(dtype: Any) -> ColumnType:
    if dtype.is_unknown() and "TIMESTAMP" in str(dtype.raw_type):
        return ColumnType.TIMESTAMP  # nanoseconds with a zone
    if dtype.is_boolean():
        return ColumnType.BOOLEAN
    if dtype.is_numeric():
        return ColumnType.NUMBER
    return ColumnType.TIMESTAMP if dtype.is_timestamp() or dtype.is_date() else ColumnType.TEXT


def _infer_text_type(values: Sequence[str]) -> ColumnType:
    """Return the type of nine tenths of the values; wrong ones are reported once the role of the column is known."""
    if not values:
        return ColumnType.TEXT
    for type_, is_type in ((ColumnType.NUMBER, is_number), (ColumnType.TIMESTAMP, is_timestamp)):
        if sum(map(is_type, values)) >= 0.9 * len(values):
            return type_
    return ColumnType.BOOLEAN if {value.lower() for value in values} <= {"true", "false"} else ColumnType.TEXT


def is_number(text: str) -> bool:
    """Return whether engines read the text as a number; NaN is a missing one."""
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|(?i:\s*nan\s*)", text) is not None


def is_timestamp(text: str) -> bool:
    """Return whether the text starts with a date, or a date and time, of ISO 8601 or of three other numbers."""
    date = r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4})"
    return re.match(rf"\s*{date}(,?[ T]+\d\d?:\d\d|\s*$)", text) is not None


class Schema(dict[str, Column]):
    """The columns of a log by name."""

    folder_keys: tuple[str, ...] = ()
    """Those in the names of its folders, which have a role only where no other column has it."""

    def logged(self) -> Schema:
        """Return the columns that are not in the names of folders."""
        return Schema({name: column for name, column in self.items() if name not in self.folder_keys})

    def column(self, name: str, flag: str) -> Column:
        """Return the column of a name.

        Raises:
            SourceError: There is none; the message starts with the flag and suggests the nearest name.
        """
        if name in self:
            return self[name]
        near = difflib.get_close_matches(name, self, 1, 0.5) or [key for key in self if key.lower() == name.lower()]
        hint = f"did you mean {sanitize(near[0], 60)}?" if near else f"there are {sanitize(', '.join(self), 200)}"
        raise SourceError(f"{flag} {sanitize(name, 60)}: the log has no such column; {hint}")


def number_expr(table: Expression, column: Column) -> Expression:
    """Return the column as double precision; NaN and anything that is not a number are null."""
    expr = table[column.name]
    if column.stored_type is ColumnType.TEXT:
        form = column.number_format
        text = expr if form.mark == "." else expr.replace(form.mark, ".")
        text = text.re_replace(r"\s*%\s*$", "") if form.has_sign else text
        expr = text.try_cast("float64") / 100 if form.is_percent else text.try_cast("float64")
    elif column.stored_type is ColumnType.BOOLEAN:
        return expr.cast("int8").cast("float64")
    else:
        is_integer = expr.type().is_integer()
        expr = expr.cast("float64")
        if is_integer:
            return expr
    return expr.isnan().ifelse(None, expr)


def text_expr(table: Expression, column: Column) -> Expression:
    """Return the column as text; empty text is null."""
    expr = table[column.name]
    if column.stored_type is ColumnType.TEXT:
        return expr.nullif("")
    if column.stored_type is ColumnType.NUMBER and expr.type().is_floating():
        # 1.0 is written differently by different engines: so integers are cast.
        is_integer = expr == expr.floor()
        return is_integer.ifelse(expr.cast("int64").cast("string"), expr.cast("string"))
    return expr.cast("string")


def equals_expr(table: Expression, column: Column, value: str, *, is_exact: bool = True) -> Expression:
    """Return whether the column holds a value.

    Args:
        table: The table.
        column: One of its columns.
        value: As `as_text` writes it.
        is_exact: Whether case and surrounding blanks count.
    """
    expr = table[column.name]
    match column.type:
        case ColumnType.NUMBER:
            if not is_number(value):
                return text_expr(table, column) == value
            if column.stored_type is ColumnType.NUMBER and expr.type().is_integer() and float(value).is_integer():
                return expr == int(float(value))
            return number_expr(table, column) == float(value)
        case ColumnType.BOOLEAN if column.stored_type is ColumnType.BOOLEAN:
            return expr if value.lower() == "true" else ~expr
        case ColumnType.BOOLEAN:
            return expr.strip().lower() == value.lower()
    text = text_expr(table, column)
    return text == value if is_exact else text.strip().lower() == value.lower()


def parse_timestamp(text: str) -> datetime | None:
    """Return the moment of an ISO date, naive means UTC; None if it is not one."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def is_date(text: str) -> bool:
    """Return whether the text is a date without a time of day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
