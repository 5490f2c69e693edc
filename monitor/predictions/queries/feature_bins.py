"""The bins of each numeric feature and the categories of each text feature, from the reference, by model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modeltop.core.series import Floats
from modeltop.predictions import loading
from modeltop.predictions.aggregates.feature import CATEGORIES, QUANTILES
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.schema import ColumnType, Schema
from modeltop.predictions.spec import ResolvedLog

MAX_VALUES_PER_QUERY = 1_000_000
"""Values whose quantiles are computed in one query: an engine holds them all in memory."""
SAMPLE_ROWS = 1_000_000
"""Rows of the reference from which on the quantiles are those of a sample, the same at every run of one engine."""
MAX_CATEGORIES = 10_000
"""Categories of a model that are stored; rarer ones count as unseen."""
MAX_FILTERED_MODELS = 100
"""Models from which on the rows of the others are not filtered out before the join."""
STRIDE = 7
"""Edges that one comparison skips: about the root of their number."""
LARGEST = float(np.finfo(np.float64).max)
OTHER, MISSING, UNSEEN = 1_000, 1_001, 1_002
"""Slots of infinite values and rare categories, of missing values, and of categories the reference never had."""


@dataclass(frozen=True, slots=True)
class NumericBins:
    """Bins of a numeric feature: half-open intervals between its edges."""

    edges: Floats
    """Inner edges, strictly rising."""
    deviation: float
    """Standard deviation of the finite values."""

    @property
    def slots(self) -> int:
        """Number of bins."""
        return len(self.edges) + 1


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """Categories of a text feature, the frequent ones first."""

    names: tuple[str, ...]

    @property
    def slots(self) -> int:
        """Number of categories that have a slot of their own."""
        return min(len(self.names), CATEGORIES)

    @property
    def exhaustive(self) -> bool:
        """Whether each category has a slot of its own."""
        return len(self.names) <= CATEGORIES


BinsByModel = Mapping[str, NumericBins | CategoryBins]
"""Bins of one feature by model."""


def feature_bins(
    log: ResolvedLog, schema: Schema, rows_of: Callable[[ResolvedLog], Expression], engine: Engine
) -> dict[str, BinsByModel]:
    """Compute the bins of each feature from the rows of the reference; by its name, and by model.

    Args:
        log: The resolved log.
        schema: Of its columns.
        rows_of: Returns the rows of the reference, with the features of the log it is given.
        engine: The engine the log was resolved with.
    """
    rows = fetch(engine, rows_of(replace(log, features=())).count().as_table())[0][0].as_py()
    numeric = [name for name in log.features if schema[name].type is ColumnType.NUMBER]
    per_query = max(1, MAX_VALUES_PER_QUERY // max(min(rows, SAMPLE_ROWS), 1))
    bins: dict[str, BinsByModel] = {}
    for start in range(0, len(numeric), per_query):
        names = tuple(numeric[start : start + per_query])
        bins |= _numeric_bins(rows_of(replace(log, features=names)), names, engine, rows)
    for name in log.features:
        if name not in numeric:
            bins[name] = _category_bins(rows_of(replace(log, features=(name,))), name, engine)
    return {name: bins[name] for name in log.features if bins.get(name)}


def _numeric_bins(table: Expression, features: Sequence[str], engine: Engine, rows: int) -> dict[str, BinsByModel]:
    """Return the bins of numeric features from the rows of the reference, and their number."""
    if rows > SAMPLE_ROWS:
        table = table.filter(table[loading.feature_column(features[0])].hash() % (rows // SAMPLE_ROWS + 1) == 0)
    levels = [index / QUANTILES for index in range(1, QUANTILES)]
    sums: dict[str, Expression] = {}
    for index, name in enumerate(features):
        value = table[loading.feature_column(name)]
        finite = (value.abs() <= LARGEST).ifelse(value, None)
        sums |= {f"q{index}": finite.quantile(levels), f"d{index}": finite.std(how="pop")}
    result = fetch(engine, table.group_by(loading.MODEL).agg(**sums))
    models = result[loading.MODEL].to_pylist() if result.num_rows else []
    return {
        name: {
            model: NumericBins(bin_edges(quantiles or []), float("nan") if deviation is None else deviation)
            for model, quantiles, deviation in zip(
                models, result[f"q{index}"].to_pylist(), result[f"d{index}"].to_pylist(), strict=True
            )
        }
        for index, name in enumerate(features)
        if models
    }


def bin_edges(quantiles: Sequence[float]) -> Floats:
    """Return inner edges from quantiles; a value that is several of them has a bin of its own.

    >>> bin_edges([1.0, 2.0, 2.0, 3.0]).round(6).tolist()
    [1.0, 2.0, 2.0, 3.0]
    """
    values = np.asarray(quantiles, dtype=np.float64)
    distinct, times = np.unique(values[np.isfinite(values)], return_counts=True)
    above = np.nextafter(distinct[times > 1], np.inf)
    return np.unique(np.concatenate([distinct, above]))


def _category_bins(table: Expression, name: str, engine: Engine) -> BinsByModel:
    import ibis

    counted = table.group_by(loading.MODEL, value=table[loading.feature_column(name)]).agg(
        rows=lambda group: group.count()
    )
    counted = counted.filter(counted.value.notnull())
    order = ibis.window(group_by=loading.MODEL, order_by=[counted["rows"].desc(), counted.value])
    ranked = counted.mutate(rank=ibis.row_number().over(order))
    result = fetch(engine, ranked.filter(ranked["rank"] < MAX_CATEGORIES).order_by([loading.MODEL, "rank"]))
    names: dict[str, list[str]] = {}
    if result.num_rows:
        for model, value in zip(result[loading.MODEL].to_pylist(), result["value"].to_pylist(), strict=True):
            names.setdefault(model, []).append(value)
    return {model: CategoryBins(tuple(categories)) for model, categories in names.items()}


def with_slot(table: Expression, name: str, bins: BinsByModel, engine: Engine) -> Expression:
    """Return the rows of the models that had a feature in the reference, with the columns `slot` and `value`.

    Args:
        table: Rows with the feature.
        name: Of the feature.
        bins: Of the feature, by model.
        engine: The engine that runs the query.

    Returns:
        `slot` is a bin or a category, or `OTHER`, `MISSING`, `UNSEEN`; `value` the finite number, null of a text.
    """
    edges = {model: each.edges for model, each in bins.items() if isinstance(each, NumericBins)}
    if len(edges) == len(bins):
        return _with_numeric_slot(table, name, edges, engine)
    return _with_category_slot(table, name, bins, engine)


def _with_numeric_slot(table: Expression, name: str, edges: dict[str, Floats], engine: Engine) -> Expression:
    import ibis

    if len(edges) == 1:
        ((model, own_edges),) = edges.items()
        table, bounds = table.filter(table[loading.MODEL] == model), own_edges.tolist()
    else:
        table = table.inner_join(_edge_table(edges, engine), loading.MODEL)
        bounds = [table[f"e{index}"] for index in range(max(map(len, edges.values())))]
    value = table[loading.feature_column(name)]
    slot = ibis.cases((value.isnull(), MISSING), (value.abs() > LARGEST, OTHER), else_=_edges_below(value, bounds))
    return table.mutate(slot=slot.cast("int16"), value=(value.abs() <= LARGEST).ifelse(value, None))


def _edge_table(edges: dict[str, Floats], engine: Engine) -> Expression:
    """Return edges by model; if a model has fewer than another, the last are beyond all numbers."""
    import pyarrow as pa

    padded = np.full((len(edges), max(map(len, edges.values()))), np.inf)
    for row, own_edges in enumerate(edges.values()):
        padded[row, : len(own_edges)] = own_edges
    columns = {f"e{index}": pa.array(column) for index, column in enumerate(padded.T.copy())}
    return engine.from_arrow(pa.table({loading.MODEL: pa.array(list(edges), pa.string()), **columns}))


def _edges_below(value: Expression, edges: Sequence[Any]) -> Expression:
    """Return how many edges are at or below the value: compares every seventh first, then those between."""
    import ibis

    def literal(index: int) -> Expression:
        return ibis.literal(index, "int16")

    def between(low: int, high: int) -> Expression:
        branches = [(value < edges[index], literal(index)) for index in range(low, high)]
        return ibis.cases(*branches, else_=literal(high)) if branches else literal(high)

    last_indices = [min(low + STRIDE, len(edges)) - 1 for low in range(0, len(edges), STRIDE)]
    starts = [0, *(end + 1 for end in last_indices)]
    outer = [(value < edges[end], between(low, end)) for low, end in zip(starts, last_indices, strict=False)]
    return ibis.cases(*outer, else_=literal(len(edges))) if outer else literal(0)


def _with_category_slot(table: Expression, name: str, bins: BinsByModel, engine: Engine) -> Expression:
    import ibis
    import pyarrow as pa

    models, categories, slots = zip(*_category_rows(bins), strict=True)
    lookup = engine.from_arrow(
        pa.table(
            {
                "lookup_model": pa.array(models, pa.string()),
                "lookup_value": pa.array(categories, pa.string()),
                "lookup_slot": pa.array(slots, pa.int16()),
            }
        )
    )
    if len(bins) < MAX_FILTERED_MODELS:
        table = table.filter(table[loading.MODEL].isin(list(bins)))
    feature = loading.feature_column(name)
    same = [table[loading.MODEL] == lookup.lookup_model, table[feature] == lookup.lookup_value]
    joined = table.left_join(lookup, same)
    in_reference = joined.lookup_slot.notnull()
    slot = ibis.cases((joined[feature].isnull(), MISSING), (in_reference, joined.lookup_slot), else_=UNSEEN)
    return joined.mutate(slot=slot.cast("int16"), value=ibis.null("float64"))


def _category_rows(bins: BinsByModel) -> Iterator[tuple[str, str, int]]:
    for model, categories in bins.items():
        if isinstance(categories, CategoryBins):
            for rank, name in enumerate(categories.names):
                yield model, name, rank if rank < CATEGORIES else OTHER
