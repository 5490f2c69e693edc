"""Record batches as numpy columns: text as objects, times as `datetime64[us]`, missing numbers as NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MISSING = -1
"""What a missing class, bin or slot is as a whole number."""


def columns(batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
    """The columns by name."""
    return {name: _array(batch.column(place)) for place, name in enumerate(batch.schema.names)}


def _array(column: pa.Array) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.dictionary_encode()
        words = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        return words[_whole(coded.indices, -1)]
    if pa.types.is_integer(kind):
        return _whole(column, MISSING)
    moment = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    found: NDArray[Any] = column.cast(pa.timestamp("us") if moment else pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _whole(column: pa.Array, missing: int) -> NDArray[np.int64]:
    import pyarrow as pa

    filled = column.cast(pa.int64()).fill_null(missing) if column.null_count else column.cast(pa.int64())
    found: NDArray[np.int64] = filled.to_numpy(zero_copy_only=False)
    return found
