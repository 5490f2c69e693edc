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
from modeltop.predictions.metrics.base import Measured, Why, measured, ratio, reasons
from modeltop.predictions.metrics.binary import Confusion, f1_score, precision, recall, share

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats
    from modeltop.predictions.aggregates.classification import MulticlassTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import MulticlassTally


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


def compute_multiclass(tally: MulticlassTally) -> dict[str, Measured]:
    """All multi-class metrics by their registered names; those of scores only if any row has one."""
    table = Table.of(tally)
    found = {"accuracy": share(table.hits.sum(axis=1), table.rows, Why.NO_LABELS)}
    found |= averages(table)
    found |= {"balanced_accuracy": balanced_accuracy(table), "mcc": mcc(table), "cohen_kappa": cohen_kappa(table)}
    every = tally.confusion.sum(axis=(1, 2)).astype(np.float64)
    found["label_coverage"] = share(table.rows, every, Why.NO_ROWS)
    return found | multiclass_scores.compute_multiclass_scores(tally)


def classes(tally: MulticlassTally) -> dict[str, dict[str, Measured]]:
    """Precision, recall, F1 and label rate of each class against all others; for segments `class=NAME`."""
    table = Table.of(tally)
    found = {}
    for at, name in enumerate(tally.classes):
        hits, labels, predictions = table.hits[:, at], table.labels[:, at], table.predictions[:, at]
        one = Confusion(tp=hits, fp=predictions - hits, fn=labels - hits, tn=table.rows - predictions - labels + hits)
        found[name] = {
            "precision": precision(one),
            "recall": recall(one),
            "f1_score": f1_score(one),
            "label_rate": share(labels, table.rows, Why.NO_LABELS),
        }
        if tally.ranked is not None:
            ranked = tally.ranked[:, at, :, :BINS].astype(np.float64)
            why = reasons(((ranked[:, :2].sum(axis=2) == 0).any(axis=1), Why.ONE_CLASS))
            found[name]["roc_auc"] = ranking.roc_auc(ranking.Ranked.of(ranked[:, 1], ranked[:, 0]), why=why)
    return found


def averages(table: Table) -> dict[str, Measured]:
    """Precision, recall and F1: 0 to 1. Support: labels of the rarest class; of the weighted ones, labelled rows.

    The intervals are the delta method's on the scale of log-odds, with a case a class spread over the cells.
    """
    present, padded = table.present, table.padded()
    undefined = {
        "precision": (table.predictions == 0, Why.CLASS_UNPREDICTED),
        "recall": (table.labels == 0, Why.CLASS_ABSENT),
        "f1_score": (~present, Why.NO_ROWS),
    }
    found = {}
    for name, (gone, why) in undefined.items():
        for suffix, counted in (("macro", present), ("weighted", table.labels > 0)):
            weighted = suffix == "weighted"
            value, _ = _average(table, name, weighted=weighted)
            ends = intervals.around(value, intervals.logit(*_average(padded, name, weighted=weighted)))
            missing = reasons((table.rows == 0, Why.NO_LABELS), ((gone & counted).any(axis=1), why))
            support = table.rows if weighted else table.rarest
            found[f"{name}_{suffix}"] = measured(value, support, ends, why=missing)
    return found


def balanced_accuracy(table: Table) -> Measured:
    """Mean recall of the classes that have labels: 0 to 1. Support: labels of the rarest of them."""
    value, _ = _recall_of_labelled(table)
    ends = intervals.around(value, intervals.logit(*_recall_of_labelled(table.padded())))
    one = (table.labels > 0).sum(axis=1) < 2
    why = reasons((table.rows == 0, Why.NO_LABELS), (one, Why.ONE_CLASS))
    return measured(value, table.rarest, ends, why=why)


def mcc(table: Table) -> Measured:
    """Correlation of label and prediction: at most 1, 0 for chance (Gorodkin 2004, Comput. Biol. Chem. 28).

    Support: labels of the rarest class. The interval is the delta method's on Fisher's z, with a case a class spread
    over the cells. scikit-learn says 0 where it is undefined.
    """
    value, _ = _mcc(table)
    ends = intervals.around(value, intervals.fisher(*_mcc(table.padded())))
    return measured(value, table.rarest, ends, why=_two_of_each(table))


