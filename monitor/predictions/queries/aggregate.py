"""One query over a log, ordered by model and period; its result becomes aggregates as it is streamed: flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from modeltop.predictions import loading
from modeltop.predictions.aggregates.base import Aggregate, CellBatch
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.metrics.ranking import Areas, CellKey, exact_areas
from modeltop.predictions.periods import is_calendar
from modeltop.predictions.queries.arrow import Columns, column_to_numpy, take_rows, to_numpy
from modeltop.predictions.queries.batches import (
    ALL,
    CELLS_PER_BATCH,
    CLASS,
    SEGMENT,
    SEGMENT_INDEX,
    GroupBatch,
    group_batches,
)
from modeltop.predictions.queries.binary import OUTCOME, BinaryAggregation
from modeltop.predictions.queries.multiclass import MulticlassAggregation
from modeltop.predictions.queries.regression import RegressionAggregation
from modeltop.predictions.spec import ResolvedLog, Task
from modeltop.predictions.windowing import PERIOD_KEY, WindowedRows, assign_periods, encode, windowed_reference

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_SEGMENT = "(missing)"
"""The value of a segment whose column is empty."""
MAX_SCORES, MIN_SCORES = 2_000_000, 20
"""Rows of a log, once for all and once a segment column, up to which scores are read, all at once in memory; rows of a
cell from which on they are."""
SMALL_CELL = 500
"""Mean rows of a cell below which rows are read, not groups: there are nearly as many."""
RANGE_ROWS = 2_000_000
"""Rows that are read at a time, all in memory."""
NO_CLASS = -1
"""In place of a class: the group is of rows, not of one class's scores."""


class Aggregation(Protocol):
    """The query of one task, and the aggregate that its result becomes."""

    def prepare(self, table: Expression) -> Expression:
        """Return the rows that count, with the columns they are grouped by."""

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Return the keys that the rows of a cell are grouped by, by name: small integers."""

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Return the counts and sums of a group, by name."""

    def aggregate(self, cell: NDArray[np.int64], cells: int, groups: Columns) -> Aggregate:
        """Return the aggregate of so many cells; `cell` is the index of that of each group."""


def aggregate(
    log: ResolvedLog, engine: Engine, *, since: np.datetime64 | None = None
) -> Iterator[CellBatch[Aggregate]]:
    """Yield the aggregates of all cells in batches, in the order of model, then period.

    Args:
        log: The resolved log.
        engine: The engine it was resolved with.
        since: UTC; the period that contains it is the first.

    Raises:
        SourceError: The log cannot be read.
    """
    yield from _cells(assign_periods(log, engine, since=since), log, engine)


def aggregate_reference(log: ResolvedLog, engine: Engine) -> Iterator[CellBatch[Aggregate]]:
    """Yield the aggregates of the rows of the reference, one cell a model and segment; none without a reference.

    Raises:
        SourceError: The log cannot be read, or no row is in the reference.
    """
    if log.spec.reference is not None:
        yield from _cells(windowed_reference(log, engine), log, engine)


def read_areas(log: ResolvedLog, engine: Engine, *, since: np.datetime64 | None = None) -> Areas:
    """Return the exact areas under curves of the cells of two classes; none of logs of more than `MAX_SCORES`.

    The arguments are those of `aggregate`.
    """
    areas: Areas = {}
    rows = log.row_count * (1 + len(log.segments))
    if log.task is not Task.BINARY or log.label is None or not log.scores or rows > MAX_SCORES:
        return areas
    windowed = assign_periods(log, engine, since=since)
    required = [loading.MODEL, loading.SCORE, loading.LABEL]
    if log.prediction is not None and not log.score_decides:
        required.append(loading.PREDICTION)
    table = windowed.table.filter([windowed.table[name].notnull() for name in required])
    # Scores of positives have a minus sign, which keeps also -0.0 apart from 0.0.
    sums = {"rows": table.count(), "scores": (table[loading.SCORE] * (1 - 2 * table[loading.LABEL])).collect()}
    for segment in range(-1, len(log.segments)):
        groups = _groups(table, segment, {}, sums)
        groups = groups.filter(groups["rows"] >= MIN_SCORES)
        prefix = f"{log.segments[segment]}=" if segment >= 0 else ""
        for batch in filter(len, engine.stream(groups)):
            areas.update(_batch_areas(batch, windowed, prefix))
    return areas


