"""The aggregate of a model that predicts a number."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.base import Aggregate, sum_by_group

COUNTS = ("count", "unlabelled", "nonzero")
"""Fields that are integers."""


@dataclass(frozen=True, slots=True, eq=False)
class RegressionSums(Aggregate):
    """Sums over K cells; the error of a row is its prediction minus its label, in the label's unit."""

    count: NDArray[np.int64]
    """Rows with a label, [K]."""
    unlabelled: NDArray[np.int64]
    """Rows without one, [K]."""
    error: Floats
    """Sum of the errors, [K]."""
    absolute: Floats
    """Sum of their absolute values, [K]."""
    squared: Floats
    """Sum of their squares, [K]."""
    fourth: Floats
    """Sum of their fourth powers, [K]."""
    label: Floats
    """Sum of the labels, [K]."""
    spread: Floats
    """Sum of the squared distances of the labels from their own mean in the cell, [K]; a plain sum of squares would
    lose all digits if labels are large and close together. It merges by Chan's formula (1979)."""
    nonzero: NDArray[np.int64]
    """Rows whose label is not 0, [K]: those of the two sums below."""
    relative: Floats
    """Sum of |error / label|, [K]."""
    relative2: Floats
    """Sum of the squares of that, [K]."""

    @classmethod
    def empty(cls, cells: int) -> RegressionSums:
        """Return the sums of no rows, to be filled in place."""
        return cls(
            **{  # type: ignore[arg-type]  # mypy cannot see that each name meets its dtype
                field.name: np.zeros(cells, dtype=np.int64 if field.name in COUNTS else np.float64)
                for field in fields(cls)
            }
        )

    def merge(self, group: NDArray[np.int64], groups: int) -> RegressionSums:
        """See `Aggregate.merge`; the spread grows by the distance of each cell's mean from the mean of its group."""
        sums = Aggregate.merge(self, group, groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.where(self.count > 0, self.label / self.count - (sums.label / sums.count)[group], 0.0)
        return replace(sums, spread=sums.spread + sum_by_group(self.count * distance * distance, group, groups))
