"""A stream of groups, ordered by model and period, in pieces of some hundred whole cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.queries.arrow import to_numpy
from modeltop.predictions.queries.binary import OUTCOME
from modeltop.predictions.windowing import PERIOD_KEY, WindowedRows, decode

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from modeltop.core.series import Times

CELLS_PER_BATCH = 250
"""Cells of a piece; more only where the segments of one period are more."""
GROUPS_PER_BATCH = 50_000
"""Groups that are gathered before they are cut into pieces."""
CUT, SEGMENT, CLASS = "cut", "segment", "class"
"""Our columns: the place of the segment's column, -1 for all rows; its value; the place of a class whose scores the
group is of, or `WHOLE`."""
ALL = "all"
START = "start"


@dataclass(frozen=True, slots=True, eq=False)
class GroupBatch:
    """Some cells, and the groups of which each consists."""

    model: NDArray[np.object_]
    period: Times
    segment: NDArray[np.object_]
    cell: NDArray[np.int64]
    """The place of the cell, one entry a group."""
    columns: dict[str, NDArray[Any]]
    """Columns with one entry a group."""

    def __len__(self) -> int:
        return len(self.model)


def group_batches(
    batches: Iterable[pa.RecordBatch], made: WindowedRows, names: Sequence[str], *, models: tuple[str, ...] = ()
) -> Iterator[GroupBatch]:
    """Cut the stream where a period of a model ends.

    Args:
        batches: Groups, ordered by model and key.
        made: What the keys mean.
        names: What stands before the value of each segment, such as `country=`.
        models: The names of the models, where the groups have their places instead.
    """
    for found in _complete_groups(batches, made, models):
        for piece in _split_batches(found, names, split=made.keys_sorted):
            yield replace(piece, model=decode(piece.model, models)) if models else piece


def _complete_groups(
    batches: Iterable[pa.RecordBatch], made: WindowedRows, models: tuple[str, ...]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Groups in heaps that end where a period ends; where keys do not come in the order of time, where a model does."""
    heap: list[dict[str, NDArray[Any]]] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        found = to_numpy(batch)
        found = _valid_groups(found)
        if not len(found[PERIOD_KEY]):
            continue
        heap.append(_with_starts(found, made, models))
        size += len(found[ours.MODEL])
        if size < GROUPS_PER_BATCH:
            continue
        joined = _joined(heap)
        ends = np.flatnonzero(_changes(joined, by_start=made.keys_sorted))
        if len(ends):
            last = int(ends[-1]) + 1
            yield {name: column[:last] for name, column in joined.items()}
            joined = {name: column[last:] for name, column in joined.items()}
        heap, size = [joined], len(joined[START])
    if size:
        yield _joined(heap)


def _valid_groups(found: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The groups that have a model, a period and, where they are grouped by it, a prediction."""
    model, key = found[ours.MODEL], found[PERIOD_KEY]
    # A name, or its place from 1 on.
    keep: NDArray[np.bool_] = (model != None) & (model != "") if model.dtype == object else model > 0  # noqa: E711  by element
    if key.dtype.kind == "M":
        keep &= ~np.isnat(key)
    if OUTCOME in found:
        keep &= found[OUTCOME] >= 0
    if "p" in found:
        keep &= (found["p"] >= 0) | (found[CLASS] >= 0 if CLASS in found else False)
    return found if keep.all() else {name: column[keep] for name, column in found.items()}


def _with_starts(
    found: dict[str, NDArray[Any]], made: WindowedRows, models: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    model, key = found[ours.MODEL], found.pop(PERIOD_KEY)
    # A cell has many groups: each key is looked up once.
    fresh = np.concatenate([[True], (model[1:] != model[:-1]) | (key[1:] != key[:-1])])
    names = decode(model[fresh], models) if models else model[fresh]
    return found | {START: made.period_starts(names, key[fresh])[np.cumsum(fresh) - 1]}


def _joined(heap: Sequence[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    if len(heap) == 1:
        return heap[0]
    return {name: np.concatenate([found[name] for found in heap]) for name in heap[0]}


def _changes(found: dict[str, NDArray[Any]], *, by_start: bool) -> NDArray[np.bool_]:
    """Whether the group after each is of another model, or period."""
    model, start = found[ours.MODEL], found[START]
    changed: NDArray[np.bool_] = model[1:] != model[:-1]
    return changed | (start[1:] != start[:-1]) if by_start else changed


def _split_batches(found: dict[str, NDArray[Any]], names: Sequence[str], *, split: bool) -> Iterator[GroupBatch]:
    found = {name: column[~np.isnat(found[START])] for name, column in found.items()}
    if not len(found[START]):
        return
    models = np.concatenate([[0], np.cumsum(_changes(found, by_start=False))])
    if not split:
        order = np.lexsort((found[START], models))
        found, models = {name: column[order] for name, column in found.items()}, models[order]
    period = np.concatenate([[0], np.cumsum(_changes(found, by_start=True))])
    segment, words = _segments(found, names)
    cells, first, cell = np.unique(period * len(words) + segment, return_index=True, return_inverse=True)
    # Pieces end where a period does, or a model.
    unit = (period if split else models)[first]
    before = np.searchsorted(unit, unit)  # cells of earlier units
    number = before // CELLS_PER_BATCH
    for begin, end in _runs(number):
        mine = (cell >= begin) & (cell < end)
        at = first[begin:end]
        yield GroupBatch(
            found[ours.MODEL][at],
            found[START][at],
            words[cells[begin:end] % len(words)],
            cell[mine] - begin,
            {name: column[mine] for name, column in found.items()},
        )


def _segments(found: dict[str, NDArray[Any]], names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """The place of each group's segment among the different ones, and those."""
    if CUT not in found:
        return np.zeros(len(found[START]), dtype=np.int64), np.array([ALL], dtype=object)
    places: dict[tuple[int, str], int] = {(-1, ALL): 0}
    pairs = zip(found.pop(CUT).tolist(), found.pop(SEGMENT).tolist(), strict=True)
    at = np.array([places.setdefault(pair, len(places)) for pair in pairs], dtype=np.int64)
    words = [value if cut < 0 else names[cut] + value for cut, value in places]
    return at, np.array(words, dtype=object)


def _runs(number: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    ends = np.concatenate([[0], np.flatnonzero(number[1:] != number[:-1]) + 1, [len(number)]])
    yield from zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
