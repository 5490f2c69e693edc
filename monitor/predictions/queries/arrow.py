"""Record batches as numpy columns: text as objects, times as `datetime64[us]`, missing numbers as NaN.

By DLPack and buffers: `to_numpy` and `fill_null` import pandas, which takes half a second.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.series import DATETIME_DTYPE

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MISSING_CODE = -1
"""What a missing class, bin or slot is as a whole number."""
NAT = int(np.datetime64("NaT", "us").astype(np.int64))


def to_numpy(batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
    """The columns by name."""
    return {name: column_to_numpy(batch.column(place)) for place, name in enumerate(batch.schema.names)}


def column_to_numpy(column: pa.Array) -> NDArray[Any]:
    """One column; not to be written to."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.dictionary_encode()
        words = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        named: NDArray[np.object_] = words[_numbers(coded.indices.cast(pa.int64()), MISSING_CODE)]
        return named
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        whole = column.cast(pa.timestamp("us")).cast(pa.int64())
        return _numbers(whole, NAT).view(DATETIME_DTYPE)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _numbers(column.cast(pa.int64()), MISSING_CODE)
    return _numbers(column.cast(pa.float64()), math.nan)


def _numbers(column: pa.Array, missing: float) -> NDArray[Any]:
    import pyarrow as pa

    if not len(column):
        return np.empty(0, dtype=np.int64 if isinstance(missing, int) else np.float64)
    if not column.null_count:
        found: NDArray[Any] = np.from_dlpack(column)
        return found
    known, values = column.buffers()
    bare = pa.Array.from_buffers(column.type, len(column), [None, values], offset=column.offset)
    bits = np.unpackbits(np.frombuffer(known, dtype=np.uint8), bitorder="little")
    return np.where(bits[column.offset : column.offset + len(column)], np.from_dlpack(bare), missing)
