"""Rows of a model that predicts a number → groups → tally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.regression import RegressionSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.engines.base import Expression

SUMS = ("count", "unlabelled", "error", "absolute", "squared", "fourth", "label", "spread", "nonzero", "relative", "relative2")  # fmt: skip  # noqa: E501
"""Fields of the tally that are also columns of the result."""


@dataclass(frozen=True, slots=True)
class RegressionAggregation:
    """See `modeltop.predictions.queries.aggregate.Tallying`."""

    def prepare(self, table: Expression) -> Expression:
        """Rows that have a prediction."""
        error = table[ours.PREDICTION] - table[ours.LABEL]
        found = table.mutate(e=error, r=(error / table[ours.LABEL].nullif(0.0)).abs(), y=table[ours.LABEL])
        return found.filter(found[ours.PREDICTION].notnull())

    def keys(self, table: Expression) -> dict[str, Expression]:  # noqa: ARG002  as the others have it
        """None: a cell is one group."""
        return {}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """All of the tally."""
        error, label, relative = table.e, table.y, table.r
        square = error * error
        return {
            "count": label.count(),
            "unlabelled": label.isnull().sum(),
            "error": error.sum(),
            "absolute": error.abs().sum(),
            "squared": square.sum(),
            "fourth": (square * square).sum(),
            "label": label.sum(),
            "spread": label.var(how="pop") * label.count(),
            "nonzero": relative.count(),
            "relative": relative.sum(),
            "relative2": (relative * relative).sum(),
        }

    def aggregate(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> RegressionSums:
        """Groups into the cells they belong to."""
        whole = RegressionSums.empty(len(cell))
        for name in SUMS:
            getattr(whole, name)[:] = np.nan_to_num(found[name])
        return whole.merge(cell, cells)
