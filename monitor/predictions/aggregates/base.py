"""What all tallies share: arrays over K cells, and merging as the sum of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Times


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """Counts and sums of K cells; a cell is one (model, period, segment).

    Every array field has the cells as its first axis and merges by addition; other fields are shared by all cells.
    """

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        return sum(array.nbytes for array in self._arrays().values())

    def take(self, cells: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Self:
        """Some of the cells, in the order asked for."""
        return replace(self, **{name: array[cells] for name, array in self._arrays().items()})

    def merge(self, group: NDArray[np.int64], groups: int) -> Self:
        """The tally of `groups` cells: cell i is added to cell `group[i]`; a group without cells is empty."""
        return replace(self, **{name: sum_by_group(array, group, groups) for name, array in self._arrays().items()})

    def merge_all(self) -> Self:
        """All cells as one."""
        return self.merge(np.zeros(len(self), dtype=np.int64), 1)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


AggregateT = TypeVar("AggregateT", bound=Aggregate)


def sum_by_group(array: NDArray[Any], group: NDArray[np.int64], groups: int) -> NDArray[Any]:
    """The sums of the rows of `array` by group; sums of floats add in the order of the rows."""
    found = np.zeros((groups, *array.shape[1:]), dtype=array.dtype)
    if len(group):
        order = np.argsort(group, kind="stable")
        filled, starts = np.unique(group[order], return_index=True)
        found[filled] = np.add.reduceat(array[order], starts, axis=0)
    return found


def concat(tallies: Sequence[AggregateT]) -> AggregateT:
    """The cells of several tallies of one kind, one after the other. They must share what is not an array."""
    first = tallies[0]
    names = first._arrays()  # noqa: SLF001  # a function of this file
    return replace(first, **{name: np.concatenate([getattr(tally, name) for tally in tallies]) for name in names})


@dataclass(frozen=True, slots=True, eq=False)
class CellBatch(Generic[AggregateT]):
    """A batch of cells with their keys; no key stands in two batches of one reading, nor twice in one."""

    model: NDArray[np.object_]
    """Names as written in the data: foreign text."""
    period: Times
    """Starts, UTC, `datetime64[us]`."""
    segment: NDArray[np.object_]
    """`all`, `COLUMN=VALUE`: foreign text."""
    aggregate: AggregateT

    def __len__(self) -> int:
        return len(self.period)
