"""How the rows of each task are grouped, and groups put into tallies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from monitor.logs.binary import Binary
from monitor.logs.log import Reading, Task
from monitor.logs.multiclass import Multiclass
from monitor.logs.regression import Regression

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.logs.engine import Expression
    from monitor.tallies.base import Tally


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
