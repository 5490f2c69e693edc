"""A stream of groups, ordered by model and period, cut into batches of some hundred complete cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Times
from modeltop.predictions import loading
from modeltop.predictions.queries.arrow import Columns, concat_rows, take_rows
from modeltop.predictions.queries.binary import OUTCOME
from modeltop.predictions.queries.multiclass import PREDICTED
from modeltop.predictions.windowing import PERIOD_KEY, WindowedRows, decode

CELLS_PER_BATCH = 250
"""Cells of a batch; more only if one period has more segments."""
GROUPS_PER_BATCH = 50_000
"""Groups that are buffered before they are cut into batches."""
SEGMENT_INDEX, SEGMENT, CLASS = "segment_index", "segment", "class"
"""Our columns: the index of the segment's column, -1 for all rows; its value; the index of the class whose scores the
group is of, or `NO_CLASS`."""
ALL = "all"
"""The segment of all rows."""
START = "start"
"""Our column: the start of the group's period."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupBatch:
    """Some cells, and the groups that each consists of."""

    model: NDArray[np.object_]
    period: Times
    segment: NDArray[np.object_]
    cell: NDArray[np.int64]
    """Index of the cell, one entry a group."""
    columns: Columns
    """Columns with one entry a group."""

    def __len__(self) -> int:
        return len(self.model)


def group_batches(
    batches: Iterable[Columns], rows: WindowedRows, prefixes: Sequence[str], *, models: tuple[str, ...] = ()
) -> Iterator[GroupBatch]:
    """Split the stream at the end of each period of a model.

    Args:
        batches: Groups, ordered by model and period key.
        rows: The rows that were grouped; it translates the period keys.
        prefixes: Text before the value of each segment column, such as `country=`.
        models: The names of the models, if the groups have their codes instead.
    """
    for groups in _complete_groups(batches, rows, models):
        for batch in _split_batches(groups, prefixes, by_period=rows.keys_sorted):
            yield replace(batch, model=decode(batch.model, models)) if models else batch


def _complete_groups(batches: Iterable[Columns], rows: WindowedRows, models: tuple[str, ...]) -> Iterator[Columns]:
    """Yield chunks that end with a period, or with a model if keys are not in the order of time."""
    buffer: list[Columns] = []
    size = 0
    for batch in batches:
        groups = _valid_groups(batch)
        if not len(groups[PERIOD_KEY]):
            continue
        buffer.append(_with_starts(groups, rows, models))
        size += len(groups[loading.MODEL])
        if size < GROUPS_PER_BATCH:
            continue
        chunk = concat_rows(buffer)
        boundaries = np.flatnonzero(_changes(chunk, by_start=rows.keys_sorted))
        if len(boundaries):
            end = int(boundaries[-1]) + 1
            yield take_rows(chunk, slice(end))
            chunk = take_rows(chunk, slice(end, None))
        buffer, size = [chunk], len(chunk[START])
    if size:
        yield concat_rows(buffer)


def _valid_groups(groups: Columns) -> Columns:
    """Return the groups that have a model, a period and, if they are grouped by it, a prediction."""
    model, key = groups[loading.MODEL], groups[PERIOD_KEY]
    # A name, or its code from 1 on.
    valid: NDArray[np.bool_] = (model != None) & (model != "") if model.dtype == object else model > 0  # noqa: E711  by element
    if key.dtype.kind == "M":
        valid &= ~np.isnat(key)
    if OUTCOME in groups:
        valid &= groups[OUTCOME] >= 0
    if PREDICTED in groups:
        valid &= (groups[PREDICTED] >= 0) | (groups[CLASS] >= 0 if CLASS in groups else False)
    return groups if valid.all() else take_rows(groups, valid)


def _with_starts(groups: Columns, rows: WindowedRows, models: tuple[str, ...]) -> Columns:
    model, key = groups[loading.MODEL], groups.pop(PERIOD_KEY)
    # A cell has many groups: each key is looked up once.
    first = np.concatenate([[True], (model[1:] != model[:-1]) | (key[1:] != key[:-1])])
    names = decode(model[first], models) if models else model[first]
    return groups | {START: rows.period_starts(names, key[first])[np.cumsum(first) - 1]}


def _changes(groups: Columns, *, by_start: bool) -> NDArray[np.bool_]:
    """Return whether the group after each is of another model, or period."""
    model, start = groups[loading.MODEL], groups[START]
    changed: NDArray[np.bool_] = model[1:] != model[:-1]
    return changed | (start[1:] != start[:-1]) if by_start else changed


def _split_batches(groups: Columns, prefixes: Sequence[str], *, by_period: bool) -> Iterator[GroupBatch]:
    groups = take_rows(groups, ~np.isnat(groups[START]))
    if not len(groups[START]):
        return
    models = np.concatenate([[0], np.cumsum(_changes(groups, by_start=False))])
    if not by_period:
        order = np.lexsort((groups[START], models))
        groups, models = take_rows(groups, order), models[order]
    period = np.concatenate([[0], np.cumsum(_changes(groups, by_start=True))])
    segment, names = _segments(groups, prefixes)
    cells, first, cell = np.unique(period * len(names) + segment, return_index=True, return_inverse=True)
    # Batches end with a period, or with a model.
    unit = (period if by_period else models)[first]
    before = np.searchsorted(unit, unit)  # cells of earlier units
    changes = np.flatnonzero(np.diff(before // CELLS_PER_BATCH)) + 1
    for start, end in pairwise([0, *changes.tolist(), len(before)]):
        inside = (cell >= start) & (cell < end)
        index = first[start:end]
        yield GroupBatch(
            groups[loading.MODEL][index],
            groups[START][index],
            names[cells[start:end] % len(names)],
            cell[inside] - start,
            take_rows(groups, inside),
        )


def _segments(groups: Columns, prefixes: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the index of each group's segment among the distinct ones, and the names of those."""
    if SEGMENT_INDEX not in groups:
        return np.zeros(len(groups[START]), dtype=np.int64), np.array([ALL], dtype=object)
    indices: dict[tuple[int, str], int] = {(-1, ALL): 0}
    pairs = zip(groups.pop(SEGMENT_INDEX).tolist(), groups.pop(SEGMENT).tolist(), strict=True)
    segment = np.array([indices.setdefault(pair, len(indices)) for pair in pairs], dtype=np.int64)
    names = [value if column < 0 else prefixes[column] + value for column, value in indices]
    return segment, np.array(names, dtype=object)
