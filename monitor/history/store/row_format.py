"""What stands in the store's files: one row a period, in columns that only ever grow.

The header is `date,model,segment,count,<metric>[,<metric>_count][,<metric>_low][,<metric>_high]...,provisional`.
The last column is there so that a row cut short by a crash is short of a cell: were a value last, `0.951` cut to `0.9`
would be read as such.
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
from modeltop.core.metrics.registry import MetricRegistry, normalize_name
from modeltop.core.text import format_exact, sanitize

LEADING_COLUMNS = ("date", "model", "segment", "count")
TRAILING_COLUMN = "provisional"

RESERVED = frozenset(
    {"date", "timestamp", "time", "ds", "day", "period", "model", "segment", "count", "provisional", "metric"}
)
"""Names of columns that say what a row is about, here or in other people's files: no metric can be called so."""

COMPANIONS = {"_count": "supports", "_low": "lows", "_high": "highs"}
"""Which field of a record `<metric><suffix>` holds; read so only where `<metric>` has a column."""

YEAR_RANGE = (1970, 2200)
"""First and last year of a date; beyond them lie slips of the keyboard, and readers refuse them."""
MAX_NAME = 10_000
"""Characters of a name."""
MAX_LINE_BREAKS = 8
"""Line breaks in the name of a model or a segment; a row over many lines looks like an open quote."""
MAX_COLUMNS = 1_000
HEADER_LIMIT = 1 << 18
"""Most bytes of a header; thousands of metrics."""

_QUOTED = frozenset('",;|\t\r\n')
"""Characters that make a cell need quotes; `;`, `|` and tab only for readers that guess the delimiter."""


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One period of one model and segment, to be kept."""

    model: str
    """As written: foreign text, not empty."""
    date: datetime
    """Start of the period, aware."""
    values: Mapping[str, float]
    """Metric → value; never NaN. A metric without a value is left out."""
    count: float | None = None
    """Rows of the period."""
    segment: str = "all"
    supports: Mapping[str, float] = field(default_factory=dict)
    """Metric → the number of cases that its value rests on."""
    provisional: bool | None = None
    """True where the period is not complete yet."""
    lows: Mapping[str, float] = field(default_factory=dict)
    """Metric → lower end of the 95 % interval of its value."""
    highs: Mapping[str, float] = field(default_factory=dict)

    def companions(self) -> dict[str, float]:
        """Support and interval by the name of the column, such as `recall_count`."""
        fields = ((suffix, getattr(self, name)) for suffix, name in COMPANIONS.items())
        return {metric + suffix: number for suffix, numbers in fields for metric, number in numbers.items()}


def extend_columns(records: Sequence[PeriodRow], existing: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that hold the records: the existing ones if they do, else those and the missing ones.

    Args:
        records: Rows of one family of files.
        existing: Columns of the newest part; None where there is no part, or one that was not made by the store.

    Raises:
        StoreError: A metric cannot be kept under its name.
    """
    kept = list(existing[len(LEADING_COLUMNS) : -1]) if existing else []
    metrics = dict.fromkeys(metric for record in records for metric in record.values)
    _check_companions(metrics, kept)
    companions = {name for record in records for name in record.companions()}
    for metric in metrics:
        names = (metric, *(metric + suffix for suffix in COMPANIONS if metric + suffix in companions))
        kept += [name for name in names if name not in kept]
    columns = (*LEADING_COLUMNS, *kept, TRAILING_COLUMN)
    if len(columns) > MAX_COLUMNS or len(encode_header(columns)) > HEADER_LIMIT:
        raise StoreError("these are too many metrics for one model: keep some of them under another model's name")
    return columns


def _check_companions(metrics: Iterable[str], kept: Sequence[str]) -> None:
    """Raises StoreError where a metric would be read as the support of another, or make another be read so."""
    canonical = MetricRegistry().canonical
    present = {canonical(metric) for metric in metrics}
    before = {canonical(name) for name in kept}
    for metric in metrics:
        if stem := _companion_base(metric, canonical, before | present):
            raise _ambiguous(metric, stem)
    for name in kept:
        stem = _companion_base(name, canonical, present)
        if stem and stem not in before:
            raise _ambiguous(name, stem)


def _companion_base(name: str, canonical: Callable[[str], str], among: set[str]) -> str | None:
    """The metric among these that `name` would be read as the support or interval of."""
    stems = (canonical(name[: -len(suffix)]) for suffix in COMPANIONS if name.lower().endswith(suffix))
    return next((stem for stem in stems if stem in among), None)


def _ambiguous(companion: str, metric: str) -> StoreError:
    return StoreError(
        f"`{sanitize(companion, 40)}` beside `{sanitize(metric, 40)}` is read as its support or interval: "
        "give it together with the value, or call one of them otherwise"
    )


