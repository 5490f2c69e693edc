"""The query of a model that predicts a number: rows to groups to sums."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from modeltop.predictions import loading
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.engines.base import Expression
from modeltop.predictions.queries.arrow import Columns

ERROR, RELATIVE_ERROR = "error", "relative_error"
"""Our columns: prediction minus label; its size in units of the label, null if that is 0."""


@dataclass(frozen=True, slots=True)
class RegressionAggregation:
    """The aggregation of a log of numeric predictions."""

    def prepare(self, table: Expression) -> Expression:
        """Return the rows that have a prediction, with their errors."""
        error = table[loading.PREDICTION] - table[loading.LABEL]
        relative = (error / table[loading.LABEL].nullif(0.0)).abs()
        table = table.mutate(**{ERROR: error, RELATIVE_ERROR: relative})
        return table.filter(table[loading.PREDICTION].notnull())

    def keys(self, table: Expression) -> dict[str, Expression]:  # noqa: ARG002  as the others have it
        """Return no keys: a cell is one group."""
        return {}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Return the fields of `RegressionSums` as expressions, by name."""
        error, label, relative = table[ERROR], table[loading.LABEL], table[RELATIVE_ERROR]
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

    def aggregate(self, cell: NDArray[np.int64], cells: int, groups: Columns) -> RegressionSums:
        """Return the sums of the cells."""
        sums = RegressionSums.empty(len(cell))
        for field in fields(sums):
            getattr(sums, field.name)[:] = np.nan_to_num(groups[field.name])
        return sums.merge(cell, cells)
