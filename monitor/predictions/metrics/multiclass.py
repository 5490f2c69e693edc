"""Everything that a multi-class tally says without a reference.

Averages over classes come in two: `_macro`, each class counting alike, and `_weighted`, each by its labels. The classes
are those that have labels or predictions in the cell. Where the metric of one of them is undefined, so is the average:
scikit-learn counts it as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import intervals, multiclass_scores, ranking
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio
from modeltop.predictions.metrics.binary import BinaryConfusion, f1_score, precision, recall, wilson_proportion

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats
    from modeltop.predictions.aggregates.classification import MulticlassCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import MulticlassCounts


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionTable:
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
    def from_aggregate(cls, tally: MulticlassCounts) -> ConfusionTable:
        """The labelled rows of a tally."""
        return cls.from_counts(tally.confusion[:, :-1].astype(np.float64))

    @classmethod
    def from_counts(cls, counts: Floats) -> ConfusionTable:
        """From rows by label and prediction, [K, C, C]."""
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
        """Labels of the rarest class that has any, [K]: what a metric of all classes rests on."""
        found: Floats = np.min(np.where(self.labels > 0, self.labels, np.inf), axis=1)
        return np.where(np.isfinite(found), found, 0.0)

    def smoothed(self) -> ConfusionTable:
        """With half a case in each right cell of the classes present, and another half over the wrong ones of its row.

        Of two classes it is half a case in each cell, as for the binary coefficients.
        """
        present = self.present_classes.astype(np.float64)
        others = np.maximum(present.sum(axis=1) - 1, 1)[:, None, None]
        pairs = present[:, :, None] * present[:, None, :] * (0.5 / others)
        size = self.labels.shape[1]
        pairs[:, np.arange(size), np.arange(size)] = present / 2
        return ConfusionTable.from_counts(self.counts + pairs)


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """Derivatives of a number by the hits, labels and predictions of each class, [K, C], and by the rows, [K]."""

    hits: Floats
    labels: Floats
    predictions: Floats
    rows: Floats

    def variance(self, table: ConfusionTable) -> Floats:
        """The delta method's: count times squared derivative, over the cells. For numbers free of the scale."""
        by = self.labels[:, :, None] + self.predictions[:, None, :] + self.rows[:, None, None]
        size = np.arange(self.hits.shape[1])
        by[:, size, size] += self.hits
        found: Floats = np.einsum("kij,kij,kij->k", table.counts, by, by)
        return found


def compute_multiclass(tally: MulticlassCounts) -> dict[str, MetricValues]:
    """All multi-class metrics by their registered names; those of scores only if any row has one."""
    table = ConfusionTable.from_aggregate(tally)
    found = {"accuracy": wilson_proportion(table.hits.sum(axis=1), table.rows, UndefinedReason.NO_LABELS)}
    found |= compute_averages(table)
    found |= {"balanced_accuracy": balanced_accuracy(table), "mcc": mcc(table), "cohen_kappa": cohen_kappa(table)}
    every = tally.confusion.sum(axis=(1, 2)).astype(np.float64)
    found["label_coverage"] = wilson_proportion(table.rows, every, UndefinedReason.NO_ROWS)
    return found | multiclass_scores.compute_multiclass_scores(tally)


def compute_per_class(tally: MulticlassCounts) -> dict[str, dict[str, MetricValues]]:
    """Precision, recall, F1 and label rate of each class against all others; for segments `class=NAME`."""
    table = ConfusionTable.from_aggregate(tally)
    found = {}
    for at, name in enumerate(tally.classes):
        hits, labels, predictions = table.hits[:, at], table.labels[:, at], table.predictions[:, at]
        one = BinaryConfusion(
            tp=hits, fp=predictions - hits, fn=labels - hits, tn=table.rows - predictions - labels + hits
        )
        found[name] = {
            "precision": precision(one),
            "recall": recall(one),
            "f1_score": f1_score(one),
            "label_rate": wilson_proportion(labels, table.rows, UndefinedReason.NO_LABELS),
        }
        if tally.ranked is not None:
            ranked = tally.ranked[:, at, :, :BINS].astype(np.float64)
            why = first_reason(((ranked[:, :2].sum(axis=2) == 0).any(axis=1), UndefinedReason.ONE_CLASS))
            found[name]["roc_auc"] = ranking.roc_auc(
                ranking.RankCounts.from_bins(ranked[:, 1], ranked[:, 0]), reason=why
            )
    return found


def compute_averages(table: ConfusionTable) -> dict[str, MetricValues]:
    """Precision, recall and F1: 0 to 1. Support: labels of the rarest class; of the weighted ones, labelled rows.

    The intervals are the delta method's on the scale of log-odds, with a case a class spread over the cells.
    """
    present, padded = table.present_classes, table.smoothed()
    undefined = {
        "precision": (table.predictions == 0, UndefinedReason.CLASS_UNPREDICTED),
        "recall": (table.labels == 0, UndefinedReason.CLASS_ABSENT),
        "f1_score": (~present, UndefinedReason.NO_ROWS),
    }
    found = {}
    for name, (gone, why) in undefined.items():
        for suffix, counted in (("macro", present), ("weighted", table.labels > 0)):
            weighted = suffix == "weighted"
            value, _ = _average(table, name, weighted=weighted)
            ends = intervals.widen_to_contain(
                value, intervals.logit_interval(*_average(padded, name, weighted=weighted))
            )
            missing = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), ((gone & counted).any(axis=1), why))
            support = table.rows if weighted else table.minority_labels
            found[f"{name}_{suffix}"] = metric_values(value, support, ends, reason=missing)
    return found