def _batch_areas(
    batch: pa.RecordBatch, rows: WindowedRows, prefix: str
) -> Iterator[tuple[CellKey, tuple[float, float]]]:
    """Yield the areas of the cells of one segment column: its value follows the prefix; empty for all rows."""
    models, keys = (column_to_numpy(batch.column(name)) for name in (loading.MODEL, PERIOD_KEY))
    segments = batch.column(SEGMENT).to_pylist() if prefix else [ALL] * len(batch)
    lists = batch.column("scores")
    values, sizes = column_to_numpy(lists.flatten()), np.diff(column_to_numpy(lists.offsets))
    areas = exact_areas(np.signbit(values), np.abs(values), np.repeat(np.arange(len(sizes)), sizes))
    starts = rows.period_starts(models, keys).astype(np.int64)
    cells = zip(models.tolist(), starts.tolist(), [prefix + segment for segment in segments], strict=True)
    yield from zip(cells, zip(*areas.tolist(), strict=True), strict=True)


def _cells(rows: WindowedRows, log: ResolvedLog, engine: Engine) -> Iterator[CellBatch[Aggregate]]:
    aggregation = _aggregation_for(log)
    ranges = _model_ranges(rows, log, engine)
    if ranges and isinstance(aggregation, BinaryAggregation):
        groups = _groups_of_rows(rows, ranges, aggregation, engine)
    else:
        groups = map(to_numpy, engine.stream(_build_query(rows, log, aggregation)))
    prefixes = tuple(f"{name}=" for name in log.segments)
    for batch in group_batches(groups, rows, prefixes, models=log.models):
        yield CellBatch(batch.model, batch.period, batch.segment, _aggregate_batch(batch, aggregation))


def _model_ranges(rows: WindowedRows, log: ResolvedLog, engine: Engine) -> list[list[str]]:
    """Return first and last names of ranges of a fleet's models, each of `RANGE_ROWS`; none if its cells are large."""
    is_fleet = log.model is not None and not log.models and not log.segments
    if not is_fleet or log.task is not Task.BINARY or not log.scores or not is_calendar(log.spec.period):
        return []
    cells = rows.table.group_by([loading.MODEL, PERIOD_KEY]).agg(rows=rows.table.count())
    models = cells.group_by(loading.MODEL).agg(rows=cells["rows"].sum(), cells=cells.count())
    counts = fetch(engine, models.filter(models[loading.MODEL].notnull())).to_pylist()
    if sum(model["rows"] for model in counts) >= SMALL_CELL * sum(model["cells"] for model in counts):
        return []
    ranges: list[list[str]] = []
    size = 0
    for model in sorted(counts, key=itemgetter(loading.MODEL)):
        size += model["rows"]
        if not ranges or size > RANGE_ROWS:
            size = model["rows"]
            ranges.append([model[loading.MODEL], ""])
        ranges[-1][1] = model[loading.MODEL]
    return ranges


def _groups_of_rows(
    rows: WindowedRows, ranges: list[list[str]], aggregation: BinaryAggregation, engine: Engine
) -> Iterator[Columns]:
    """Yield each row as a group, in the order of model, then period; in memory are those of one range of models."""
    table = aggregation.prepare(rows.table)
    table = table.filter(table[OUTCOME].notnull())
    for first, last in ranges:
        part = table.filter(table[loading.MODEL].between(first, last))
        cells = part.group_by([loading.MODEL, PERIOD_KEY]).agg(**aggregation.lists(part))
        for batch in engine.stream(cells.order_by([loading.MODEL, PERIOD_KEY])):
            for start in range(0, len(batch), CELLS_PER_BATCH):
                yield aggregation.groups_of_rows(batch.slice(start, CELLS_PER_BATCH))


