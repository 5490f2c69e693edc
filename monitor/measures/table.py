"""The confusion of several classes, and how sure is what is computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from monitor.records import Flags, Floats
    from monitor.tallies.multiclass import MulticlassTally


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The labelled rows of K cells and C classes."""

    counts: Floats
    """By label and prediction, [K, C, C]."""
    hits: Floats
    """[K, C]."""
    labels: Floats
    predictions: Floats
    rows: Floats
    """[K]."""

    @classmethod
    def of(cls, tally: MulticlassTally) -> Table:
        """The labelled rows of a tally."""
        return cls.of_counts(tally.confusion[:, :-1].astype(np.float64))

    @classmethod
    def of_counts(cls, counts: Floats) -> Table:
        """From rows by label and prediction, [K, C, C]."""
        return cls(
            counts=counts,
            hits=np.einsum("kcc->kc", counts).copy(),
            labels=counts.sum(axis=2),
            predictions=counts.sum(axis=1),
            rows=counts.sum(axis=(1, 2)),
        )

    @property
    def present(self) -> Flags:
        """Classes with a label or a prediction, [K, C]."""
        return (self.labels > 0) | (self.predictions > 0)

    @property
    def rarest(self) -> Floats:
        """Labels of the rarest class that has any, [K]: what a metric of all classes rests on."""
        found: Floats = np.min(np.where(self.labels > 0, self.labels, np.inf), axis=1)
        return np.where(np.isfinite(found), found, 0.0)

    def padded(self) -> Table:
        """With half a case in each right cell of the classes present, and another half over the wrong ones of its row.

        Of two classes it is half a case in each cell, as for the binary coefficients.
        """
        present = self.present.astype(np.float64)
        others = np.maximum(present.sum(axis=1) - 1, 1)[:, None, None]
        pairs = present[:, :, None] * present[:, None, :] * (0.5 / others)
        size = self.labels.shape[1]
        pairs[:, np.arange(size), np.arange(size)] = present / 2
        return Table.of_counts(self.counts + pairs)


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives of a number by the hits, labels and predictions of each class, [K, C], and by the rows, [K]."""

    hits: Floats
    labels: Floats
    predictions: Floats
    rows: Floats

    def variance(self, table: Table) -> Floats:
        """The delta method's: count times squared derivative, over the cells. For numbers free of the scale."""
        by = self.labels[:, :, None] + self.predictions[:, None, :] + self.rows[:, None, None]
        size = np.arange(self.hits.shape[1])
        by[:, size, size] += self.hits
        found: Floats = np.einsum("kij,kij,kij->k", table.counts, by, by)
        return found
