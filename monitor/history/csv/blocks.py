"""Rows as columns, and how they fall into blocks; the same for the tolerant and for the fast reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.history.merge import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats, Times

MAX_GROUPS = 50_000
"""Models times segments (times metrics, in the long shape) of one file; more is a column of row numbers."""

ColumnRole = tuple[str, str]
"""(canonical metric, `value`|`support`|`low`|`high`), or ("", "rows")."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTable:
    """Rows that could be read; all arrays have the same length."""

    times: Times
    names: Sequence[tuple[str, str, str | None]]
    """Model, segment, and in the long shape the metric, of each group in the order of its first row."""
    groups: NDArray[np.intp] | None
    """Per row an index into `names`; None where there is one group."""
    numbers: Mapping[ColumnRole, Floats]
    provisional: Flags | None


def to_blocks(table: ColumnTable) -> list[Block]:
    """One block per group. Raises SourceError if there are more than `MAX_GROUPS`."""
    if len(table.names) > MAX_GROUPS:
        raise SourceError(too_many_groups(len(table.names)))
    if not len(table.times):
        return []
    return [_block(table, name, rows) for name, rows in zip(table.names, _rows_of(table), strict=True)]


def too_many_groups(count: int) -> str:
    """Why a file is refused, and what to look for."""
    return (
        f"the file has {count:,} models and segments, the most is {MAX_GROUPS:,}: "
        "is a column of row numbers named model or segment?"
    )


def _rows_of(table: ColumnTable) -> list[slice | NDArray[np.intp]]:
    """Per group where its rows stand: a slice where they follow each other, which copies nothing."""
    if table.groups is None or len(table.names) == 1:
        return [slice(None)]
    order = np.argsort(table.groups, kind="stable")
    ends = np.cumsum(np.bincount(table.groups, minlength=len(table.names)))
    spans = zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)
    return [_tight(order[start:end]) for start, end in spans]


def _tight(rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _block(table: ColumnTable, name: tuple[str, str, str | None], rows: slice | NDArray[np.intp]) -> Block:
    model, segment, metric = name
    parts: dict[str, dict[str, Floats]] = {"value": {}, "support": {}, "low": {}, "high": {}, "rows": {}}
    for (own, part), numbers in table.numbers.items():
        parts[part][own or metric or ""] = numbers[rows]
    return Block(
        model,
        segment,
        table.times[rows],
        parts["value"],
        parts["support"],
        parts["low"],
        parts["high"],
        next(iter(parts["rows"].values()), None),
        None if table.provisional is None else table.provisional[rows],
    )
