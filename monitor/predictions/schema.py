"""The columns of a log by what stands in them: text, numbers, moments; expressions that read them as such.

In a CSV everything is text until a part asks for more, so that `007` stays the name of a model.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Expression

EPOCHS = ((1e11, 1_000_000, 1), (1e14, 1_000, 1), (1e17, 1, 1), (math.inf, 1, 1_000))
"""Numbers below the first are moments in seconds, milliseconds, microseconds, nanoseconds since 1970: how many
microseconds each is, and by what to divide."""
SNIFF_VALUES = 1_000
"""First values that tell what a column of text is."""
WITH_ZONE = re.compile(r"\d(Z|[+-]\d\d:?(\d\d)?)$", re.IGNORECASE)


class ColumnType(Enum):
    """What the values of a column are."""

    TEXT = "text"
    NUMBER = "numbers"
    BOOLEAN = "true or false"
    TIMESTAMP = "dates"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a log, and the first values of it."""

    name: str
    """As written: foreign text."""
    type: ColumnType
    """What its values are, whatever the file says: numbers written as text are numbers."""
    stored_type: ColumnType
    """What the engine takes it for."""
    sample: tuple[Any, ...]
    """Without missing values."""
    is_integer: bool = False
    """Whether it is stored as whole numbers."""
    is_float64: bool = False
    """Whether it is stored in double precision."""

    @property
    def value_counts(self) -> dict[str, int]:
        """Different values of the sample, as text, and how often each is there."""
        found: dict[str, int] = {}
        for value in self.sample:
            text = as_text(value, self.type)
            found[text] = found.get(text, 0) + 1
        return found


def as_text(value: object, kind: ColumnType) -> str:
    """A value as a person names it: a number without a decimal point where it is whole.

    >>> as_text("1.0", ColumnType.NUMBER), as_text(True, ColumnType.BOOLEAN), as_text("007", ColumnType.TEXT)
    ('1', 'true', '007')
    """
    if kind is ColumnType.BOOLEAN:
        return str(value).lower()
    if kind is ColumnType.NUMBER:
        number = float(value)  # type: ignore[arg-type]  # it was read as a number before
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def infer_column(name: str, dtype: Any, sample: Iterable[object]) -> Column:
    """A column from its Ibis type and its first values."""
    known = tuple(value for value in sample if value is not None)
    stored = _stored_type(dtype)
    kind = stored
    if stored is ColumnType.TEXT:
        known = tuple(value for value in known if str(value).strip())
        kind = _infer_text_type([str(value) for value in known[:SNIFF_VALUES]])
    elif stored is ColumnType.NUMBER:
        known = tuple(value for value in known if not math.isnan(float(value)))  # type: ignore[arg-type]
    return Column(name, kind, stored, known, is_integer=dtype.is_integer(), is_float64=dtype.is_float64())


def _stored_type(dtype: Any) -> ColumnType:
    if dtype.is_boolean():
        return ColumnType.BOOLEAN
    if dtype.is_numeric():
        return ColumnType.NUMBER
    return ColumnType.TIMESTAMP if dtype.is_timestamp() or dtype.is_date() else ColumnType.TEXT


def _infer_text_type(values: Sequence[str]) -> ColumnType:
    """Nine tenths of the first values decide: a wrong one among them is told when its part is known."""
    if not values:
        return ColumnType.TEXT
    for kind, test in ((ColumnType.NUMBER, is_number), (ColumnType.TIMESTAMP, is_timestamp)):
        if sum(map(test, values)) >= 0.9 * len(values):
            return kind
    return ColumnType.BOOLEAN if {value.lower() for value in values} <= {"true", "false"} else ColumnType.TEXT


def is_number(text: str) -> bool:
    """Whether engines read the text as a number; NaN is a missing one."""
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|(?i:\s*nan\s*)", text) is not None


def is_timestamp(text: str) -> bool:
    """Whether the text is a date, or a date and time, of ISO 8601."""
    return re.match(r"\s*\d{4}-\d\d?-\d\d?([ T]\d\d?:\d\d|\s*$)", text) is not None


class Schema(dict[str, Column]):
    """The columns of a log by name."""

    def column(self, name: str, flag: str) -> Column:
        """The column of that name. Raises SourceError that names the nearest one."""
        if name in self:
            return self[name]
        near = difflib.get_close_matches(name, self, 1, 0.5) or [one for one in self if one.lower() == name.lower()]
        hint = f"did you mean {sanitize(near[0], 60)}?" if near else f"there are {sanitize(', '.join(self), 200)}"
        raise SourceError(f"{flag} {sanitize(name, 60)}: the log has no such column; {hint}")


def number_expr(table: Expression, column: Column) -> Expression:
    """The column as double precision; NaN and what is no number are missing."""
    found = table[column.name]
    if column.stored_type is ColumnType.TEXT:
        found = found.try_cast("float64")
    elif column.stored_type is ColumnType.BOOLEAN:
        return found.cast("int8").cast("float64")
    else:
        integer = found.type().is_integer()
        found = found.cast("float64")
        if integer:
            return found
    return found.isnan().ifelse(None, found)


def text_expr(table: Expression, column: Column) -> Expression:
    """The column as text; empty text is missing."""
    found = table[column.name]
    if column.stored_type is ColumnType.TEXT:
        return found.nullif("")
    if column.stored_type is ColumnType.NUMBER and found.type().is_floating():
        # 1.0 is written differently by different engines: whole numbers are written as such by all.
        whole = found == found.floor()
        return whole.ifelse(found.cast("int64").cast("string"), found.cast("string"))
    return found.cast("string")


def equals_expr(table: Expression, column: Column, value: str) -> Expression:
    """Whether the column holds the value, given as `as_text` writes it."""
    found = table[column.name]
    match column.type:
        case ColumnType.NUMBER:
            if not is_number(value):
                return text_expr(table, column) == value
            if column.stored_type is ColumnType.NUMBER and found.type().is_integer() and float(value).is_integer():
                return found == int(float(value))
            return number_expr(table, column) == float(value)
        case ColumnType.BOOLEAN if column.stored_type is ColumnType.BOOLEAN:
            return found if value.lower() == "true" else ~found
        case ColumnType.BOOLEAN:
            return found.lower() == value.lower()
    return text_expr(table, column) == value


def timestamp_expr(table: Expression, column: Column) -> Expression:
    """The column as a moment in UTC, without its zone; one without a zone is in UTC already."""
    found = table[column.name]
    if column.type is ColumnType.NUMBER:
        return _epoch(number_expr(table, column), column)
    if column.stored_type is ColumnType.TEXT:
        if any(WITH_ZONE.search(str(value).strip()) for value in column.sample):
            return found.try_cast("timestamp('UTC')").cast("timestamp(6)")
        return found.try_cast("timestamp(6)")
    return found if found.type() == "timestamp(6)" else found.cast("timestamp(6)")


def _epoch(value: Expression, column: Column) -> Expression:
    largest = max((abs(float(one)) for one in column.sample), default=0.0)
    times, over = next((times, over) for limit, times, over in EPOCHS if largest < limit)
    return (value * times / over).cast("int64").as_timestamp("us").cast("timestamp(6)")


def parse_timestamp(written: str) -> datetime | None:
    """An ISO date or moment; naive means UTC. None where it is none."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def is_date(written: str) -> bool:
    """Whether it is a date without a time of day."""
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
