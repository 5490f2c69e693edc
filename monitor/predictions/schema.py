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
from modeltop.core.text import safe

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Expression

EPOCHS = ((1e11, 1_000_000, 1), (1e14, 1_000, 1), (1e17, 1, 1), (math.inf, 1, 1_000))
"""Numbers below the first are moments in seconds, milliseconds, microseconds, nanoseconds since 1970: how many
microseconds each is, and by what to divide."""
TELLING = 1_000
"""First values that tell what a column of text is."""
WITH_ZONE = re.compile(r"\d(Z|[+-]\d\d:?(\d\d)?)$", re.IGNORECASE)


class Kind(Enum):
    """What the values of a column are."""

    TEXT = "text"
    NUMBER = "numbers"
    FLAG = "true or false"
    MOMENT = "dates"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a log, and the first values of it."""

    name: str
    """As written: foreign text."""
    kind: Kind
    """What its values are, whatever the file says: numbers written as text are numbers."""
    stored: Kind
    """What the engine takes it for."""
    sample: tuple[Any, ...]
    """Without missing values."""
    whole: bool = False
    """Whether it is stored as whole numbers."""
    double: bool = False
    """Whether it is stored in double precision."""

    @property
    def values(self) -> dict[str, int]:
        """Different values of the sample, as text, and how often each is there."""
        found: dict[str, int] = {}
        for value in self.sample:
            text = as_text(value, self.kind)
            found[text] = found.get(text, 0) + 1
        return found


def as_text(value: object, kind: Kind) -> str:
    """A value as a person names it: a number without a decimal point where it is whole.

    >>> as_text("1.0", Kind.NUMBER), as_text(True, Kind.FLAG), as_text("007", Kind.TEXT)
    ('1', 'true', '007')
    """
    if kind is Kind.FLAG:
        return str(value).lower()
    if kind is Kind.NUMBER:
        number = float(value)  # type: ignore[arg-type]  # it was read as a number before
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def describe(name: str, dtype: Any, sample: Iterable[object]) -> Column:
    """A column from its Ibis type and its first values."""
    known = tuple(value for value in sample if value is not None)
    stored = _stored(dtype)
    kind = stored
    if stored is Kind.TEXT:
        known = tuple(value for value in known if str(value).strip())
        kind = _kind_of_text([str(value) for value in known[:TELLING]])
    elif stored is Kind.NUMBER:
        known = tuple(value for value in known if not math.isnan(float(value)))  # type: ignore[arg-type]
    return Column(name, kind, stored, known, whole=dtype.is_integer(), double=dtype.is_float64())


def _stored(dtype: Any) -> Kind:
    if dtype.is_boolean():
        return Kind.FLAG
    if dtype.is_numeric():
        return Kind.NUMBER
    return Kind.MOMENT if dtype.is_timestamp() or dtype.is_date() else Kind.TEXT


def _kind_of_text(values: Sequence[str]) -> Kind:
    """Nine tenths of the first values decide: a wrong one among them is told when its part is known."""
    if not values:
        return Kind.TEXT
    for kind, test in ((Kind.NUMBER, is_number), (Kind.MOMENT, is_moment)):
        if sum(map(test, values)) >= 0.9 * len(values):
            return kind
    return Kind.FLAG if {value.lower() for value in values} <= {"true", "false"} else Kind.TEXT


def is_number(text: str) -> bool:
    """Whether engines read the text as a number; NaN is a missing one."""
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|(?i:\s*nan\s*)", text) is not None


def is_moment(text: str) -> bool:
    """Whether the text is a date, or a date and time, of ISO 8601."""
    return re.match(r"\s*\d{4}-\d\d?-\d\d?([ T]\d\d?:\d\d|\s*$)", text) is not None


class Columns(dict[str, Column]):
    """The columns of a log by name."""

    def find(self, name: str, flag: str) -> Column:
        """The column of that name. Raises SourceError that names the nearest one."""
        if name in self:
            return self[name]
        near = difflib.get_close_matches(name, self, 1, 0.5) or [one for one in self if one.lower() == name.lower()]
        hint = f"did you mean {safe(near[0], 60)}?" if near else f"there are {safe(', '.join(self), 200)}"
        raise SourceError(f"{flag} {safe(name, 60)}: the log has no such column; {hint}")


def number(table: Expression, column: Column) -> Expression:
    """The column as double precision; NaN and what is no number are missing."""
    found = table[column.name]
    if column.stored is Kind.TEXT:
        found = found.try_cast("float64")
    elif column.stored is Kind.FLAG:
        return found.cast("int8").cast("float64")
    else:
        integer = found.type().is_integer()
        found = found.cast("float64")
        if integer:
            return found
    return found.isnan().ifelse(None, found)


def text(table: Expression, column: Column) -> Expression:
    """The column as text; empty text is missing."""
    found = table[column.name]
    if column.stored is Kind.TEXT:
        return found.nullif("")
    if column.stored is Kind.NUMBER and found.type().is_floating():
        # 1.0 is written differently by different engines: whole numbers are written as such by all.
        whole = found == found.floor()
        return whole.ifelse(found.cast("int64").cast("string"), found.cast("string"))
    return found.cast("string")


def is_value(table: Expression, column: Column, value: str) -> Expression:
    """Whether the column holds the value, given as `as_text` writes it."""
    found = table[column.name]
    match column.kind:
        case Kind.NUMBER:
            if not is_number(value):
                return text(table, column) == value
            if column.stored is Kind.NUMBER and found.type().is_integer() and float(value).is_integer():
                return found == int(float(value))
            return number(table, column) == float(value)
        case Kind.FLAG if column.stored is Kind.FLAG:
            return found if value.lower() == "true" else ~found
        case Kind.FLAG:
            return found.lower() == value.lower()
    return text(table, column) == value


def moment(table: Expression, column: Column) -> Expression:
    """The column as a moment in UTC, without its zone; one without a zone is in UTC already."""
    found = table[column.name]
    if column.kind is Kind.NUMBER:
        return _epoch(number(table, column), column)
    if column.stored is Kind.TEXT:
        if any(WITH_ZONE.search(str(value).strip()) for value in column.sample):
            return found.try_cast("timestamp('UTC')").cast("timestamp(6)")
        return found.try_cast("timestamp(6)")
    return found if found.type() == "timestamp(6)" else found.cast("timestamp(6)")


def _epoch(value: Expression, column: Column) -> Expression:
    largest = max((abs(float(one)) for one in column.sample), default=0.0)
    times, over = next((times, over) for limit, times, over in EPOCHS if largest < limit)
    return (value * times / over).cast("int64").as_timestamp("us").cast("timestamp(6)")


def to_moment(written: str) -> datetime | None:
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
