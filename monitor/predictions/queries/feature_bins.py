"""What each feature was like in the reference: the bins of a number, the categories of a text; by model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.feature import CATEGORIES, QUANTILES
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.schema import ColumnType, Schema
from modeltop.predictions.spec import ResolvedLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats

MAX_VALUES_PER_QUERY = 1_000_000
"""Values whose quantiles are sought in one query: an engine holds them all in memory."""
SAMPLE_ROWS = 1_000_000
"""Rows of the reference from which on the quantiles are those of a sample, the same at every run of one engine."""
MAX_CATEGORIES = 10_000
"""Categories of a model that are remembered as having been there; rarer ones count as unseen."""
STRIDE = 7
"""About the root of the number of edges."""
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class NumericBins:
    """A number's bins."""

    edges: Floats
    """Inner edges, strictly rising."""
    deviation: float
    """Standard deviation of the finite values."""

    @property
    def slots(self) -> int:
        """Bins."""
        return len(self.edges) + 1


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """A text's categories, the frequent ones first."""

    names: tuple[str, ...]

    @property
    def slots(self) -> int:
        """Categories that have a slot of their own."""
        return min(len(self.names), CATEGORIES)

    @property
    def exhaustive(self) -> bool:
        """Whether each category has one."""
        return len(self.names) <= CATEGORIES


BinsByModel = Mapping[str, NumericBins | CategoryBins]
"""By model."""