def cohen_kappa(table: Table) -> Measured:
    """Agreement beyond chance: at most 1, 0 for chance (Cohen 1960, EPM 20). Interval and support as for `mcc`."""
    value, _ = _kappa(table)
    ends = intervals.around(value, intervals.fisher(*_kappa(table.padded())))
    same = (table.present.sum(axis=1) < 2) & (table.rows > 0)
    why = reasons((table.rows == 0, Why.NO_LABELS), (same, Why.ALL_AGREE))
    return measured(value, table.rarest, ends, why=why)


def _average(table: Table, name: str, *, weighted: bool) -> tuple[Floats, Floats]:
    """The mean over classes and its variance."""
    by_labels, by_predictions = {"precision": (0.0, 1.0), "recall": (1.0, 0.0), "f1_score": (0.5, 0.5)}[name]
    whole = by_labels * table.labels + by_predictions * table.predictions
    each = ratio(table.hits, whole)
    counted = table.labels > 0 if weighted else table.present
    weight = ratio(table.labels, table.rows[:, None]) if weighted else ratio(counted, counted.sum(axis=1)[:, None])
    value = np.where(counted, weight * each, 0.0).sum(axis=1)
    slope = np.where(counted, weight * ratio(1.0, whole), 0.0)
    less = -slope * np.where(counted, each, 0.0)
    labels, rows = by_labels * less, np.zeros_like(table.rows)
    if weighted:
        labels = labels + ratio(np.where(counted, each, 0.0), table.rows[:, None])
        rows = -ratio(value, table.rows)
    slopes = Slopes(hits=slope, labels=labels, predictions=by_predictions * less, rows=rows)
    return value, slopes.variance(table)


def _recall_of_labelled(table: Table) -> tuple[Floats, Floats]:
    counted = table.labels > 0
    weight = ratio(counted, counted.sum(axis=1)[:, None])
    each = np.where(counted, ratio(table.hits, table.labels), 0.0)
    slope = np.where(counted, weight * ratio(1.0, table.labels), 0.0)
    none = np.zeros_like(each)
    slopes = Slopes(hits=slope, labels=-slope * each, predictions=none, rows=none[:, 0])
    return (weight * each).sum(axis=1), slopes.variance(table)


def _mcc(table: Table) -> tuple[Floats, Floats]:
    rows, hits = table.rows, table.hits.sum(axis=1)
    predicted = rows**2 - (table.predictions**2).sum(axis=1)
    labelled = rows**2 - (table.labels**2).sum(axis=1)
    root = np.sqrt(predicted) * np.sqrt(labelled)
    value = np.clip(ratio(hits * rows - (table.predictions * table.labels).sum(axis=1), root), -1.0, 1.0)
    more, by_label, by_prediction = ratio(1.0, root), ratio(value, labelled), ratio(value, predicted)
    slopes = Slopes(
        hits=np.broadcast_to((rows * more)[:, None], table.hits.shape),
        labels=table.labels * by_label[:, None] - table.predictions * more[:, None],
        predictions=table.predictions * by_prediction[:, None] - table.labels * more[:, None],
        rows=hits * more - rows * (by_label + by_prediction),
    )
    return value, slopes.variance(table)


def _kappa(table: Table) -> tuple[Floats, Floats]:
    rows, hits = table.rows, table.hits.sum(axis=1)
    chance = (table.predictions * table.labels).sum(axis=1)
    more = ratio(1.0, rows**2 - chance)
    value = (hits * rows - chance) * more
    less = ((value - 1) * more)[:, None]
    slopes = Slopes(
        hits=np.broadcast_to((rows * more)[:, None], table.hits.shape),
        labels=less * table.predictions,
        predictions=less * table.labels,
        rows=(hits - 2 * rows * value) * more,
    )
    return value, slopes.variance(table)


def _two_of_each(table: Table) -> NDArray[np.int8]:
    return reasons(
        (table.rows == 0, Why.NO_LABELS),
        ((table.labels > 0).sum(axis=1) < 2, Why.ONE_CLASS),
        ((table.predictions > 0).sum(axis=1) < 2, Why.ONE_PREDICTION),
    )
