"""Parquet, read with PyArrow, which the `logs` extra brings."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv.header import NoHistory
from modeltop.history.files import MAX_BYTES, TooLargeError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

MAX_CELLS = 20_000_000
"""Most cells of a table: as CSV it has about as many bytes as the largest CSV file that is read."""
BATCH_ROWS = 1_024
INSTALL = "reading Parquet needs PyArrow: pip install 'modeltop[logs]'"


def to_csv(data: bytes, path: str) -> bytes:  # noqa: ARG001  as every format
    """Return a Parquet file as CSV, with the fields of a struct as `outer.inner`.

    Args:
        data: The file.
        path: The file, as a person named it.

    Raises:
        NoHistory: It has no columns.
        SourceError: PyArrow is not installed, or the file is damaged.
        TooLargeError: It has more than `MAX_CELLS`, or is larger than `MAX_BYTES` when unpacked.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SourceError(INSTALL) from None
    try:
        return _write(_read(parquet.ParquetFile(pa.BufferReader(data))))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = sanitize(str(error).partition("\n")[0].partition(". ")[0].rstrip("."), 60)
        raise SourceError(f"damaged Parquet ({reason}): copy or write it again") from None


def _read(file: parquet.ParquetFile) -> pa.Table:
    import pyarrow as pa

    cells, size, batches = file.metadata.num_rows * file.metadata.num_columns, 0, []
    if cells > MAX_CELLS:
        raise TooLargeError(f"this Parquet file has {cells:,} cells, the most is {MAX_CELLS:,}: aggregate it by period")
    for batch in file.iter_batches(BATCH_ROWS):  # a few bytes may stand for a text that is repeated in each row
        size += batch.nbytes
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES // 2**20} MB"
            raise TooLargeError(f"unpacked, this Parquet file has more than {limit}: aggregate it by period")
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def _write(table: pa.Table) -> bytes:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_date = pa.types.is_temporal(column.type)
        if not re.fullmatch(r"__index_level_\d+__", name):  # the index of a DataFrame, if it has no name
            columns[name] = _plain(column)
        elif is_date:
            columns.setdefault("date", _plain(column))
    if not columns:
        raise NoHistory("a Parquet file without columns: write a date column and a column a metric")
    text = io.BytesIO()
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    text.write(header.getvalue().encode("utf-8", "replace"))
    arrow_csv.write_csv(pa.table(columns), text, arrow_csv.WriteOptions(include_header=False))
    return text.getvalue()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column in a type that Arrow writes as CSV: times in UTC, lists and maps as JSON."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.tz:
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if column.type == pa.string_view() else column
