"""The contract of all aggregates: arrays over K cells that merge as sums, and batches of cells with their keys."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Times


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """Counts and sums of K cells; a cell is one (model, period, segment).

    Every array field has the cells as its first axis and merges by addition; other fields are shared by all cells.
    """

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    def take(self, cells: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Self:
        """Return some of the cells, in the order asked for."""
        return replace(self, **{name: array[cells] for name, array in self._arrays().items()})

    def merge(self, group: NDArray[np.int64], groups: int) -> Self:
        """Return the aggregate of `groups` cells, each the sum of its cells; `group` is that of each cell, [K]."""
        return replace(self, **{name: sum_by_group(array, group, groups) for name, array in self._arrays().items()})

    def _arrays(self) -> dict[str, NDArray[Any]]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


AggregateT = TypeVar("AggregateT", bound=Aggregate)


def sum_by_group(array: NDArray[Any], group: NDArray[np.int64], groups: int) -> NDArray[Any]:
    """Sum the rows of an array by group, floats in the order of the rows.

    Args:
        array: Rows on the first axis.
        group: Of each row, from 0 on.
        groups: How many there are; one without rows sums to 0.
    """
    sums = np.zeros((groups, *array.shape[1:]), dtype=array.dtype)
    np.add.at(sums, group, array)
    return sums


@dataclass(frozen=True, slots=True, eq=False)
class CellBatch(Generic[AggregateT]):
    """A batch of cells with their keys; no key comes twice, neither in one batch nor in two of one query."""

    model: NDArray[np.object_]
    """Names as written in the data: foreign text."""
    period: Times
    """Starts, UTC, `datetime64[us]`."""
    segment: NDArray[np.object_]
    """`all`, `COLUMN=VALUE`: foreign text."""
    aggregate: AggregateT

    def __len__(self) -> int:
        return len(self.period)
