"""The aggregate of one column: counts of its values by the bins, or the categories, of its reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.base import Aggregate

QUANTILES = 50
"""Bins of a numeric column, each with an equal number of the reference's rows; fewer if values are tied."""
CATEGORIES = 30
"""The most frequent categories of the reference; the rest of its categories is `other`."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureReference:
    """One column as it was in the reference: its bins, and the counts of its own rows by them.

    A slot is a bin or a category. After the S slots come two more: `other`, then missing.
    """

    name: str
    """The column: foreign text."""
    count: NDArray[np.int64]
    """The reference's rows, [S + 2]."""
    edges: Floats | None = None
    """Of a numeric column: the S - 1 inner edges, strictly rising; slot i holds `edges[i-1] <= value < edges[i]`.

    Infinite values are counted in `other`, NaN and null in missing.
    """
    total: Floats | None = None
    """Of a numeric column: the sum of the reference's values by slot, [S]."""
    extremes: Floats | None = None
    """Of a numeric column: the smallest and the largest finite value of the reference, [2]; NaN without any."""
    deviation: float = float("nan")
    """Of a numeric column: the standard deviation of the reference's finite values, in their unit."""
    categories: tuple[str, ...] | None = None
    """Of a column of categories: the S names; `other` holds every name that is not among them: foreign text."""
    exhaustive: bool = True
    """False if the reference had more categories than S, so that `other` also holds names it had."""

    @property
    def slots(self) -> int:
        """S: bins or categories, without `other` and missing."""
        return len(self.count) - 2

    @property
    def numeric(self) -> bool:
        """Whether the column is binned by size; else by category."""
        return self.edges is not None


@dataclass(frozen=True, slots=True, eq=False)
class FeatureCounts(Aggregate):
    """One column over K cells that share a reference: the counts by its slots."""

    reference: FeatureReference
    count: NDArray[np.int64]
    """Rows, [K, S + 2]: the slots, `other`, missing."""
    total: Floats | None = None
    """Of a numeric column: the sum of the values by slot, [K, S]."""
    extremes: Floats | None = None
    """Of a numeric column: the smallest and the largest finite value, [K, 2]; NaN without any."""
    unseen: NDArray[np.int64] | None = None
    """Of a column of categories: rows whose category the reference never had, [K]; None: those of `other`."""

    def merge(self, group: NDArray[np.int64], groups: int) -> Self:
        """Return the aggregate of `groups` cells: sums, and the extremes of all of a group."""
        merged = Aggregate.merge(self, group, groups)
        if self.extremes is None:
            return merged
        low, high = self.extremes.T
        return replace(merged, extremes=extremes_by_group(low, high, group, groups))


def extremes_by_group(low: Floats, high: Floats, group: NDArray[np.int64], groups: int) -> Floats:
    """Return the smallest and the largest value of each group, [groups, 2]; NaN without any.

    Args:
        low: Smallest values of the rows; NaN without any.
        high: Largest values, of the same shape.
        group: Of each row, from 0 on.
        groups: How many there are.
    """
    extremes = np.full((groups, 2), np.nan)
    np.fmin.at(extremes[:, 0], group, low)
    np.fmax.at(extremes[:, 1], group, high)
    return extremes
