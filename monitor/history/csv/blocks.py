"""Parsed columns as blocks; the same for the tolerant and for the vectorized reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import SourceError
from modeltop.core.series import Flags, Floats, Times
from modeltop.history.merge import Block

MAX_GROUPS = 50_000
"""Models times segments (times metrics, in the long shape) of one file; more is a column of row numbers."""

GroupKey = tuple[str, str, str | None]
"""Model, segment, and in the long shape the metric."""
ColumnRole = tuple[str, str]
"""(canonical metric, `value`|`support`|`low`|`high`), or ("", "rows")."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTable:
    """Rows that could be read; all arrays have the same length."""

    times: Times
    keys: Sequence[GroupKey]
    """The groups, in the order of their first rows."""
    groups: NDArray[np.intp] | None
    """Per row an index into `keys`; None where there is one group."""
    numbers: Mapping[ColumnRole, Floats]
    provisional: Flags | None


def to_blocks(table: ColumnTable) -> list[Block]:
    """Return one block per group.

    Raises:
        SourceError: There are more than `MAX_GROUPS`.
    """
    if len(table.keys) > MAX_GROUPS:
        raise SourceError(too_many_groups(len(table.keys)))
    if not len(table.times):
        return []
    return [_to_block(table, key, rows) for key, rows in zip(table.keys, _row_indices(table), strict=True)]


def too_many_groups(count: int) -> str:
    """Return the message that a file with `count` groups is refused with."""
    return (
        f"the file has {count:,} models and segments, the most is {MAX_GROUPS:,}: "
        "is a column of row numbers named model or segment?"
    )


def _row_indices(table: ColumnTable) -> list[slice | NDArray[np.intp]]:
    if table.groups is None or len(table.keys) == 1:
        return [slice(None)]
    order = np.argsort(table.groups, kind="stable")
    ends = np.cumsum(np.bincount(table.groups, minlength=len(table.keys)))
    spans = zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)
    return [_slice_if_contiguous(order[start:end]) for start, end in spans]


def _slice_if_contiguous(rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    # A slice copies nothing.
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _to_block(table: ColumnTable, key: GroupKey, rows: slice | NDArray[np.intp]) -> Block:
    model, segment, metric = key
    by_role: dict[str, dict[str, Floats]] = {"value": {}, "support": {}, "low": {}, "high": {}, "rows": {}}
    for (own_metric, role), numbers in table.numbers.items():
        by_role[role][own_metric or metric or ""] = numbers[rows]
    return Block(
        model,
        segment,
        table.times[rows],
        by_role["value"],
        by_role["support"],
        by_role["low"],
        by_role["high"],
        next(iter(by_role["rows"].values()), None),
        None if table.provisional is None else table.provisional[rows],
    )
