"""The log, read: one query, ordered by model and period, whose answer becomes tallies as it comes.

Only the answer is ordered, not the rows; what of it does not fit in memory is the engine's to spill. So memory stays
flat however many rows, models and periods there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.base import Cells, Tally
from modeltop.predictions.engines.base import Engine, Expression
from modeltop.predictions.progress import Progress, told
from modeltop.predictions.queries.batches import ALL, CLASS, CUT, SEGMENT, Piece, pieces
from modeltop.predictions.queries.binary import Binary
from modeltop.predictions.queries.multiclass import WHOLE, Multiclass
from modeltop.predictions.queries.regression import Regression
from modeltop.predictions.spec import Reading, Task
from modeltop.predictions.windowing import KEY, Cut, code, cut, referred

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modeltop.predictions.aggregates.base import Tally
    from modeltop.predictions.engines.base import Expression

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tallying(Protocol):
    """What one task asks of an engine, and makes of its answer."""

    def prepared(self, table: Expression) -> Expression:
        """The rows that count, with what they are grouped by."""

    def keys(self, table: Expression) -> dict[str, Expression]:
        """What the rows of a cell are grouped by: small whole numbers."""

    def sums(self, table: Expression) -> dict[str, Expression]:
        """What is counted and summed of a group."""

    def tally(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> Tally:
        """The groups, each of the cell whose place is given, as a tally of so many cells."""


def tallying(reading: Reading) -> Tallying:
    """By the task."""
    match reading.task:
        case Task.BINARY:
            return Binary.of(reading)
        case Task.MULTICLASS:
            return Multiclass.of(reading)
        case Task.REGRESSION:
            return Regression()


MISSING = "(missing)"
"""The value of a segment whose column is empty."""


def read(
    reading: Reading,
    engine: Engine,
    *,
    since: np.datetime64 | None = None,
    until: np.datetime64 | None = None,
    progress: Progress | None = None,
) -> Iterator[Cells[Tally]]:
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
    with told(progress, engine, reading, "reading"):
        yield from _cells(cut(reading, engine, since=since, until=until), reading, engine)


def reference(reading: Reading, engine: Engine, *, progress: Progress | None = None) -> Iterator[Cells[Tally]]:
    """The tallies of the rows of the reference, one cell a model and segment.

    Raises:
        SourceError: The log cannot be read, or no row is in the reference.
    """
    if reading.log.reference is None:
        return
    with told(progress, engine, reading, "reference"):
        yield from _cells(referred(reading, engine), reading, engine)


def _cells(made: Cut, reading: Reading, engine: Engine) -> Iterator[Cells[Tally]]:
    kind = tallying(reading)
    answer = query(made, reading, kind)
    segments = tuple(f"{name}=" for name in reading.segments)
    for piece in pieces(engine.stream(answer), made, segments, models=reading.models):
        yield Cells(piece.model, piece.period, piece.segment, _tally(piece, kind))


def _tally(piece: Piece, kind: Tallying) -> Tally:
    if not isinstance(kind, Multiclass) or not kind.ranked:
        return kind.tally(piece.cell, len(piece), piece.found)
    whole = piece.found[CLASS] == WHOLE
    tally = kind.tally(piece.cell[whole], len(piece), _some(piece.found, whole))
    for place in range(len(kind.classes)):
        mine = piece.found[CLASS] == place
        kind.rank(tally, place, piece.cell[mine], _some(piece.found, mine))
    return tally


def _some(found: dict[str, NDArray[Any]], rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: column[rows] for name, column in found.items()}


def query(made: Cut, reading: Reading, kind: Tallying) -> Expression:
    """All cuts, and all classes, in one expression."""
    import ibis

    table = kind.prepared(made.table)
    if reading.models:
        table = table.mutate(**{ours.MODEL: code(table[ours.MODEL], reading.models)})
    ranks = kind.ranks(table) if isinstance(kind, Multiclass) else []
    whole = _groups(table, -1, kind.keys(table), kind.sums(table))
    if not reading.segments and not ranks:
        return whole.order_by([ours.MODEL, KEY])  # without marks: what is ordered is as narrow as can be
    parts = []
    for place in range(-1, len(reading.segments)):
        own = whole if place < 0 else _groups(table, place, kind.keys(table), kind.sums(table))
        parts.append(_marked(own, place, WHOLE))
        for number, keys in enumerate(ranks):
            parts.append(_marked(_groups(table, place, keys, {"n": table.count()}), place, number))
    types = {name: kind for part in reversed(parts) for name, kind in part.schema().items()}
    alike = [
        part.select(**{n: part[n] if n in part.columns else ibis.null(kind) for n, kind in types.items()})
        for part in parts
    ]
    return ibis.union(*alike, distinct=False).order_by([ours.MODEL, KEY, CUT, SEGMENT])


def _groups(table: Expression, place: int, keys: dict[str, Expression], sums: dict[str, Expression]) -> Expression:
    """The groups of one cut."""
    group = {ours.MODEL: table[ours.MODEL], KEY: table[KEY]}
    if place >= 0:
        group[SEGMENT] = table[ours.segment_of(place)].fill_null(MISSING)
    found = table.group_by(**group, **keys).agg(**sums)
    # Cast after grouping: the groups are few, the rows are not.
    return found.mutate(**{name: found[name].cast("int16") for name in keys})


def _marked(groups: Expression, place: int, number: int) -> Expression:
    """The groups with the cut they are of, and the class."""
    import ibis

    marks = {CUT: ibis.literal(place, "int16"), CLASS: ibis.literal(number, "int16")}
    if place < 0:
        marks[SEGMENT] = ibis.literal(ALL)
    return groups.mutate(**marks)
