"""What stands in the store's files: one row a period, in columns that only ever grow.

The header is `date,model,segment,count,<metric>[,<metric>_count]...,provisional`. The last column is there so that
a row cut short by a crash is always short of a field: were a value last, `0.951` cut to `0.9` would be read as such.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.errors import StoreError
from monitor.metrics.base import fold
from monitor.text import plain, safe

FIRST = ("date", "model", "segment", "count")
LAST = "provisional"
SUPPORT = "_count"

RESERVED = frozenset({"date", "timestamp", "time", "ds", "day", "period", "model", "segment", "count", "provisional"})
"""Names of columns that say what a row is about: no metric can be called so."""

COMPANIONS = (SUPPORT, "_low", "_high")
"""What `<metric><suffix>` is read as where `<metric>` has a column: support and interval."""

HEADER_LIMIT = 1 << 18
"""Most bytes of a header; thousands of metrics."""

_QUOTED = frozenset('",;|\t\r\n')
"""Characters that make a cell need quotes; `;`, `|` and tab only for readers that guess the delimiter."""


@dataclass(frozen=True, slots=True)
class Record:
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


def columns_for(records: Sequence[Record], existing: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that hold the records: the existing ones if they do, else those and the missing ones.

    Args:
        records: Rows of one family of files.
        existing: Columns of the newest part; None where there is no part, or one that was not made by the store.

    Raises:
        StoreError: A record cannot be kept under the names it uses.
    """
    kept = list(existing[len(FIRST) : -1]) if existing else []
    metrics = {metric: None for record in records for metric in (*record.values, *record.supports)}
    supported = {metric for record in records for metric in record.supports}
    for metric in metrics:
        _check_metric(metric, {*kept, *metrics})
        companions = [metric, metric + SUPPORT] if metric in supported else [metric]
        if metric not in kept and any(metric + suffix in kept for suffix in COMPANIONS):
            raise _ambiguous(next(metric + suffix for suffix in COMPANIONS if metric + suffix in kept), metric)
        kept += [name for name in companions if name not in kept]
    columns = (*FIRST, *kept, LAST)
    if len(header(columns)) > HEADER_LIMIT:
        raise StoreError("too many metrics for one model: keep some of them under another model's name")
    return columns


def _check_metric(metric: str, beside: set[str]) -> None:
    _check_text("metric", metric)
    if fold(metric) in RESERVED:
        raise StoreError(f"{safe(metric, 40)!r} is a name for a column of every file: call the metric otherwise")
    for suffix in COMPANIONS:
        if metric.endswith(suffix) and metric.removesuffix(suffix) in beside:
            raise _ambiguous(metric, metric.removesuffix(suffix))


def _ambiguous(companion: str, metric: str) -> StoreError:
    return StoreError(
        f"{safe(companion, 40)!r} beside {safe(metric, 40)!r} is read as its support or interval: "
        "give the support together with the value, or call one of them otherwise"
    )


def _check_text(what: str, text: str) -> None:
    if not text.strip():
        raise StoreError(f"a {what} without a name cannot be kept: give it one")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"the {what} {safe(text, 40)!r} is not valid text: write it in UTF-8") from None


def check(record: Record) -> None:
    """Raises StoreError if the record cannot be kept as it is."""
    _check_text("model", record.model)
    _check_text("segment", record.segment)
    if record.date.tzinfo is None:
        raise StoreError(f"the date {record.date.isoformat()} has no zone: give one, such as +00:00")
    if not record.values:
        raise StoreError(f"no value to keep for {safe(record.model, 40)!r}: give at least one metric")
    for name, number in (*record.values.items(), *record.supports.items(), ("count", record.count or 0)):
        if math.isnan(number):
            raise StoreError(f"{safe(name, 40)!r} is not a number: leave it out")


def header(columns: Iterable[str]) -> bytes:
    """The first line of a part."""
    return line(columns)


def encode(record: Record, columns: Sequence[str]) -> bytes:
    """The record as one line under these columns: UTF-8, LF, shortest exact numbers, ISO dates."""
    cells = {metric: plain(value) for metric, value in record.values.items()}
    cells |= {metric + SUPPORT: plain(number) for metric, number in record.supports.items()}
    cells |= {
        "date": iso(record.date),
        "model": record.model,
        "segment": record.segment,
        "count": "" if record.count is None else plain(record.count),
        LAST: "" if record.provisional is None else str(record.provisional).lower(),
    }
    return line(cells.get(column, "") for column in columns)


def iso(moment: datetime) -> str:
    """The shortest exact form: the date alone at midnight UTC.

    >>> iso(datetime(2025, 1, 10, tzinfo=UTC)), iso(datetime(2025, 1, 10, 2, 30, tzinfo=UTC))
    ('2025-01-10', '2025-01-10T02:30:00Z')
    """
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat().removesuffix("T00:00:00") if utc.isoformat().endswith("T00:00:00") else utc.isoformat() + "Z"


def line(cells: Iterable[str]) -> bytes:
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


def columns_of(start: bytes) -> tuple[str, ...] | None:
    """The columns of a part that begins with these bytes; None unless the store made the header.

    Args:
        start: The file up to any point after its header.
    """
    try:
        text = start.decode("utf-8", "ignore")
        found = tuple(next(csv.reader(io.StringIO(text, newline="")), ()))
    except csv.Error:
        return None
    ours = found[: len(FIRST)] == FIRST and found[-1:] == (LAST,) and len(set(found)) == len(found)
    return found if ours and start.startswith(header(found)) else None