def balanced_accuracy(table: ConfusionTable) -> MetricValues:
    """Mean recall of the classes that have labels: 0 to 1. Support: labels of the rarest of them."""
    value, _ = _recall_of_labelled(table)
    ends = intervals.widen_to_contain(value, intervals.logit_interval(*_recall_of_labelled(table.smoothed())))
    one = (table.labels > 0).sum(axis=1) < 2
    why = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (one, UndefinedReason.ONE_CLASS))
    return metric_values(value, table.minority_labels, ends, reason=why)


def mcc(table: ConfusionTable) -> MetricValues:
    """Correlation of label and prediction: at most 1, 0 for chance (Gorodkin 2004, Comput. Biol. Chem. 28).

    Support: labels of the rarest class. The interval is the delta method's on Fisher's z, with a case a class spread
    over the cells. scikit-learn says 0 where it is undefined.
    """
    value, _ = _mcc(table)
    ends = intervals.widen_to_contain(value, intervals.fisher_interval(*_mcc(table.smoothed())))
    return metric_values(value, table.minority_labels, ends, reason=_two_of_each(table))


def cohen_kappa(table: ConfusionTable) -> MetricValues:
    """Agreement beyond chance: at most 1, 0 for chance (Cohen 1960, EPM 20). Interval and support as for `mcc`."""
    value, _ = _kappa(table)
    ends = intervals.widen_to_contain(value, intervals.fisher_interval(*_kappa(table.smoothed())))
    same = (table.present_classes.sum(axis=1) < 2) & (table.rows > 0)
    why = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (same, UndefinedReason.ALL_AGREE))
    return metric_values(value, table.minority_labels, ends, reason=why)


def _average(table: ConfusionTable, name: str, *, weighted: bool) -> tuple[Floats, Floats]:
    """The mean over classes and its variance."""
    by_labels, by_predictions = {"precision": (0.0, 1.0), "recall": (1.0, 0.0), "f1_score": (0.5, 0.5)}[name]
    whole = by_labels * table.labels + by_predictions * table.predictions
    each = ratio(table.hits, whole)
    counted = table.labels > 0 if weighted else table.present_classes
    weight = ratio(table.labels, table.rows[:, None]) if weighted else ratio(counted, counted.sum(axis=1)[:, None])
    value = np.where(counted, weight * each, 0.0).sum(axis=1)
    slope = np.where(counted, weight * ratio(1.0, whole), 0.0)
    less = -slope * np.where(counted, each, 0.0)
    labels, rows = by_labels * less, np.zeros_like(table.rows)
    if weighted:
        labels = labels + ratio(np.where(counted, each, 0.0), table.rows[:, None])
        rows = -ratio(value, table.rows)
    slopes = Gradient(hits=slope, labels=labels, predictions=by_predictions * less, rows=rows)
    return value, slopes.variance(table)


def _recall_of_labelled(table: ConfusionTable) -> tuple[Floats, Floats]:
    counted = table.labels > 0
    weight = ratio(counted, counted.sum(axis=1)[:, None])
    each = np.where(counted, ratio(table.hits, table.labels), 0.0)
    slope = np.where(counted, weight * ratio(1.0, table.labels), 0.0)
    none = np.zeros_like(each)
    slopes = Gradient(hits=slope, labels=-slope * each, predictions=none, rows=none[:, 0])
    return (weight * each).sum(axis=1), slopes.variance(table)


def _mcc(table: ConfusionTable) -> tuple[Floats, Floats]:
    rows, hits = table.rows, table.hits.sum(axis=1)
    predicted = rows**2 - (table.predictions**2).sum(axis=1)
    labelled = rows**2 - (table.labels**2).sum(axis=1)
    root = np.sqrt(predicted) * np.sqrt(labelled)
    value = np.clip(ratio(hits * rows - (table.predictions * table.labels).sum(axis=1), root), -1.0, 1.0)
    more, by_label, by_prediction = ratio(1.0, root), ratio(value, labelled), ratio(value, predicted)
    slopes = Gradient(
        hits=np.broadcast_to((rows * more)[:, None], table.hits.shape),
        labels=table.labels * by_label[:, None] - table.predictions * more[:, None],
        predictions=table.predictions * by_prediction[:, None] - table.labels * more[:, None],
        rows=hits * more - rows * (by_label + by_prediction),
    )
    return value, slopes.variance(table)


def _kappa(table: ConfusionTable) -> tuple[Floats, Floats]:
    rows, hits = table.rows, table.hits.sum(axis=1)
    chance = (table.predictions * table.labels).sum(axis=1)
    more = ratio(1.0, rows**2 - chance)
    value = (hits * rows - chance) * more
    less = ((value - 1) * more)[:, None]
    slopes = Gradient(
        hits=np.broadcast_to((rows * more)[:, None], table.hits.shape),
        labels=less * table.predictions,
        predictions=less * table.labels,
        rows=(hits - 2 * rows * value) * more,
    )
    return value, slopes.variance(table)


def _two_of_each(table: ConfusionTable) -> NDArray[np.int8]:
    return first_reason(
        (table.rows == 0, UndefinedReason.NO_LABELS),
        ((table.labels > 0).sum(axis=1) < 2, UndefinedReason.ONE_CLASS),
        ((table.predictions > 0).sum(axis=1) < 2, UndefinedReason.ONE_PREDICTION),
    )
