"""How the values of each feature fall into the bins, or the categories, of its reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.errors import SourceError
from monitor.logs import rows as ours
from monitor.logs.arrays import columns
from monitor.logs.batches import ALL
from monitor.logs.columns import Kind
from monitor.logs.cutting import KEY, Cut, cut, referred
from monitor.logs.engine import Engine, Expression
from monitor.logs.feature_reference import LOST, OTHER, UNSEEN, Known, Numbers, references, slot_of
from monitor.logs.log import Reading
from monitor.logs.opening import opened
from monitor.logs.progress import Progress, told
from monitor.tallies.base import Cells
from monitor.tallies.feature import FeatureReference, FeatureTally

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from monitor.records import Times

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
    columns_known = opened(reading.log, engine).columns
    numeric = [columns_known[name].kind is Kind.NUMBER for name in reading.features]
    with told(progress, engine, reading, "features"):
        before = referred(reading, engine)
        known = references(reading, numeric, before.table, engine)
        if not known:
            return
        at_first = {key: counts for key, _, counts in _heaps(engine.stream(_query(before, known, engine)), before)}
        now = cut(reading, engine, since=since, until=until)
        for (model, place), period, counts in _heaps(engine.stream(_query(now, known, engine)), now):
            if (model, place) in at_first:
                of = _reference(reading.features[place], known[place][model], at_first[model, place])
                yield _cells(model, period, counts, of)


def _query(made: Cut, known: dict[int, Known], engine: Engine) -> Expression:
    """The slots of all features, ordered by model and feature."""
    import ibis

    parts = []
    for place, of in known.items():
        name = ours.feature_of(place)
        table = slot_of(made.table.select(ours.MODEL, KEY, name), place, of, engine)
        counted = table.group_by([ours.MODEL, KEY, "slot"]).agg(n=table.count(), total=table.value.sum())
        parts.append(counted.mutate(**{FEATURE: ibis.literal(place, "int16")}))
    whole = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
    return whole.order_by([ours.MODEL, FEATURE, KEY])


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
