"""The format of the store's files: one row a period, in columns that only ever grow.

The header is `date,model,segment,count,<metric>[,<metric>_count][,<metric>_low][,<metric>_high]...,provisional`.
The last column makes a row cut short by a crash short of a cell: else `0.951` cut to `0.9` would be read as such.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from modeltop.core.errors import StoreError
from modeltop.core.metrics.names import split_words
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import format_exact, sanitize

LEADING_COLUMNS = ("date", "model", "segment", "count")
TRAILING_COLUMN = "provisional"

DATE_COLUMN_NAMES = ("date", "timestamp", "time", "ds", "day", "period")
"""Names of the date column in a reader; of several in one file the first of these."""
RESERVED = frozenset({*DATE_COLUMN_NAMES, "model", "segment", "count", "provisional", "metric"})
"""Names of columns that identify a row, in the store or in other files: no metric can have one."""

COMPANIONS = {"_count": "supports", "_low": "lows", "_high": "highs"}
"""Suffix of a column `<metric><suffix>` → field of `PeriodRow`; read so only if `<metric>` has a column."""

YEAR_RANGE = (1970, 2200)
"""First and last year of a date; others are slips (`0025`, `20255`), and would stretch the time axis beyond use."""
MAX_NAME = 10_000
MAX_LINE_BREAKS = 8
"""Line breaks in the name of a model or a segment; a row over many lines looks like an open quote."""
MAX_COLUMNS = 1_000
"""Columns of one file; more is a feature table, or a table lying on its side."""
HEADER_LIMIT = 1 << 18
"""Bytes of a header; enough for thousands of metrics."""

_QUOTED = frozenset('",;|\t\r\n')
"""Characters that make a cell need quotes; `;`, `|` and tab only for readers that guess the delimiter."""


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One period of one model and segment, to be stored."""

    model: str
    """Name as written: foreign text, not empty."""
    date: datetime
    values: Mapping[str, float]
    """Metric → value; never NaN. A metric without a value is left out."""
    count: float | None = None
    segment: str = "all"
    supports: Mapping[str, float] = field(default_factory=dict)
    """Metric → the number of cases that its value rests on."""
    provisional: bool | None = None
    """True if the period is not complete yet."""
    lows: Mapping[str, float] = field(default_factory=dict)
    """Metric → lower end of the 95 % interval of its value."""
    highs: Mapping[str, float] = field(default_factory=dict)

    def companions(self) -> dict[str, float]:
        """Return support and interval by the name of the column, such as `recall_count`."""
        fields = ((suffix, getattr(self, name)) for suffix, name in COMPANIONS.items())
        return {metric + suffix: number for suffix, numbers in fields for metric, number in numbers.items()}


