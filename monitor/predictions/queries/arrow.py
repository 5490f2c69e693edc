"""Record batches as numpy columns, without `to_numpy` of pyarrow, which imports pandas: half a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import DATETIME_DTYPE

if TYPE_CHECKING:
    import pyarrow as pa

Columns = dict[str, NDArray[Any]]
"""Columns of one length by name."""

MISSING_CODE = -1
"""A missing class, bin or slot as an integer."""
NAT = int(np.datetime64("NaT", "us").astype(np.int64))


def to_numpy(batch: pa.RecordBatch) -> Columns:
    """Return the columns of a record batch by name."""
    return {name: column_to_numpy(batch.column(index)) for index, name in enumerate(batch.schema.names)}


def column_to_numpy(column: pa.Array) -> NDArray[Any]:
    """Return one column as a numpy array that must not be written to."""
    import pyarrow as pa

    dtype = column.type
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype):
        encoded = column.dictionary_encode()
        dictionary = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
        return np.asarray(dictionary[_fill_missing(encoded.indices.cast(pa.int64()), MISSING_CODE)])
    if pa.types.is_date(dtype) or pa.types.is_timestamp(dtype):
        microseconds = column.cast(pa.timestamp("us")).cast(pa.int64())
        return _fill_missing(microseconds, NAT).view(DATETIME_DTYPE)
    if pa.types.is_integer(dtype) or pa.types.is_boolean(dtype):
        return _fill_missing(column.cast(pa.int64()), MISSING_CODE)
    return _fill_missing(column.cast(pa.float64()), math.nan)


def _fill_missing(column: pa.Array, missing: float) -> NDArray[Any]:
    import pyarrow as pa

    if not len(column):
        return np.empty(0, dtype=np.int64 if isinstance(missing, int) else np.float64)
    if not column.null_count:
        return np.from_dlpack(column)
    validity, data = column.buffers()
    filled = pa.Array.from_buffers(column.type, len(column), [None, data], offset=column.offset)
    bits = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")
    return np.where(bits[column.offset : column.offset + len(column)], np.from_dlpack(filled), missing)


def take_rows(columns: Columns, rows: NDArray[Any] | slice) -> Columns:
    """Return some rows of all columns."""
    return {name: column[rows] for name, column in columns.items()}


def concat_rows(chunks: Sequence[Columns]) -> Columns:
    """Return the rows of chunks with the same columns, one after the other."""
    if len(chunks) == 1:
        return chunks[0]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
