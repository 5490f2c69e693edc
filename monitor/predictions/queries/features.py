"""Counts of the values of each feature by the bins, or the categories, of its reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import SourceError
from modeltop.core.series import Floats, Times
from modeltop.predictions import loading
from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference, extremes_by_group
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.queries.arrow import Columns, concat_rows, take_rows, to_numpy
from modeltop.predictions.queries.batches import ALL
from modeltop.predictions.queries.feature_bins import (
    MISSING,
    OTHER,
    UNSEEN,
    BinsByModel,
    CategoryBins,
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

ModelFeature = tuple[str, int]
"""The name of a model and the index of a feature."""

FEATURE = "feature"
"""Our column: the index of the feature."""


def aggregate_features(
    log: ResolvedLog, engine: Engine, *, since: np.datetime64 | None = None
) -> Iterator[CellBatch[FeatureCounts]]:
    """Yield the counts of the features: each batch is one model and one feature, over its periods; ordered by model.

    A model without rows in the reference has none, and so has a feature that was always missing there.

    Args:
        log: The resolved log.
        engine: The engine it was resolved with.
        since: UTC; the period that contains it is the first.

    Raises:
        SourceError: The log cannot be read, or has no reference.
    """
    if not log.features:
        return
    if log.spec.reference is None:
        raise SourceError("--feature needs --reference: what its values are compared with")
    log = replace(log, segments=())
    schema = loading.load_log(log.spec, engine).schema
    first = None if since is None else first_period_start(log, since)
    bins = feature_bins(log, schema, lambda part: reference_rows(_narrowed(log, part.features, engine), engine), engine)
    for (model, index), period, groups in _slot_counts(log, bins, engine):
        in_reference = groups[loading.REFERENCE] > 0
        # The reference may lie before the first wanted period, so all rows are counted.
        wanted = np.full(len(period), fill_value=True) if first is None else period >= first
        if in_reference.any() and wanted.any():
            name = log.features[index]
            reference = _reference(name, bins[name][model], take_rows(groups, in_reference))
            yield _cells(model, period[wanted], take_rows(groups, wanted), reference)


def _slot_counts(
    log: ResolvedLog, bins: dict[str, BinsByModel], engine: Engine
) -> Iterator[tuple[ModelFeature, Times, Columns]]:
    """Yield the slots of each feature, one query a feature: as one, all would hold their groups in memory at once."""
    rows = assign_periods(_narrowed(log, (), engine), engine)
    queries: Iterator[Expression] = (_build_query(log, name, by_model, engine) for name, by_model in bins.items())
    if len({model for by_model in bins.values() for model in by_model}) > 1:
        queries = iter([_ordered_union([engine.materialize(query) for query in queries])])
    for query in queries:
        yield from _by_feature(engine.stream(query), rows)


def _build_query(log: ResolvedLog, name: str, bins: BinsByModel, engine: Engine) -> Expression:
    import ibis

    table = with_period_key(_narrowed(log, (name,), engine), engine)
    columns = loading.MODEL, PERIOD_KEY, loading.REFERENCE, loading.feature_column(name)
    table = with_slot(table.select(*columns), name, bins, engine)
    groups = table.group_by([loading.MODEL, PERIOD_KEY, loading.REFERENCE, "slot"]).agg(
        rows=table.count(), total=table.value.sum(), low=table.value.min(), high=table.value.max()
    )
    in_reference = groups[loading.REFERENCE].cast("int8")
    return groups.mutate(**{FEATURE: ibis.literal(log.features.index(name), "int16"), loading.REFERENCE: in_reference})


def _narrowed(log: ResolvedLog, features: tuple[str, ...], engine: Engine) -> ResolvedLog:
    """Return the log with these features alone, since all make a long expression; with all if its text is parsed."""
    return log if loading.load_log(log.spec, engine).source.parses_each_read else replace(log, features=features)


def _ordered_union(queries: list[Expression]) -> Expression:
    import ibis

    union = queries[0] if len(queries) == 1 else ibis.union(*queries, distinct=False)
    return union.order_by([loading.MODEL, FEATURE])


def _by_feature(batches: Iterable[pa.RecordBatch], rows: WindowedRows) -> Iterator[tuple[ModelFeature, Times, Columns]]:
    """Yield all groups of one model and feature at a time, with the period of each."""
    buffer: list[Columns] = []
    current: ModelFeature | None = None
    for batch in batches:
        groups = to_numpy(batch)
        model, feature = groups[loading.MODEL], groups[FEATURE]
        changed = (model[1:] != model[:-1]) | (feature[1:] != feature[:-1])
        edges = [0, *(np.flatnonzero(changed) + 1).tolist(), batch.num_rows]
        for start, end in pairwise(edges):
            if start == end:
                continue
            key = (model[start], int(feature[start]))
            if current is not None and key != current:
                yield from _with_periods(current, concat_rows(buffer), rows)
                buffer = []
            current = key
            buffer.append(take_rows(groups, slice(start, end)))
    if current is not None:
        yield from _with_periods(current, concat_rows(buffer), rows)


def _with_periods(
    key: ModelFeature, groups: Columns, rows: WindowedRows
) -> Iterator[tuple[ModelFeature, Times, Columns]]:
    """Yield the groups that have a period; nothing if none has, or there is no model."""
    if groups[PERIOD_KEY].dtype.kind == "M":
        groups = take_rows(groups, ~np.isnat(groups[PERIOD_KEY]))
    if not key[0] or not len(groups[PERIOD_KEY]):
        return
    period = rows.period_starts(groups[loading.MODEL], groups[PERIOD_KEY])
    dated = ~np.isnat(period)
    if dated.any():
        yield key, period[dated], take_rows(groups, dated)


def _reference(name: str, bins: NumericBins | CategoryBins, groups: Columns) -> FeatureReference:
    cell = np.zeros(len(groups["rows"]), dtype=np.int64)
    count, total, _ = _slots(groups, cell, 1, bins.slots)
    if isinstance(bins, NumericBins):
        extremes = extremes_by_group(groups["low"], groups["high"], cell, 1)[0]
        return FeatureReference(name, count[0], bins.edges, total[0], extremes, bins.deviation)
    return FeatureReference(name, count[0], categories=bins.names[: bins.slots], exhaustive=bins.exhaustive)


def _cells(model: str, period: Times, groups: Columns, reference: FeatureReference) -> CellBatch[FeatureCounts]:
    periods, cell = np.unique(period, return_inverse=True)
    count, total, unseen = _slots(groups, cell, len(periods), reference.slots)
    counts = FeatureCounts(
        reference,
        count,
        total=total if reference.numeric else None,
        extremes=extremes_by_group(groups["low"], groups["high"], cell, len(periods)) if reference.numeric else None,
        unseen=None if reference.numeric or reference.exhaustive else unseen,
    )
    models, segments = (np.full(len(periods), text, dtype=object) for text in (model, ALL))
    return CellBatch(models, periods, segments, counts)


def _slots(
    groups: Columns, cell: NDArray[np.int64], cells: int, slots: int
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return counts, [K, S + 2], and sums, [K, S], by slot, and the rows of categories the reference never had, [K]."""
    slot = groups["slot"]
    index = np.select([slot == MISSING, slot >= OTHER], [slots + 1, slots], slot)
    count = np.zeros((cells, slots + 2), dtype=np.int64)
    np.add.at(count, (cell, index), groups["rows"])
    total = np.zeros((cells, slots))
    inside = index < slots
    np.add.at(total, (cell[inside], index[inside]), np.nan_to_num(groups["total"][inside]))
    unseen = np.zeros(cells, dtype=np.int64)
    is_unseen = slot == UNSEEN
    np.add.at(unseen, cell[is_unseen], groups["rows"][is_unseen])
    return count, total, unseen