def numeric_bins(table: Expression, features: Sequence[str], engine: Engine, rows: int) -> dict[str, BinsByModel]:
    """The bins of features that are numbers.

    Args:
        table: The rows of the reference.
        features: Their columns.
        engine: What opened it.
        rows: Of the reference.
    """
    if rows > SAMPLE_ROWS:
        table = table.filter(table[ours.feature_column(features[0])].hash() % (rows // SAMPLE_ROWS + 1) == 0)
    shares = [place / QUANTILES for place in range(1, QUANTILES)]
    asked: dict[str, Expression] = {}
    for place, name in enumerate(features):
        value = table[ours.feature_column(name)]
        finite = (value.abs() <= LARGEST).ifelse(value, None)
        asked |= {f"q{place}": finite.quantile(shares), f"d{place}": finite.std(how="pop")}
    answer = fetch(engine, table.group_by(ours.MODEL).agg(**asked))
    models = answer[ours.MODEL].to_pylist() if answer.num_rows else []
    return {
        name: {
            model: NumericBins(bin_edges(quantiles or []), float("nan") if deviation is None else deviation)
            for model, quantiles, deviation in zip(
                models, answer[f"q{place}"].to_pylist(), answer[f"d{place}"].to_pylist(), strict=True
            )
        }
        for place, name in enumerate(features)
        if models
    }


def bin_edges(quantiles: Sequence[float]) -> Floats:
    """Inner edges from quantiles; a value that is several of them has a bin of its own.

    So a column that was constant in the reference has three: below, equal, above.

    >>> bin_edges([1.0, 2.0, 2.0, 3.0]).round(6).tolist()
    [1.0, 2.0, 2.0, 3.0]
    """
    found = np.asarray(quantiles, dtype=np.float64)
    found = found[np.isfinite(found)]
    value, times = np.unique(found, return_counts=True)
    above = np.nextafter(value[times > 1], np.inf)
    whole: Floats = np.unique(np.concatenate([value, above]))
    return whole


def category_bins(table: Expression, name: str, engine: Engine) -> BinsByModel:
    """The categories of a feature that is text."""
    import ibis

    counted = table.group_by(ours.MODEL, value=table[ours.feature_column(name)]).agg(n=lambda group: group.count())
    counted = counted.filter(counted.value.notnull())
    order = ibis.window(group_by=ours.MODEL, order_by=[counted.n.desc(), counted.value])
    ranked = counted.mutate(rank=ibis.row_number().over(order))
    answer = fetch(engine, ranked.filter(ranked["rank"] < MAX_CATEGORIES).order_by([ours.MODEL, "rank"]))
    found: dict[str, list[str]] = {}
    if answer.num_rows:
        for model, value in zip(answer[ours.MODEL].to_pylist(), answer["value"].to_pylist(), strict=True):
            found.setdefault(model, []).append(value)
    return {model: CategoryBins(tuple(names)) for model, names in found.items()}


def with_slot(table: Expression, name: str, known: BinsByModel, engine: Engine) -> Expression:
    """The table with the column `slot` of a feature, for the models that had it in the reference.

    A slot is a bin or a category; then come other, missing and, of a text, unseen.
    """
    if all(isinstance(one, NumericBins) for one in known.values()):
        return _slot_of_number(table, name, known, engine)
    return _slot_of_word(table, name, known, engine)


OTHER, MISSING, UNSEEN = 1_000, 1_001, 1_002
"""Slots of what has none: infinite or rare values, missing ones, and categories that the reference never had."""


def _slot_of_number(table: Expression, name: str, known: BinsByModel, engine: Engine) -> Expression:
    import ibis

    if len(known) == 1:
        ((model, bins),) = known.items()
        joined, rows = table.filter(table[ours.MODEL] == model), [float(edge) for edge in _edges(bins)]
    else:
        joined = table.inner_join(_lookup(known, engine), ours.MODEL)
        rows = [joined[f"e{edge}"] for edge in range(max(len(_edges(one)) for one in known.values()))]
    value = joined[ours.feature_column(name)]
    inside = _slot(value, rows)
    slot = ibis.cases((value.isnull(), MISSING), (value.abs() > LARGEST, OTHER), else_=inside)
    return joined.mutate(slot=slot.cast("int16"), value=(value.abs() <= LARGEST).ifelse(value, None))


def _edges(known: NumericBins | CategoryBins) -> NDArray[Any]:
    assert isinstance(known, NumericBins)
    return known.edges


def _lookup(known: BinsByModel, engine: Engine) -> Expression:
    """Edges by model; where a model has fewer than another, the last are beyond all numbers."""
    import pyarrow as pa

    longest = max(len(_edges(one)) for one in known.values())
    filled = np.full((len(known), longest), np.inf)
    for row, one in enumerate(known.values()):
        filled[row, : len(_edges(one))] = _edges(one)
    columns = {f"e{edge}": pa.array(filled[:, edge]) for edge in range(longest)}
    return engine.from_arrow(pa.table({ours.MODEL: pa.array(list(known), pa.string()), **columns}))


def _slot(value: Expression, edges: Sequence[Any]) -> Expression:
    """How many edges are at or below the value: first among every seventh of them, then among those between."""
    import ibis

    def at(place: int) -> Expression:
        return ibis.literal(place, "int16")

    def between(low: int, high: int) -> Expression:
        branches = [(value < edges[place], at(place)) for place in range(low, high)]
        return ibis.cases(*branches, else_=at(high)) if branches else at(high)

    ends = [min(low + STRIDE, len(edges)) - 1 for low in range(0, len(edges), STRIDE)]
    starts = [0, *(end + 1 for end in ends)]
    outer = [(value < edges[end], between(low, end)) for low, end in zip(starts, ends, strict=False)]
    return ibis.cases(*outer, else_=at(len(edges))) if outer else at(0)


def _slot_of_word(table: Expression, name: str, known: BinsByModel, engine: Engine) -> Expression:
    import ibis
    import pyarrow as pa

    rows = list(_category_rows(known))
    looked = engine.from_arrow(
        pa.table(
            {
                "of_model": pa.array([model for model, _, _ in rows], pa.string()),
                "of_value": pa.array([name for _, name, _ in rows], pa.string()),
                "place": pa.array([slot for _, _, slot in rows], pa.int16()),
            }
        )
    )
    mine = table.filter(table[ours.MODEL].isin(list(known))) if len(known) < 100 else table
    value = mine[ours.feature_column(name)]
    joined = mine.left_join(looked, [mine[ours.MODEL] == looked.of_model, value == looked.of_value])
    value = joined[ours.feature_column(name)]
    slot = ibis.cases((value.isnull(), MISSING), (joined.place.notnull(), joined.place), else_=UNSEEN)
    return joined.mutate(slot=slot.cast("int16"), value=ibis.null("float64"))


def _category_rows(known: BinsByModel) -> Iterator[tuple[str, str, int]]:
    for model, one in known.items():
        if isinstance(one, CategoryBins):
            for rank, name in enumerate(one.names):
                yield model, name, rank if rank < CATEGORIES else OTHER


def feature_bins(
    reading: ResolvedLog, columns: Schema, rows_of: Callable[[ResolvedLog], Expression], engine: Engine
) -> dict[str, BinsByModel]:
    """What each feature was like in the rows of the reference; by its name, and by model.

    Args:
        reading: The log.
        columns: Its columns.
        rows_of: The rows of the reference, with the features of the reading it is given.
        engine: What opened it.
    """
    rows = fetch(engine, rows_of(replace(reading, features=())).count().as_table())[0][0].as_py()
    numeric = [name for name in reading.features if columns[name].type is ColumnType.NUMBER]
    found: dict[str, BinsByModel] = {}
    for some in _chunked(numeric, max(1, MAX_VALUES_PER_QUERY // max(min(rows, SAMPLE_ROWS), 1))):
        found |= numeric_bins(rows_of(replace(reading, features=some)), some, engine, rows)
    for name in reading.features:
        if name not in numeric:
            found[name] = category_bins(rows_of(replace(reading, features=(name,))), name, engine)
    return {name: found[name] for name in reading.features if found.get(name)}


def _chunked(names: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    for begin in range(0, len(names), size):
        yield tuple(names[begin : begin + size])
