"""Metrics of several classes; averages are `_macro`, each class counting alike, and `_weighted`, each by its labels.

A class with labels or predictions whose own metric is undefined is left out of the average, as by scikit-learn's
`zero_division=np.nan`; low and high then allow for any value of that class, from 0 to 1.
"""

from __future__ import annotations

import numpy as np

from modeltop.core.series import Flags, Floats
from modeltop.predictions.aggregates.classification import MulticlassCounts
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import intervals, ranking
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    proportion,
    ratio,
)
from modeltop.predictions.metrics.binary import BinaryConfusion, f1_score, label_rate, precision, recall
from modeltop.predictions.metrics.calibration import Outcomes, compute_calibration
from modeltop.predictions.metrics.confusion import ConfusionTable, Gradient, cohen_kappa, mcc

SCORE_METRICS = ("avg_confidence", "confidence_gap", "expected_calibration_error", "log_loss", "brier_score")
"""In the order of their columns in the files of the store."""


def compute_multiclass(counts: MulticlassCounts) -> dict[str, MetricValues]:
    """Compute all multi-class metrics by their registered names; those of scores only if any row has one."""
    table = _table(counts)
    total = counts.confusion.sum(axis=(1, 2)).astype(np.float64)
    unlabelled = table.rows == 0, UndefinedReason.NO_LABELS
    metrics = {"accuracy": proportion(table.hits.sum(axis=1), table.rows, unlabelled)}
    metrics |= compute_averages(table)
    metrics |= {"balanced_accuracy": balanced_accuracy(table), "mcc": mcc(table), "cohen_kappa": cohen_kappa(table)}
    metrics["label_coverage"] = proportion(table.rows, total, (total == 0, UndefinedReason.NO_ROWS))
    of_scores = compute_calibration(Outcomes.from_multiclass(counts))
    metrics |= {name: of_scores[name] for name in SCORE_METRICS if name in of_scores}
    if counts.ranked is not None:
        metrics["roc_auc_macro"] = ranking.roc_auc_macro(counts.ranked.sum(axis=3))
    return metrics


def compute_per_class(counts: MulticlassCounts) -> dict[str, dict[str, MetricValues]]:
    """Compute the metrics of each class against all others, by class name, then by registered name."""
    table = _table(counts)
    metrics = {}
    for index, name in enumerate(counts.classes):
        hits, labels, predictions = table.hits[:, index], table.labels[:, index], table.predictions[:, index]
        versus_rest = BinaryConfusion(
            tp=hits, fp=predictions - hits, fn=labels - hits, tn=table.rows - predictions - labels + hits
        )
        metrics[name] = {
            "precision": precision(versus_rest),
            "recall": recall(versus_rest),
            "f1_score": f1_score(versus_rest),
            "label_rate": label_rate(versus_rest),
        }
        if counts.ranked is not None:
            ranked = counts.ranked[:, index, :, :, :BINS].sum(axis=2).astype(np.float64)
            reason = first_reason(((ranked[:, :2].sum(axis=2) == 0).any(axis=1), UndefinedReason.ONE_CLASS))
            rank_counts = ranking.RankCounts.from_bins(ranked[:, 1], ranked[:, 0])
            metrics[name]["roc_auc"] = ranking.roc_auc(rank_counts, reason=reason)
    return metrics


def _table(counts: MulticlassCounts) -> ConfusionTable:
    return ConfusionTable.from_counts(counts.confusion[:, :-1].astype(np.float64))


def compute_averages(table: ConfusionTable) -> dict[str, MetricValues]:
    """Compute averages of precision, recall and F1: 0 to 1. Support: labels of the rarest class, if weighted all rows.

    The intervals are the delta method's on the scale of log-odds, of the smoothed table; wider by the share of classes,
    or labels, that are left out.
    """
    present, labelled, smoothed = table.present_classes, table.labels > 0, table.smoothed()
    cases = {
        "precision": (table.predictions == 0, UndefinedReason.CLASS_UNPREDICTED),
        "recall": (table.labels == 0, UndefinedReason.CLASS_ABSENT),
        "f1_score": (~present, UndefinedReason.NO_ROWS),
    }
    metrics = {}
    for name, (undefined, reason) in cases.items():
        kinds = ("macro", present, table.minority_labels), ("weighted", labelled, table.rows)
        for average, of_interest, support in kinds:
            counted = of_interest & ~undefined
            value, _ = _average(table, name, counted, weighted=average == "weighted")
            interval = _average(smoothed, name, counted, weighted=average == "weighted")
            low, high = intervals.widen_to_contain(value, intervals.logit_interval(*interval))
            weight = table.labels if average == "weighted" else of_interest
            unknown = ratio((weight * undefined).sum(axis=1), (weight * of_interest).sum(axis=1))
            metrics[f"{name}_{average}"] = metric_values(
                value,
                support,
                (low * (1 - unknown), high * (1 - unknown) + unknown),
                reason=first_reason(
                    (table.rows == 0, UndefinedReason.NO_LABELS), (np.logical_not(counted.any(axis=1)), reason)
                ),
            )
    return metrics


def balanced_accuracy(table: ConfusionTable) -> MetricValues:
    """Compute the mean recall of the classes that have labels: 0 to 1. Support: labels of the rarest of them."""
    labelled = table.labels > 0
    value, _ = _average(table, "recall", labelled)
    interval = intervals.logit_interval(*_average(table.smoothed(), "recall", labelled))
    single = labelled.sum(axis=1) < 2
    reason = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (single, UndefinedReason.ONE_CLASS))
    return metric_values(value, table.minority_labels, intervals.widen_to_contain(value, interval), reason=reason)


def _average(table: ConfusionTable, name: str, counted: Flags, *, weighted: bool = False) -> tuple[Floats, Floats]:
    """Return the mean over classes and its variance.

    Args:
        table: Of K cells.
        name: `precision`, `recall` or `f1_score`.
        counted: The classes whose mean it is, [K, C]; each has what its metric is divided by.
        weighted: Whether each counts by its labels; else alike.
    """
    by_labels, by_predictions = {"precision": (0.0, 1.0), "recall": (1.0, 0.0), "f1_score": (0.5, 0.5)}[name]
    total = by_labels * table.labels + by_predictions * table.predictions
    each = np.where(counted, ratio(table.hits, total), 0.0)
    counts = np.where(counted, table.labels, 0.0) if weighted else counted.astype(np.float64)
    sum_of_counts = counts.sum(axis=1)[:, None]
    weight = ratio(counts, sum_of_counts)
    value = np.where(counted, weight * each, 0.0).sum(axis=1)
    by_hits = np.where(counted, weight * ratio(1.0, total), 0.0)
    by_total = -by_hits * each
    labels = by_labels * by_total
    if weighted:
        labels = labels + np.where(counted, ratio(each - value[:, None], sum_of_counts), 0.0)
    predictions = by_predictions * by_total
    gradient = Gradient(hits=by_hits, labels=labels, predictions=predictions, rows=np.zeros_like(table.rows))
    return value, gradient.variance(table)
