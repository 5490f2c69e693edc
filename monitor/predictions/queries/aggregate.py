"""The log, read: one query, ordered by model and period, whose answer becomes tallies as it comes.

Only the answer is ordered, not the rows; what of it does not fit in memory is the engine's to spill. So memory stays
flat however many rows, models and periods there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.base import Aggregate, CellBatch
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.progress import Progress, report_progress
from modeltop.predictions.queries.batches import ALL, CLASS, CUT, SEGMENT, GroupBatch, group_batches
from modeltop.predictions.queries.binary import BinaryAggregation
from modeltop.predictions.queries.multiclass import WHOLE_ROW, MulticlassAggregation
from modeltop.predictions.queries.regression import RegressionAggregation
from modeltop.predictions.spec import ResolvedLog, Task
from modeltop.predictions.windowing import PERIOD_KEY, WindowedRows, assign_periods, encode, windowed_reference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modeltop.predictions.aggregates.base import Aggregate
    from modeltop.predictions.engines.base import Expression

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Aggregation(Protocol):
    """What one task asks of an engine, and makes of its answer."""

    def prepare(self, table: Expression) -> Expression:
        """The rows that count, with what they are grouped by."""

    def keys(self, table: Expression) -> dict[str, Expression]:
        """What the rows of a cell are grouped by: small whole numbers."""

    def sums(self, table: Expression) -> dict[str, Expression]:
        """What is counted and summed of a group."""

    def aggregate(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> Aggregate:
        """The groups, each of the cell whose place is given, as a tally of so many cells."""


def aggregation_for(reading: ResolvedLog) -> Aggregation:
    """By the task."""
    match reading.task:
        case Task.BINARY:
            return BinaryAggregation.from_log(reading)
        case Task.MULTICLASS:
            return MulticlassAggregation.from_log(reading)
        case Task.REGRESSION:
            return RegressionAggregation()


MISSING_SEGMENT = "(missing)"
"""The value of a segment whose column is empty."""


def aggregate(
    reading: ResolvedLog,
    engine: Engine,
    *,
    since: np.datetime64 | None = None,
    until: np.datetime64 | None = None,
    progress: Progress | None = None,
) -> Iterator[CellBatch[Aggregate]]:
    """The tallies of all cells, in batches, in the order of model, then period.

    Args:
        reading: The log.
        engine: What opened it.
        since: The first period is the one in which this lies; UTC.
        until: Periods that start at or after it are left out.
        progress: Told how far it has come, from another thread.

    Raises:
        SourceError: The log cannot be read.
    """
    with report_progress(progress, engine, reading, "reading"):
        yield from _cells(assign_periods(reading, engine, since=since, until=until), reading, engine)


def aggregate_reference(
    reading: ResolvedLog, engine: Engine, *, progress: Progress | None = None
) -> Iterator[CellBatch[Aggregate]]:
    """The tallies of the rows of the reference, one cell a model and segment.

    Raises:
        SourceError: The log cannot be read, or no row is in the reference.
    """
    if reading.spec.reference is None:
        return
    with report_progress(progress, engine, reading, "reference"):
        yield from _cells(windowed_reference(reading, engine), reading, engine)


def _cells(made: WindowedRows, reading: ResolvedLog, engine: Engine) -> Iterator[CellBatch[Aggregate]]:
    kind = aggregation_for(reading)
    answer = build_query(made, reading, kind)
    segments = tuple(f"{name}=" for name in reading.segments)
    for piece in group_batches(engine.stream(answer), made, segments, models=reading.models):
        yield CellBatch(piece.model, piece.period, piece.segment, _aggregate_batch(piece, kind))


def _aggregate_batch(piece: GroupBatch, kind: Aggregation) -> Aggregate:
    if not isinstance(kind, MulticlassAggregation) or not kind.has_class_scores:
        return kind.aggregate(piece.cell, len(piece), piece.columns)
    whole = piece.columns[CLASS] == WHOLE_ROW
    tally = kind.aggregate(piece.cell[whole], len(piece), _select_groups(piece.columns, whole))
    for place in range(len(kind.classes)):
        mine = piece.columns[CLASS] == place
        kind.add_class_scores(tally, place, piece.cell[mine], _select_groups(piece.columns, mine))
    return tally


def _select_groups(found: dict[str, NDArray[Any]], rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: column[rows] for name, column in found.items()}


def build_query(made: WindowedRows, reading: ResolvedLog, kind: Aggregation) -> Expression:
    """All cuts, and all classes, in one expression."""
    import ibis

    table = kind.prepare(made.table)
    if reading.models:
        table = table.mutate(**{ours.MODEL: encode(table[ours.MODEL], reading.models)})
    ranks = kind.class_score_keys(table) if isinstance(kind, MulticlassAggregation) else []
    whole = _groups(table, -1, kind.keys(table), kind.sums(table))
    if not reading.segments and not ranks:
        return whole.order_by([ours.MODEL, PERIOD_KEY])  # without marks: what is ordered is as narrow as can be
    parts = []
    for place in range(-1, len(reading.segments)):
        own = whole if place < 0 else _groups(table, place, kind.keys(table), kind.sums(table))
        parts.append(_with_grouping_marks(own, place, WHOLE_ROW))
        for number, keys in enumerate(ranks):
            parts.append(_with_grouping_marks(_groups(table, place, keys, {"n": table.count()}), place, number))
    types = {name: kind for part in reversed(parts) for name, kind in part.schema().items()}
    alike = [
        part.select(**{n: part[n] if n in part.columns else ibis.null(kind) for n, kind in types.items()})
        for part in parts
    ]
    return ibis.union(*alike, distinct=False).order_by([ours.MODEL, PERIOD_KEY, CUT, SEGMENT])


def _groups(table: Expression, place: int, keys: dict[str, Expression], sums: dict[str, Expression]) -> Expression:
    """The groups of one cut."""
    group = {ours.MODEL: table[ours.MODEL], PERIOD_KEY: table[PERIOD_KEY]}
    if place >= 0:
        group[SEGMENT] = table[ours.segment_column(place)].fill_null(MISSING_SEGMENT)
    found = table.group_by(**group, **keys).agg(**sums)
    # Cast after grouping: the groups are few, the rows are not.
    return found.mutate(**{name: found[name].cast("int16") for name in keys})


def _with_grouping_marks(groups: Expression, place: int, number: int) -> Expression:
    """The groups with the cut they are of, and the class."""
    import ibis

    marks = {CUT: ibis.literal(place, "int16"), CLASS: ibis.literal(number, "int16")}
    if place < 0:
        marks[SEGMENT] = ibis.literal(ALL)
    return groups.mutate(**marks)