@lru_cache(maxsize=1_000)  # the same few names stand in row after row
def _check_text(what: str, text: str, *, breaks: int = MAX_LINE_BREAKS) -> None:
    if not text.strip():
        raise StoreError(f"a {what} without a name cannot be kept: give it one")
    if text != text.strip():
        raise StoreError(f"the {what} `{sanitize(text, 40)}` begins or ends with a blank: take it away")
    if len(text) > MAX_NAME or text.count("\n") + text.count("\r") > breaks:
        raise StoreError(f"the {what} `{sanitize(text, 40)}` is too long or has too many line breaks: shorten it")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"the {what} `{sanitize(text, 40)}` is not valid text: write it in UTF-8") from None


def validate(record: PeriodRow) -> None:
    """Raises StoreError if a reader would not find in the file what the record says."""
    _check_text("model", record.model)
    _check_text("segment", record.segment)
    if record.date.tzinfo is None:
        raise StoreError(f"the date {record.date.isoformat()} has no zone: give one, such as +00:00")
    # The year as written is looked at first: a year at the end of all time cannot be moved to another zone.
    first, last = YEAR_RANGE
    if not (first <= record.date.year <= last and first <= record.date.astimezone(UTC).year <= last):
        raise StoreError(f"the year of {record.date.isoformat()} is outside {first} to {last}: correct it")
    if not record.values:
        raise StoreError(f"there is no value to keep for `{sanitize(record.model, 40)}`: give at least one metric")
    for metric, value in record.values.items():
        _check_metric(metric)
        if math.isnan(value):
            raise StoreError(f"`{sanitize(metric, 40)}` is not a number: leave it out")
    for name, number in record.companions().items():
        if math.isnan(number) or name[: name.rindex("_")] not in record.values:
            raise StoreError(f"`{sanitize(name, 40)}` goes with a value and is a number: give both, or leave it out")
    for name, number in (("rows", record.count or 0), *record.supports.items()):
        if not 0 <= number < math.inf:
            raise StoreError(
                f"the count of `{sanitize(name, 40)}` is {format_exact(number)}: write a whole number, 0 or more"
            )


@lru_cache(maxsize=1_000)
def _check_metric(metric: str) -> None:
    _check_text("metric", metric, breaks=0)
    if normalize_name(metric) in RESERVED:
        raise StoreError(f"`{sanitize(metric, 40)}` is the name of another column: call the metric otherwise")


def encode_header(columns: Iterable[str]) -> bytes:
    """The first line of a part."""
    return encode_csv_line(columns)


def encode_row(record: PeriodRow, columns: Sequence[str]) -> bytes:
    """The record as one line under these columns: UTF-8, LF, shortest exact numbers, ISO dates."""
    cells = {metric: format_exact(value) for metric, value in record.values.items()}
    cells |= {name: format_exact(number) for name, number in record.companions().items()}
    cells |= {
        "date": format_iso(record.date),
        "model": record.model,
        "segment": record.segment,
        "count": "" if record.count is None else format_exact(record.count),
        TRAILING_COLUMN: "" if record.provisional is None else str(record.provisional).lower(),
    }
    return encode_csv_line(cells.get(column, "") for column in columns)


def format_iso(moment: datetime) -> str:
    """The shortest exact form: the date alone at midnight UTC.

    >>> format_iso(datetime(2025, 1, 10, tzinfo=UTC)), format_iso(datetime(2025, 1, 10, 2, 30, tzinfo=UTC))
    ('2025-01-10', '2025-01-10T02:30:00Z')
    """
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text[:10] if text.endswith("T00:00:00") else f"{text}Z"


def encode_csv_line(cells: Iterable[str]) -> bytes:
    """Cells as one line of CSV, each quoted where it must be."""
    return (",".join(map(_cell, cells)) + "\n").encode("utf-8")


def _cell(text: str) -> str:
    """The text, quoted where it must be; by hand, since the csv module before 3.11.9 leaves a lone CR bare.

    >>> print(_cell("churn"), _cell('say "hi" now'), _cell("a;b"))
    churn "say ""hi"" now" "a;b"
    """
    if _QUOTED.isdisjoint(text) and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def parse_header(start: bytes) -> tuple[str, ...] | None:
    """The columns of a part that begins with these bytes; None unless the store made the header.

    Args:
        start: The file up to any point after its header.
    """
    try:
        text = start.decode("utf-8", "ignore")
        found = tuple(next(csv.reader(io.StringIO(text, newline="")), ()))
    except csv.Error:
        return None
    ours = is_store_header(found) and len(set(found)) == len(found)
    return found if ours and start.startswith(encode_header(found)) else None


def is_store_header(cells: Sequence[str]) -> bool:
    """Whether a header is one of the store's; then all dates are in UTC."""
    return tuple(cells[: len(LEADING_COLUMNS)]) == LEADING_COLUMNS and tuple(cells[-1:]) == (TRAILING_COLUMN,)