def _aggregation_for(log: ResolvedLog) -> Aggregation:
    predicted = log.prediction is not None
    if log.task is Task.BINARY:
        return BinaryAggregation(bool(log.scores), log.threshold, predicted, log.score_decides)
    if log.task is Task.MULTICLASS:
        return MulticlassAggregation(log.classes, len(log.scores), predicted)
    return RegressionAggregation()


def _aggregate_batch(batch: GroupBatch, aggregation: Aggregation) -> Aggregate:
    if not isinstance(aggregation, MulticlassAggregation) or not aggregation.has_class_scores:
        return aggregation.aggregate(batch.cell, len(batch), batch.columns)
    of_rows = batch.columns[CLASS] == NO_CLASS
    counts = aggregation.aggregate(batch.cell[of_rows], len(batch), take_rows(batch.columns, of_rows))
    for index in range(len(aggregation.classes)):
        of_class = batch.columns[CLASS] == index
        aggregation.add_class_scores(counts, index, batch.cell[of_class], take_rows(batch.columns, of_class))
    return counts


def _build_query(rows: WindowedRows, log: ResolvedLog, aggregation: Aggregation) -> Expression:
    """Return one expression for all segments, and all classes."""
    import ibis

    table = aggregation.prepare(rows.table)
    if log.models:
        table = table.mutate(**{loading.MODEL: encode(table[loading.MODEL], log.models)})
    class_keys = aggregation.class_score_keys(table) if isinstance(aggregation, MulticlassAggregation) else []
    keys, sums = aggregation.keys(table), aggregation.sums(table)
    if not log.segments and not class_keys:
        # Drop the columns that mark segment and class: ordering is faster the narrower the rows.
        return _groups(table, -1, keys, sums).order_by([loading.MODEL, PERIOD_KEY])
    parts = []
    for segment in range(-1, len(log.segments)):
        parts.append(_with_marks(_groups(table, segment, keys, sums), segment, NO_CLASS))
        for index, score_keys in enumerate(class_keys):
            groups = _groups(table, segment, score_keys, {"rows": table.count()})
            parts.append(_with_marks(groups, segment, index))
    types = {name: dtype for part in reversed(parts) for name, dtype in part.schema().items()}
    aligned = [
        part.select(**{n: part[n] if n in part.columns else ibis.null(dtype) for n, dtype in types.items()})
        for part in parts
    ]
    return ibis.union(*aligned, distinct=False).order_by([loading.MODEL, PERIOD_KEY, SEGMENT_INDEX, SEGMENT])


def _groups(table: Expression, segment: int, keys: dict[str, Expression], sums: dict[str, Expression]) -> Expression:
    """Return the groups of one segment column by its index, or of all rows: -1."""
    group = {loading.MODEL: table[loading.MODEL], PERIOD_KEY: table[PERIOD_KEY]}
    if segment >= 0:
        group[SEGMENT] = table[loading.segment_column(segment)].fill_null(MISSING_SEGMENT)
    groups = table.group_by(**group, **keys).agg(**sums)
    # Cast after grouping: the groups are few, the rows are not.
    return groups.mutate(**{name: groups[name].cast("int16") for name in keys})


def _with_marks(groups: Expression, segment: int, index: int) -> Expression:
    """Return the groups with the index of their segment column, and of their class."""
    import ibis

    marks = {SEGMENT_INDEX: ibis.literal(segment, "int16"), CLASS: ibis.literal(index, "int16")}
    if segment < 0:
        marks[SEGMENT] = ibis.literal(ALL)
    return groups.mutate(**marks)
