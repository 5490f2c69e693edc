"""The confusion table of two classes or several, and the coefficients of agreement that are computed from all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Flags, Floats
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionTable:
    """Labeled rows of K cells and C classes."""

    counts: Floats
    """Rows by label and prediction, [K, C, C]."""
    hits: Floats
    """Rows of each class that were predicted as it, [K, C]."""
    labels: Floats
    """Rows by label, [K, C]."""
    predictions: Floats
    """Rows by prediction, [K, C]."""
    rows: Floats
    """All rows, [K]."""

    @classmethod
    def from_counts(cls, counts: Floats) -> ConfusionTable:
        """Return the table of rows by label and prediction, [K, C, C]."""
        return cls(
            counts=counts,
            hits=np.einsum("kcc->kc", counts).copy(),
            labels=counts.sum(axis=2),
            predictions=counts.sum(axis=1),
            rows=counts.sum(axis=(1, 2)),
        )

    @property
    def present_classes(self) -> Flags:
        """Classes with a label or a prediction, [K, C]."""
        return (self.labels > 0) | (self.predictions > 0)

    @property
    def minority_labels(self) -> Floats:
        """Labels of the rarest class that has any, [K]: the support of a metric of all classes."""
        rarest: Floats = np.min(np.where(self.labels > 0, self.labels, np.inf), axis=1)
        return np.where(np.isfinite(rarest), rarest, 0.0)

    def smoothed(self) -> ConfusionTable:
        """Return the table with one case a class added: half on its diagonal, half over the rest of its row.

        Of two classes it is half a case in each cell (Haldane 1956, Anscombe 1956). Absent classes stay empty.
        """
        present = self.present_classes.astype(np.float64)
        others = np.maximum(present.sum(axis=1) - 1, 1)[:, None, None]
        added = present[:, :, None] * present[:, None, :] * (0.5 / others)
        diagonal = np.arange(self.labels.shape[1])
        added[:, diagonal, diagonal] = present / 2
        return ConfusionTable.from_counts(self.counts + added)


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """Derivatives of a metric by hits, labels and predictions of each class, [K, C], and by the rows, [K]."""

    hits: Floats
    labels: Floats
    predictions: Floats
    rows: Floats

    def variance(self, table: ConfusionTable) -> Floats:
        """Compute the delta method's variance, [K], of a metric that does not change with the scale of all counts."""
        slopes = self.labels[:, :, None] + self.predictions[:, None, :] + self.rows[:, None, None]
        diagonal = np.arange(self.hits.shape[1])
        slopes[:, diagonal, diagonal] += self.hits
        return np.asarray(np.einsum("kij,kij,kij->k", table.counts, slopes, slopes))


def mcc(table: ConfusionTable) -> MetricValues:
    """Compute the correlation of label and prediction: -1 to 1, 0 for guessing.

    Matthews' coefficient (1975, BBA 405), of several classes Gorodkin's (2004, Comput. Biol. Chem. 28). Support: labels
    of the rarest class. The interval is the delta method's on Fisher's z, of the smoothed table. Undefined with one
    label or one prediction only, where scikit-learn returns 0.
    """
    value, _ = _mcc(table)
    interval = intervals.widen_to_contain(value, intervals.fisher_interval(*_mcc(table.smoothed())))
    reason = first_reason(
        (table.rows == 0, UndefinedReason.NO_LABELS),
        ((table.labels > 0).sum(axis=1) < 2, UndefinedReason.ONE_CLASS),
        ((table.predictions > 0).sum(axis=1) < 2, UndefinedReason.ONE_PREDICTION),
    )
    return metric_values(value, table.minority_labels, interval, reason=reason)


def cohen_kappa(table: ConfusionTable) -> MetricValues:
    """Compute agreement beyond chance: -1 to 1, 0 for guessing (Cohen 1960, EPM 20).

    Support and interval as for `mcc`. Undefined if labels and predictions are all of one and the same class.
    """
    value, _ = _kappa(table)
    interval = intervals.widen_to_contain(value, intervals.fisher_interval(*_kappa(table.smoothed())))
    same = (table.present_classes.sum(axis=1) < 2) & (table.rows > 0)
    reason = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (same, UndefinedReason.ALL_AGREE))
    return metric_values(value, table.minority_labels, interval, reason=reason)


def _mcc(table: ConfusionTable) -> tuple[Floats, Floats]:
    """Return the coefficient and its variance."""
    rows, hits = table.rows, table.hits.sum(axis=1)
    # Not rows² - sum of squares, which loses the digits of a rare class.
    predicted = (table.predictions * (rows[:, None] - table.predictions)).sum(axis=1)
    labelled = (table.labels * (rows[:, None] - table.labels)).sum(axis=1)
    # The root of the product, not the product of roots: of a perfect prediction it is exact.
    root = np.sqrt(predicted * labelled)
    # A rounded root may leave one ulp beyond -1 or 1.
    value = np.clip(ratio(hits * rows - (table.predictions * table.labels).sum(axis=1), root), -1.0, 1.0)
    scale, by_label, by_prediction = ratio(1.0, root), ratio(value, labelled), ratio(value, predicted)
    gradient = Gradient(
        hits=np.broadcast_to((rows * scale)[:, None], table.hits.shape),
        labels=table.labels * by_label[:, None] - table.predictions * scale[:, None],
        predictions=table.predictions * by_prediction[:, None] - table.labels * scale[:, None],
        rows=hits * scale - rows * (by_label + by_prediction),
    )
    return value, gradient.variance(table)


def _kappa(table: ConfusionTable) -> tuple[Floats, Floats]:
    """Return the coefficient and its variance."""
    rows, hits = table.rows, table.hits.sum(axis=1)
    expected = (table.predictions * table.labels).sum(axis=1)
    value, scale = ratio(hits * rows - expected, rows**2 - expected), ratio(1.0, rows**2 - expected)
    slope = ((value - 1) * scale)[:, None]
    gradient = Gradient(
        hits=np.broadcast_to((rows * scale)[:, None], table.hits.shape),
        labels=slope * table.predictions,
        predictions=slope * table.labels,
        rows=(hits - 2 * rows * value) * scale,
    )
    return value, gradient.variance(table)
