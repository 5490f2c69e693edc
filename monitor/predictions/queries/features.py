"""How the values of each feature fall into the bins, or the categories, of its reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.base import Cells
from modeltop.predictions.aggregates.feature import FeatureReference, FeatureTally
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.loading import opened
from modeltop.predictions.progress import Progress, told
from modeltop.predictions.queries.arrow import columns
from modeltop.predictions.queries.batches import ALL
from modeltop.predictions.queries.feature_bins import LOST, OTHER, UNSEEN, Known, Numbers, references, slot_of
from modeltop.predictions.spec import Reading
from modeltop.predictions.windowing import KEY, Cut, cut, first_of, keyed, of_reference

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from modeltop.core.series import Times

Counts = dict[str, "NDArray[Any]"]
FEATURE = "feature"


def features(
    reading: Reading,
    engine: Engine,
    *,
    since: np.datetime64 | None = None,
    until: np.datetime64 | None = None,
    progress: Progress | None = None,
) -> Iterator[Cells[FeatureTally]]:
    """The tallies of the features: each batch is one model and one feature, over its periods; ordered by model.

    A model without rows in the reference has none, and so has a feature that was always missing there.

    Raises:
        SourceError: The log cannot be read, or has no reference.
    """
    if not reading.features:
        return
    if reading.log.reference is None:
        raise SourceError("--feature needs --reference: what its values are compared with")
    with told(progress, engine, reading, "features"):
        bare = replace(reading, segments=())
        columns_known = opened(reading.log, engine).columns
        known = references(bare, columns_known, lambda some: of_reference(some, engine), engine)
        for (model, place), period, counts in _counted(bare, known, engine):
            first = counts[ours.REFERENCE] > 0
            wanted = _between(period, reading, since, until)
            if first.any() and wanted.any():
                name = reading.features[place]
                of = _reference(name, known[name][model], _some(counts, first))
                yield _cells(model, period[wanted], _some(counts, wanted), of)


def _some(counts: Counts, rows: NDArray[np.bool_]) -> Counts:
    return {name: column[rows] for name, column in counts.items()}


def _between(
    period: Times, reading: Reading, since: np.datetime64 | None, until: np.datetime64 | None
) -> NDArray[np.bool_]:
    """Which periods are read: the reference may lie before them, so all rows are counted."""
    wanted = np.ones(len(period), dtype=np.bool_)
    if since is not None:
        wanted &= period >= first_of(reading, since)
    return wanted if until is None else wanted & (period < until)


def _counted(
    reading: Reading, known: dict[str, Known], engine: Engine
) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    """The slots of each feature, one query a feature: as one, all would hold their groups in memory at once."""
    made = cut(replace(reading, features=()), engine)
    parts: Iterator[Expression] = (_query(reading, name, of, engine) for name, of in known.items())
    if len({model for of in known.values() for model in of}) > 1:
        parts = iter([_in_order([engine.keep(part) for part in parts])])
    for part in parts:
        yield from _heaps(engine.stream(part), made)


def _query(reading: Reading, name: str, of: Known, engine: Engine) -> Expression:
    import ibis

    # A log of many columns makes a long expression: only the one column is put into it.
    table = keyed(replace(reading, features=(name,)), engine)
    table = slot_of(table.select(ours.MODEL, KEY, ours.REFERENCE, ours.feature_of(name)), name, of, engine)
    counted = table.group_by([ours.MODEL, KEY, ours.REFERENCE, "slot"]).agg(n=table.count(), total=table.value.sum())
    referred = counted[ours.REFERENCE].cast("int8")
    return counted.mutate(**{FEATURE: ibis.literal(reading.features.index(name), "int16"), ours.REFERENCE: referred})


def _in_order(parts: list[Expression]) -> Expression:
    import ibis

    whole = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
    return whole.order_by([ours.MODEL, FEATURE])


def _heaps(batches: Iterable[pa.RecordBatch], made: Cut) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    """All groups of one model and feature at a time, with the period of each."""
    heap: list[Counts] = []
    held: tuple[str, int] | None = None
    for batch in batches:
        found = columns(batch)
        changed = (found[ours.MODEL][1:] != found[ours.MODEL][:-1]) | (found[FEATURE][1:] != found[FEATURE][:-1])
        ends = [0, *(np.flatnonzero(changed) + 1).tolist(), batch.num_rows]
        for begin, end in pairwise(ends):
            if begin == end:
                continue
            part = {name: column[begin:end] for name, column in found.items()}
            key = (part[ours.MODEL][0], int(part[FEATURE][0]))
            if held is not None and key != held:
                yield from _heap(held, heap, made)
                heap = []
            held = key
            heap.append(part)
    if held is not None:
        yield from _heap(held, heap, made)


def _heap(key: tuple[str, int], heap: list[Counts], made: Cut) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    found = {name: np.concatenate([part[name] for part in heap]) for name in heap[0]}
    if found[KEY].dtype.kind == "M":
        found = {name: column[~np.isnat(found[KEY])] for name, column in found.items()}
    if not key[0] or not len(found[KEY]):
        return
    period = made.dates(found[ours.MODEL], found[KEY])
    there = ~np.isnat(period)
    if there.any():
        yield key, period[there], {name: column[there] for name, column in found.items()}


def _reference(name: str, known: Any, counts: Counts) -> FeatureReference:
    cell = np.zeros(len(counts["n"]), dtype=np.int64)
    count, total, _ = _slots(counts, cell, 1, known.slots)
    if isinstance(known, Numbers):
        return FeatureReference(name, count[0], edges=known.edges, total=total[0], deviation=known.deviation)
    names = known.names[: known.slots]
    return FeatureReference(name, count[0], categories=names, exhaustive=known.exhaustive)


def _cells(model: str, period: Times, counts: Counts, reference: FeatureReference) -> Cells[FeatureTally]:
    periods, cell = np.unique(period, return_inverse=True)
    count, total, unseen = _slots(counts, cell, len(periods), reference.slots)
    numeric = reference.numeric
    tally = FeatureTally(
        reference, count, total if numeric else None, None if numeric or reference.exhaustive else unseen
    )
    names = np.full(len(periods), model, dtype=object)
    return Cells(names, periods, np.full(len(periods), ALL, dtype=object), tally)


def _slots(
    counts: Counts, cell: NDArray[np.int64], cells: int, slots: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Counts and sums by cell and slot, and what of `other` the reference never had."""
    slot = counts["slot"]
    at = np.select([slot == LOST, slot >= OTHER], [slots + 1, slots], slot)
    count = np.zeros((cells, slots + 2), dtype=np.int64)
    np.add.at(count, (cell, at), counts["n"])
    total = np.zeros((cells, slots))
    inside = at < slots
    np.add.at(total, (cell[inside], at[inside]), np.nan_to_num(counts["total"][inside]))
    unseen = np.zeros(cells, dtype=np.int64)
    new = slot == UNSEEN
    np.add.at(unseen, cell[new], counts["n"][new])
    return count, total, unseen
