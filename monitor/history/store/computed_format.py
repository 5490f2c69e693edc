"""The computed periods of one model, and the format of their file: `<slug>-<hash8>.computed.csv`.

A period and segment has one row. While its labels are still arriving it has two: values without labels are final in the
first; values with labels are provisional in the second. Readers use the flag of each value from its own row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, Flags, Floats, Times, to_datetime
from modeltop.core.text import sanitize
from modeltop.history.store.row_format import (
    COMPANIONS,
    LEADING_COLUMNS,
    TRAILING_COLUMN,
    encode_csv_line,
    format_iso,
    is_store_header,
)

NeedsLabels = Callable[[str], bool]

ARRAY_FIELDS = ("times", "segments", "rows", "provisional", "incomplete")
INTERVAL_DIGITS = 6
"""Significant digits of the ends of an interval, rounded outwards: an estimate, or a bound that may be wider."""


@dataclass(frozen=True, slots=True, eq=False)
class ComputedHistory:
    """The computed periods of one model; all arrays have one entry a (time, segment), which does not repeat."""

    model: str
    times: Times
    """Period starts, UTC, dtype `datetime64[us]`, in any order."""
    segments: NDArray[np.object_]
    rows: Floats
    """Rows of the prediction log in the period; NaN where unknown."""
    provisional: Flags
    """True if the period itself is not over."""
    incomplete: Flags
    """True if labels are still to come, or the period is not over."""
    columns: Mapping[str, Floats]
    """A metric, or its `_count`, `_low`, `_high` → its numbers; NaN where undefined."""

    def __len__(self) -> int:
        return len(self.times)

    def keys(self) -> list[tuple[int, str]]:
        """Return the time in microseconds since 1970 and the segment of each row."""
        return list(zip(self.times.astype("int64").tolist(), self.segments.tolist(), strict=True))

    def select(self, rows: NDArray[np.intp] | Flags) -> ComputedHistory:
        """Return some of the rows, by index or by mask."""
        arrays = {name: getattr(self, name)[rows] for name in ARRAY_FIELDS}
        return replace(self, **arrays, columns={name: column[rows] for name, column in self.columns.items()})


def split_column_name(column: str) -> tuple[str, str]:
    """Return the metric and the suffix of a column.

    >>> split_column_name("recall_count"), split_column_name("recall")
    (('recall', '_count'), ('recall', ''))
    """
    suffix = next((suffix for suffix in COMPANIONS if column.endswith(suffix)), "")
    return column.removesuffix(suffix), suffix


def normalized(history: ComputedHistory, catalog: MetricRegistry) -> ComputedHistory:
    """Return the history as it is stored: sorted, bounds rounded outwards, without what a reader derives by itself.

    A reader derives the support of a metric that rests on all rows, and Wilson's interval of a proportion.
    """
    _, segment = np.unique(history.segments, return_inverse=True)
    ordered = history.select(np.lexsort((segment, history.segments != "all", history.times)))
    columns: dict[str, Floats] = {}
    for name, column in ordered.columns.items():
        stored = _stored_column(name, column, ordered.rows, catalog)
        if not np.isnan(stored).all():
            columns[name] = stored
    return replace(ordered, columns=columns)


def _stored_column(name: str, column: Floats, rows: Floats, catalog: MetricRegistry) -> Floats:
    name, suffix = split_column_name(name)
    metric = catalog.get(name)
    if suffix == "_count" and metric.support == "rows":
        return np.where(column == rows, np.nan, column)
    if suffix in ("_low", "_high"):
        if metric.proportion:
            return np.full(len(column), np.nan)
        return _round_outwards(column, np.floor if suffix == "_low" else np.ceil) + 0.0
    return column + 0.0  # -0.0 would be written with its sign


def _round_outwards(column: Floats, round_to: Callable[[Floats], Floats]) -> Floats:
    sizes = np.abs(column)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (INTERVAL_DIGITS - 1 - np.floor(np.log10(sizes)))
        # Division by a power of ten gives the shortest form, multiplication by its inverse does not.
        rounded = round_to(column * scale) / scale
    is_exact = (sizes > 0) & (scale >= 1) & np.isfinite(scale)
    return np.where(is_exact, rounded, column)


def encode_computed(history: ComputedHistory, needs_labels: NeedsLabels) -> bytes:
    """Return the file of a `normalized` history: UTF-8, LF, shortest exact numbers, ISO dates in UTC.

    Metrics that need labels go to the second row of a period whose labels are still coming.
    """
    import pyarrow.compute as pc

    is_split = history.incomplete & ~history.provisional
    row = np.repeat(np.arange(len(history)), 1 + is_split)
    is_second = np.zeros(len(row), dtype=np.bool_)
    is_second[1:] = row[1:] == row[:-1]
    columns = []
    for name, column in history.columns.items():
        is_elsewhere = ~is_second if needs_labels(split_column_name(name)[0]) else is_second
        columns.append(np.where(is_split[row] & is_elsewhere, np.nan, column[row]))
    kept = ~np.isnan(columns).all(axis=0) if columns else np.zeros(len(row), dtype=np.bool_)
    row, provisional = row[kept], (history.provisional[row] | is_second)[kept]
    names = {segment: encode_csv_line((history.model, segment))[:-1] for segment in set(history.segments.tolist())}
    times, segments = history.times[row].astype(np.int64).tolist(), history.segments[row].tolist()
    leading = [b"%s,%s" % (_format_time(t), names[segment]) for t, segment in zip(times, segments, strict=True)]
    numbers = history.rows[row], *(column[kept] for column in columns)
    trailing = [b"true\n" if flag else b"false\n" for flag in provisional.tolist()]
    texts = _to_array(leading), *map(_to_texts, numbers), _to_array(trailing)
    comma = _to_array([b","])[0]
    lines = pc.binary_join_element_wise(*texts, comma, null_handling="replace", null_replacement="")
    header = encode_csv_line((*LEADING_COLUMNS, *history.columns, TRAILING_COLUMN))
    return header + "".join(lines.to_pylist()).encode()


@lru_cache(maxsize=10_000)
def _format_time(microseconds: int) -> bytes:
    return format_iso(to_datetime(np.datetime64(microseconds, "us"))).encode()


def _to_texts(column: Floats) -> Any:
    """Return shortest exact numbers as an array of Arrow, whose own conversions import pandas."""
    import pyarrow as pa

    is_defined = np.packbits(~np.isnan(column), bitorder="little")
    buffers = [pa.py_buffer(is_defined), pa.py_buffer(np.ascontiguousarray(column))]
    return pa.Array.from_buffers(pa.float64(), len(column), buffers).cast(pa.string())


def _to_array(texts: Sequence[bytes]) -> Any:
    import pyarrow as pa

    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


def decode_computed(data: bytes, path: object) -> ComputedHistory:
    """Return the history in the bytes of a file that `compute` wrote; `path` names it in an error.

    Raises:
        StoreError: It is another file, or was changed.
    """
    try:
        table = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
        names = tuple(table[0])
        if not is_store_header(names) or not data.endswith(b"\n"):
            raise ValueError("header")  # noqa: TRY301  one remedy for whatever is wrong with the file
        return _decode_rows(table[1:], names)
    except (ValueError, IndexError, csv.Error) as error:
        raise StoreError(f"{sanitize(path)} is not as compute left it: move it away, then compute again") from error


def _decode_rows(lines: list[list[str]], names: tuple[str, ...]) -> ComputedHistory:
    cells = list(zip(*lines, strict=True)) if lines else [()] * len(names)
    if len(cells) != len(names):
        raise ValueError("cells")
    stamps = np.array([text.removesuffix("Z") for text in cells[0]], dtype=DATETIME_DTYPE)
    flags = np.array([{"true": True, "false": False}.get(text) for text in cells[-1]])
    if len(flags) and flags.dtype != np.bool_:
        raise ValueError("flags")
    index: dict[tuple[int, str], int] = {}
    keys = zip(stamps.astype(np.int64).tolist(), cells[2], strict=True)
    periods = np.array([index.setdefault(key, len(index)) for key in keys], dtype=np.intp)
    first = np.unique(periods, return_index=True)[1]
    to_column = partial(_to_column, periods=periods, size=len(index))
    incomplete = np.zeros(len(index), dtype=np.bool_)
    incomplete[periods] = flags.astype(np.bool_)
    # A period of two rows is itself over: only its labels are still coming.
    has_two_rows = np.bincount(periods, minlength=len(index)) > 1
    metrics = slice(len(LEADING_COLUMNS), -1)
    return ComputedHistory(
        cells[1][0] if lines else "",
        stamps[first],
        np.array(cells[2], dtype=object)[first],
        to_column(cells[3]),
        incomplete & ~has_two_rows,
        incomplete,
        {name: to_column(column) for name, column in zip(names[metrics], cells[metrics], strict=True)},
    )


def _to_column(cells: Iterable[str], *, periods: NDArray[np.intp], size: int) -> Floats:
    values = np.array([float(text) if text else np.nan for text in cells], dtype=np.float64)
    column = np.full(size, np.nan)
    present = ~np.isnan(values)
    column[periods[present]] = values[present]
    return column