def extend_columns(rows: Sequence[PeriodRow], existing: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns that hold the rows of one model: the existing ones if they do, else the missing ones too.

    Raises:
        StoreError: A metric cannot be stored under its name.
    """
    columns = list(existing[len(LEADING_COLUMNS) : -1]) if existing else []
    metrics = dict.fromkeys(metric for row in rows for metric in row.values)
    _check_companions(metrics, columns)
    companions = {name for row in rows for name in row.companions()}
    for metric in metrics:
        names = (metric, *(metric + suffix for suffix in COMPANIONS if metric + suffix in companions))
        columns += [name for name in names if name not in columns]
    extended = (*LEADING_COLUMNS, *columns, TRAILING_COLUMN)
    if len(extended) > MAX_COLUMNS or len(encode_csv_line(extended)) > HEADER_LIMIT:
        raise StoreError("these are too many metrics for one model: keep some of them under another model's name")
    return extended


def _check_companions(metrics: Iterable[str], existing: Sequence[str]) -> None:
    """Raise StoreError if a metric would be read as the support of another, or make another be read so."""
    canonical = MetricRegistry().stored_name
    new = {canonical(metric) for metric in metrics}
    before = {canonical(name) for name in existing}
    for metric in metrics:
        if base := _companion_base(metric, canonical, before | new):
            raise _ambiguous(metric, base)
    for name in existing:
        base = _companion_base(name, canonical, new)
        if base and base not in before:
            raise _ambiguous(name, base)


def _companion_base(name: str, canonical: Callable[[str], str], metrics: set[str]) -> str | None:
    """Return the metric out of `metrics` whose support or interval a column called `name` would be read as."""
    bases = (canonical(name[: -len(suffix)]) for suffix in COMPANIONS if name.lower().endswith(suffix))
    return next((base for base in bases if base in metrics), None)


def _ambiguous(companion: str, metric: str) -> StoreError:
    return StoreError(
        f"`{sanitize(companion, 40)}` beside `{sanitize(metric, 40)}` is read as its support or interval: "
        "give it together with the value, or rename one of them"
    )


@lru_cache(maxsize=1_000)  # the same few names occur in every row
def _check_name(kind: str, name: str, *, max_line_breaks: int = MAX_LINE_BREAKS) -> None:
    if not name.strip():
        raise StoreError(f"a {kind} without a name cannot be kept: give it one")
    if name != name.strip():
        raise StoreError(f"the {kind} `{sanitize(name, 40)}` starts or ends with a space: remove it")
    if len(name) > MAX_NAME or name.count("\n") + name.count("\r") > max_line_breaks:
        raise StoreError(f"the {kind} `{sanitize(name, 40)}` is too long or has too many line breaks: shorten it")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"the {kind} `{sanitize(name, 40)}` is not valid text: write it in UTF-8") from None


def validate(row: PeriodRow) -> None:
    """Check that a reader will find in the file what the row holds.

    Raises:
        StoreError: It would not; the message names the remedy.
    """
    _check_name("model", row.model)
    _check_name("segment", row.segment)
    if row.date.tzinfo is None:
        raise StoreError(f"the date {row.date.isoformat()} has no zone: give one, such as +00:00")
    # The year as written is checked first: a year at the end of all time cannot be moved to another zone.
    first, last = YEAR_RANGE
    if not (first <= row.date.year <= last and first <= row.date.astimezone(UTC).year <= last):
        raise StoreError(f"the year of {row.date.isoformat()} is outside {first} to {last}: correct it")
    if not row.values:
        raise StoreError(f"no value to save for `{sanitize(row.model, 40)}`: give at least one metric")
    for metric, value in row.values.items():
        _check_metric(metric)
        if math.isnan(value):
            raise StoreError(f"`{sanitize(metric, 40)}` is not a number: leave it out")
    for name, number in row.companions().items():
        if math.isnan(number) or name[: name.rindex("_")] not in row.values:
            raise StoreError(f"`{sanitize(name, 40)}` goes with a value and is a number: give both, or leave it out")
    for name, number in (("rows", row.count or 0), *row.supports.items()):
        if not 0 <= number < math.inf:
            raise StoreError(
                f"the count of `{sanitize(name, 40)}` is {format_exact(number)}: write a whole number, 0 or more"
            )


@lru_cache(maxsize=1_000)
def _check_metric(metric: str) -> None:
    _check_name("metric", metric, max_line_breaks=0)
    if "_".join(split_words(metric)) in RESERVED:
        raise StoreError(f"`{sanitize(metric, 40)}` is the name of another column: rename the metric")


def encode_row(row: PeriodRow, columns: Sequence[str]) -> bytes:
    """Return the row as one line under `columns`: UTF-8, LF, shortest exact numbers, ISO dates."""
    cells = {metric: format_exact(value) for metric, value in row.values.items()}
    cells |= {name: format_exact(number) for name, number in row.companions().items()}
    cells |= {
        "date": format_iso(row.date),
        "model": row.model,
        "segment": row.segment,
        "count": "" if row.count is None else format_exact(row.count),
        TRAILING_COLUMN: "" if row.provisional is None else str(row.provisional).lower(),
    }
    return encode_csv_line(cells.get(column, "") for column in columns)


def format_iso(moment: datetime) -> str:
    """Return the shortest exact form of an aware time in UTC, by ISO 8601: the date alone at midnight.

    >>> format_iso(datetime(2025, 1, 10, tzinfo=UTC)), format_iso(datetime(2025, 1, 10, 2, 30, tzinfo=UTC))
    ('2025-01-10', '2025-01-10T02:30:00Z')
    """
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text[:10] if text.endswith("T00:00:00") else f"{text}Z"


def encode_csv_line(cells: Iterable[str]) -> bytes:
    """Return the cells as one line of CSV by RFC 4180, each quoted if necessary."""
    return (",".join(map(_encode_cell, cells)) + "\n").encode("utf-8")


def _encode_cell(text: str) -> str:
    """Return the text, quoted if necessary; by hand: the csv module before 3.11.9 leaves a lone CR bare.

    >>> print(_encode_cell("churn"), _encode_cell('say "hi" now'), _encode_cell("a;b"))
    churn "say ""hi"" now" "a;b"
    """
    if _QUOTED.isdisjoint(text) and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def parse_header(head: bytes) -> tuple[str, ...] | None:
    """Return the columns of a file that starts with `head`; None unless the store wrote the header."""
    try:
        text = head.decode("utf-8", "ignore")
        columns = tuple(next(csv.reader(io.StringIO(text, newline="")), ()))
    except csv.Error:
        return None
    is_own = is_store_header(columns) and len(set(columns)) == len(columns)
    return columns if is_own and head.startswith(encode_csv_line(columns)) else None


def is_store_header(cells: Sequence[str]) -> bool:
    """Return whether a header is one of the store's, which writes all dates in UTC."""
    return tuple(cells[: len(LEADING_COLUMNS)]) == LEADING_COLUMNS and tuple(cells[-1:]) == (TRAILING_COLUMN,)
