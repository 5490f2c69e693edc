"""How the values of each feature fall into the bins, or the categories, of its reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.loading import load_log
from modeltop.predictions.progress import Progress, report_progress
from modeltop.predictions.queries.arrow import to_numpy
from modeltop.predictions.queries.batches import ALL
from modeltop.predictions.queries.feature_bins import (
    MISSING,
    OTHER,
    UNSEEN,
    BinsByModel,
    NumericBins,
    feature_bins,
    with_slot,
)
from modeltop.predictions.spec import ResolvedLog
from modeltop.predictions.windowing import (
    PERIOD_KEY,
    WindowedRows,
    assign_periods,
    first_period_start,
    reference_rows,
    with_period_key,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from modeltop.core.series import Times

Counts = dict[str, "NDArray[Any]"]
FEATURE = "feature"


def aggregate_features(
    reading: ResolvedLog,
    engine: Engine,
    *,
    since: np.datetime64 | None = None,
    until: np.datetime64 | None = None,
    progress: Progress | None = None,
) -> Iterator[CellBatch[FeatureCounts]]:
    """The tallies of the features: each batch is one model and one feature, over its periods; ordered by model.

    A model without rows in the reference has none, and so has a feature that was always missing there.

    Raises:
        SourceError: The log cannot be read, or has no reference.
    """
    if not reading.features:
        return
    if reading.spec.reference is None:
        raise SourceError("--feature needs --reference: what its values are compared with")
    with report_progress(progress, engine, reading, "features"):
        bare = replace(reading, segments=())
        columns_known = load_log(reading.spec, engine).schema
        known = feature_bins(bare, columns_known, lambda some: reference_rows(some, engine), engine)
        for (model, place), period, counts in _slot_counts(bare, known, engine):
            first = counts[ours.REFERENCE] > 0
            wanted = _within(period, reading, since, until)
            if first.any() and wanted.any():
                name = reading.features[place]
                of = _reference(name, known[name][model], _select_groups(counts, first))
                yield _cells(model, period[wanted], _select_groups(counts, wanted), of)


def _select_groups(counts: Counts, rows: NDArray[np.bool_]) -> Counts:
    return {name: column[rows] for name, column in counts.items()}


def _within(
    period: Times, reading: ResolvedLog, since: np.datetime64 | None, until: np.datetime64 | None
) -> NDArray[np.bool_]:
    """Which periods are read: the reference may lie before them, so all rows are counted."""
    wanted = np.ones(len(period), dtype=np.bool_)
    if since is not None:
        wanted &= period >= first_period_start(reading, since)
    return wanted if until is None else wanted & (period < until)


def _slot_counts(
    reading: ResolvedLog, known: dict[str, BinsByModel], engine: Engine
) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    """The slots of each feature, one query a feature: as one, all would hold their groups in memory at once."""
    made = assign_periods(replace(reading, features=()), engine)
    parts: Iterator[Expression] = (_query(reading, name, of, engine) for name, of in known.items())
    if len({model for of in known.values() for model in of}) > 1:
        parts = iter([_ordered_union([engine.materialize(part) for part in parts])])
    for part in parts:
        yield from _by_feature(engine.stream(part), made)


def _query(reading: ResolvedLog, name: str, of: BinsByModel, engine: Engine) -> Expression:
    import ibis

    # A log of many columns makes a long expression: only the one column is put into it.
    table = with_period_key(replace(reading, features=(name,)), engine)
    table = with_slot(table.select(ours.MODEL, PERIOD_KEY, ours.REFERENCE, ours.feature_column(name)), name, of, engine)
    counted = table.group_by([ours.MODEL, PERIOD_KEY, ours.REFERENCE, "slot"]).agg(
        n=table.count(), total=table.value.sum()
    )
    referred = counted[ours.REFERENCE].cast("int8")
    return counted.mutate(**{FEATURE: ibis.literal(reading.features.index(name), "int16"), ours.REFERENCE: referred})


def _ordered_union(parts: list[Expression]) -> Expression:
    import ibis

    whole = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
    return whole.order_by([ours.MODEL, FEATURE])


def _by_feature(
    batches: Iterable[pa.RecordBatch], made: WindowedRows
) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    """All groups of one model and feature at a time, with the period of each."""
    heap: list[Counts] = []
    held: tuple[str, int] | None = None
    for batch in batches:
        found = to_numpy(batch)
        changed = (found[ours.MODEL][1:] != found[ours.MODEL][:-1]) | (found[FEATURE][1:] != found[FEATURE][:-1])
        ends = [0, *(np.flatnonzero(changed) + 1).tolist(), batch.num_rows]
        for begin, end in pairwise(ends):
            if begin == end:
                continue
            part = {name: column[begin:end] for name, column in found.items()}
            key = (part[ours.MODEL][0], int(part[FEATURE][0]))
            if held is not None and key != held:
                yield from _split_feature(held, heap, made)
                heap = []
            held = key
            heap.append(part)
    if held is not None:
        yield from _split_feature(held, heap, made)


def _split_feature(
    key: tuple[str, int], heap: list[Counts], made: WindowedRows
) -> Iterator[tuple[tuple[str, int], Times, Counts]]:
    found = {name: np.concatenate([part[name] for part in heap]) for name in heap[0]}
    if found[PERIOD_KEY].dtype.kind == "M":
        found = {name: column[~np.isnat(found[PERIOD_KEY])] for name, column in found.items()}
    if not key[0] or not len(found[PERIOD_KEY]):
        return
    period = made.period_starts(found[ours.MODEL], found[PERIOD_KEY])
    there = ~np.isnat(period)
    if there.any():
        yield key, period[there], {name: column[there] for name, column in found.items()}


def _reference(name: str, known: Any, counts: Counts) -> FeatureReference:
    cell = np.zeros(len(counts["n"]), dtype=np.int64)
    count, total, _ = _slots(counts, cell, 1, known.slots)
    if isinstance(known, NumericBins):
        return FeatureReference(name, count[0], edges=known.edges, total=total[0], deviation=known.deviation)
    names = known.names[: known.slots]
    return FeatureReference(name, count[0], categories=names, exhaustive=known.exhaustive)


def _cells(model: str, period: Times, counts: Counts, reference: FeatureReference) -> CellBatch[FeatureCounts]:
    periods, cell = np.unique(period, return_inverse=True)
    count, total, unseen = _slots(counts, cell, len(periods), reference.slots)
    numeric = reference.numeric
    tally = FeatureCounts(
        reference, count, total if numeric else None, None if numeric or reference.exhaustive else unseen
    )
    names = np.full(len(periods), model, dtype=object)
    return CellBatch(names, periods, np.full(len(periods), ALL, dtype=object), tally)


def _slots(
    counts: Counts, cell: NDArray[np.int64], cells: int, slots: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Counts and sums by cell and slot, and what of `other` the reference never had."""
    slot = counts["slot"]
    at = np.select([slot == MISSING, slot >= OTHER], [slots + 1, slots], slot)
    count = np.zeros((cells, slots + 2), dtype=np.int64)
    np.add.at(count, (cell, at), counts["n"])
    total = np.zeros((cells, slots))
    inside = at < slots
    np.add.at(total, (cell[inside], at[inside]), np.nan_to_num(counts["total"][inside]))
    unseen = np.zeros(cells, dtype=np.int64)
    new = slot == UNSEEN
    np.add.at(unseen, cell[new], counts["n"][new])
    return count, total, unseen
