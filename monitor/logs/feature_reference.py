"""What each feature was like in the reference: the bins of a number, the categories of a text; by model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.logs import rows as ours
from monitor.logs.engine import Engine, Expression, fetch
from monitor.logs.log import Reading
from monitor.tallies.feature import CATEGORIES, QUANTILES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Floats

VALUES = 4_000_000
"""Values whose quantiles are sought in one query: an engine holds them all in memory."""
SAMPLED = 1_000_000
"""Rows of the reference from which on the quantiles are those of a sample, the same at every run of one engine."""
MOST = 10_000
"""Categories of a model that are remembered as having been there; rarer ones count as unseen."""
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class Numbers:
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
class Words:
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


Known = Mapping[str, Numbers | Words]
"""By model."""


def numbers(table: Expression, features: Sequence[int], engine: Engine, rows: int) -> dict[int, Known]:
    """The bins of features that are numbers.

    Args:
        table: The rows of the reference.
        features: Their places in the reading.
        engine: What opened it.
        rows: Of the reference.
    """
    some = table
    if rows > SAMPLED:
        some = table.filter(table[ours.AT].hash() % (rows // SAMPLED + 1) == 0)
    at_once = max(1, VALUES // max(min(rows, SAMPLED), 1))
    found: dict[int, Known] = {}
    for begin in range(0, len(features), at_once):
        found |= _bins(some, features[begin : begin + at_once], engine)
    return found


def _bins(table: Expression, features: Sequence[int], engine: Engine) -> dict[int, Known]:
    shares = [place / QUANTILES for place in range(1, QUANTILES)]
    asked: dict[str, Expression] = {}
    for place in features:
        value = table[ours.feature_of(place)]
        finite = (value.abs() <= LARGEST).ifelse(value, None)
        asked |= {f"q{place}": finite.quantile(shares), f"d{place}": finite.std(how="pop")}
    answer = fetch(engine, table.group_by(ours.MODEL).agg(**asked))
    models = answer[ours.MODEL].to_pylist() if answer.num_rows else []
    return {
        place: {
            model: Numbers(edges(quantiles or []), float("nan") if deviation is None else deviation)
            for model, quantiles, deviation in zip(
                models, answer[f"q{place}"].to_pylist(), answer[f"d{place}"].to_pylist(), strict=True
            )
        }
        for place in features
        if models
    }


def edges(quantiles: Sequence[float]) -> Floats:
    """Inner edges from quantiles; a value that is several of them has a bin of its own.

    So a column that was constant in the reference has three: below, equal, above.

    >>> edges([1.0, 2.0, 2.0, 3.0]).round(6).tolist()
    [1.0, 2.0, 2.0, 3.0]
    """
    found = np.asarray(quantiles, dtype=np.float64)
    found = found[np.isfinite(found)]
    value, times = np.unique(found, return_counts=True)
    above = np.nextafter(value[times > 1], np.inf)
    whole: Floats = np.unique(np.concatenate([value, above]))
    return whole


def words(table: Expression, place: int, engine: Engine) -> Known:
    """The categories of a feature that is text."""
    import ibis

    counted = table.group_by(ours.MODEL, value=table[ours.feature_of(place)]).agg(n=lambda group: group.count())
    counted = counted.filter(counted.value.notnull())
    order = ibis.window(group_by=ours.MODEL, order_by=[counted.n.desc(), counted.value])
    ranked = counted.mutate(rank=ibis.row_number().over(order))
    answer = fetch(engine, ranked.filter(ranked["rank"] < MOST).order_by([ours.MODEL, "rank"]))
    found: dict[str, list[str]] = {}
    if answer.num_rows:
        for model, name in zip(answer[ours.MODEL].to_pylist(), answer["value"].to_pylist(), strict=True):
            found.setdefault(model, []).append(name)
    return {model: Words(tuple(names)) for model, names in found.items()}


def slot_of(table: Expression, place: int, known: Known, engine: Engine) -> Expression:
    """The table with the column `slot` of a feature, for the models that had it in the reference.

    A slot is a bin or a category; then come other, missing and, of a text, unseen.
    """
    if all(isinstance(one, Numbers) for one in known.values()):
        return _slot_of_number(table, place, known, engine)
    return _slot_of_word(table, place, known, engine)


OTHER, LOST, UNSEEN = 1_000, 1_001, 1_002
"""Slots of what has none: infinite or rare values, missing ones, and categories that the reference never had."""


def _slot_of_number(table: Expression, place: int, known: Known, engine: Engine) -> Expression:
    import ibis

    value = table[ours.feature_of(place)]
    if len(known) == 1:
        ((model, bins),) = known.items()
        joined, rows = table.filter(table[ours.MODEL] == model), [float(edge) for edge in _edges(bins)]
    else:
        joined = table.inner_join(_lookup(known, engine), ours.MODEL)
        rows = [joined[f"e{edge}"] for edge in range(max(len(_edges(one)) for one in known.values()))]
    value = joined[ours.feature_of(place)]
    inside = _tree(value, rows, 0, len(rows))
    slot = ibis.cases((value.isnull(), LOST), (value.abs() > LARGEST, OTHER), else_=inside)
    return joined.mutate(slot=slot.cast("int16"), value=(value.abs() <= LARGEST).ifelse(value, None))


def _edges(known: Numbers | Words) -> NDArray[Any]:
    assert isinstance(known, Numbers)
    return known.edges


def _lookup(known: Known, engine: Engine) -> Expression:
    """Edges by model; where a model has fewer than another, the last are beyond all numbers."""
    import pyarrow as pa

    longest = max(len(_edges(one)) for one in known.values())
    filled = np.full((len(known), longest), np.inf)
    for row, one in enumerate(known.values()):
        filled[row, : len(_edges(one))] = _edges(one)
    columns = {f"e{edge}": pa.array(filled[:, edge]) for edge in range(longest)}
    return engine.lookup(pa.table({ours.MODEL: pa.array(list(known), pa.string()), **columns}))


def _tree(value: Expression, edges: Sequence[Any], low: int, high: int) -> Expression:
    """How many edges are at or below the value, by halving."""
    import ibis

    if low == high:
        return ibis.literal(low, "int16")
    middle = (low + high) // 2
    return (value < edges[middle]).ifelse(_tree(value, edges, low, middle), _tree(value, edges, middle + 1, high))


def _slot_of_word(table: Expression, place: int, known: Known, engine: Engine) -> Expression:
    import ibis
    import pyarrow as pa

    rows = list(_named(known))
    looked = engine.lookup(
        pa.table(
            {
                "of_model": pa.array([model for model, _, _ in rows], pa.string()),
                "of_value": pa.array([name for _, name, _ in rows], pa.string()),
                "place": pa.array([slot for _, _, slot in rows], pa.int16()),
            }
        )
    )
    mine = table.filter(table[ours.MODEL].isin(list(known))) if len(known) < 100 else table
    value = mine[ours.feature_of(place)]
    joined = mine.left_join(looked, [mine[ours.MODEL] == looked.of_model, value == looked.of_value])
    value = joined[ours.feature_of(place)]
    slot = ibis.cases((value.isnull(), LOST), (joined.place.notnull(), joined.place), else_=UNSEEN)
    return joined.mutate(slot=slot.cast("int16"), value=ibis.null("float64"))


def _named(known: Known) -> Iterator[tuple[str, str, int]]:
    for model, one in known.items():
        if isinstance(one, Words):
            for rank, name in enumerate(one.names):
                yield model, name, rank if rank < CATEGORIES else OTHER


def references(reading: Reading, numeric: Sequence[bool], table: Expression, engine: Engine) -> dict[int, Known]:
    """What each feature, by its place, was like in the rows of the reference."""
    counted = fetch(engine, table.aggregate(n=table.count()))
    rows = counted["n"][0].as_py()
    found = numbers(table, [place for place, yes in enumerate(numeric) if yes], engine, rows)
    for place, yes in enumerate(numeric):
        if not yes:
            found[place] = words(table, place, engine)
    return {place: found[place] for place in range(len(reading.features)) if found.get(place)}
