"""Parquet, read with PyArrow, which the `logs` extra brings."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from modeltop.core.errors import SourceError
from modeltop.core.metrics.names import name_key
from modeltop.core.text import sanitize
from modeltop.history.csv.header import ROLE_NAMES, NoHistory, find_date_column
from modeltop.history.files import MAX_BYTES, TooLargeError, partition_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

MAX_CELLS = 20_000_000
"""Most cells of a table: as CSV it has about as many bytes as the largest CSV file that is read."""
BATCH_ROWS = 1_024
_CALENDAR = ("year", "month", "day")
_DATE = r"\d{4}-?\d{2}(?:-?\d{2}(?:[T_ ]\d{2}.*)?)?|\d{4}-W\d{2}"
"""The value of a partition that is a date, or a month or week."""
INSTALL = "reading Parquet needs PyArrow: pip install 'modeltop[logs]'"


def to_csv(data: bytes, path: str) -> bytes:
    """Return a Parquet file as CSV, with the fields of a struct as `outer.inner`, and the folders of its partition.

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
        return _write(_read(parquet.ParquetFile(pa.BufferReader(data))), partition_of(path))
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


def _write(table: pa.Table, partition: Mapping[str, str]) -> bytes:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    names, columns = list[str](), list[pa.ChunkedArray | pa.Array]()  # two columns may have one name
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_index = re.fullmatch(r"__index_level_\d+__", name) is not None  # of a DataFrame, if it has no name
        if not is_index or (pa.types.is_temporal(column.type) and "date" not in table.column_names):
            names.append("date" if is_index else name)
            columns.append(_plain(column))
    if not columns:
        raise NoHistory("a Parquet file without columns: write a date column and a column a metric")
    for name, value in _columns_of(partition, has_date=find_date_column(names) is not None).items():
        if name not in names:
            names.append(name)
            columns.append(pa.repeat(value, table.num_rows))
    text = io.BytesIO()
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(names)
    text.write(header.getvalue().encode("utf-8", "replace"))
    plain = pa.Table.from_arrays(columns, names)
    arrow_csv.write_csv(plain, text, arrow_csv.WriteOptions(include_header=False))
    return text.getvalue()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column in a type that Arrow writes as CSV: times in UTC, lists and maps as JSON, bytes as text."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.tz:
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()])
    return column.cast(pa.string()) if column.type == pa.string_view() else column


def _columns_of(partition: Mapping[str, str], *, has_date: bool) -> dict[str, str]:
    """Return the columns that a partition gives each row of its files: model, version, date, and segment for the rest.

    >>> _columns_of({"year": "2026", "month": "1", "day": "9", "country": "DE"}, has_date=False)
    {'date': '2026-01-09', 'segment': 'country=DE'}
    """
    rest = dict(partition)
    roles = {role: key for key in rest for role in ("model", "version") if name_key(key) in ROLE_NAMES[role]}
    columns = {role: rest.pop(key) for role, key in roles.items()}
    parts = [rest.pop(key, "").zfill(2) for key in _CALENDAR] if "year" in rest else []
    dates = ["-".join(part for part in parts if part != "00")] if parts else []
    dates += [rest.pop(key) for key, value in partition.items() if key in rest and re.fullmatch(_DATE, value)]
    if "hour" in rest and dates:
        dates[0] += f"T{rest.pop('hour').zfill(2)}:00"
    columns |= {"date": dates[0]} if dates and not has_date else {}
    return columns | ({"segment": ",".join(f"{key}={value}" for key, value in rest.items())} if rest else {})
