"""Metrics of two classes: proportions with Wilson's interval, coefficients, and those of the scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from modeltop.core.series import Floats
from modeltop.core.stats.intervals import wilson_intervals
from modeltop.predictions.aggregates.classification import BinaryCounts
from modeltop.predictions.metrics import calibration, confusion, intervals, ranking
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    proportion,
    ratio,
)
from modeltop.predictions.metrics.calibration import Outcomes, Scores, decision_counts


@dataclass(frozen=True, slots=True, eq=False)
class BinaryConfusion:
    """Labeled rows of K cells by label and prediction, [K] each; fractions if they are expected counts."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @property
    def rows(self) -> Floats:
        """Number of labeled rows, [K]."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def positives(self) -> Floats:
        """Number of rows with label 1, [K]."""
        return self.tp + self.fn

    @property
    def negatives(self) -> Floats:
        """Number of rows with label 0, [K]."""
        return self.fp + self.tn

    @property
    def minority_rows(self) -> Floats:
        """Rows of the rarer class: the support of a metric of both classes."""
        return np.minimum(self.positives, self.negatives)


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one false positive and of one false negative, in any unit; 0 or more."""

    fp: float = 0.0
    fn: float = 0.0


def compute_binary(
    counts: BinaryCounts, *, cost: Cost | None = None, areas: Floats | None = None
) -> dict[str, MetricValues]:
    """Compute all binary metrics by registered name: those of scores if any row has one, costs if given.

    `areas` are exact areas under curves where they are known: see `ranking.compute_ranking`.
    """
    decisions = decision_counts(counts)
    table = BinaryConfusion(decisions[:, 1, 1], decisions[:, 0, 1], decisions[:, 1, 0], decisions[:, 0, 0])
    metrics = compute_confusion(table) | row_rates(decisions)
    if cost is not None:
        metrics["cost_per_1000_rows"] = cost_per_1000_rows(table, cost)
    scores = Scores.from_counts(counts, decisions)
    if scores.rows.any():
        metrics |= calibration.compute_calibration(Outcomes.from_scores(scores)) | ranking.compute_ranking(
            scores, areas
        )
    return metrics


def compute_confusion(table: BinaryConfusion) -> dict[str, MetricValues]:
    """Compute all metrics of a confusion, in the order of the registry."""
    rows = [np.stack([table.tn, table.fp], axis=1), np.stack([table.fn, table.tp], axis=1)]
    coefficients = confusion.ConfusionTable.from_counts(np.stack(rows, axis=1))
    return {
        "accuracy": _labelled_proportion(table, table.tp + table.tn, table.rows, UndefinedReason.NO_LABELS),
        "balanced_accuracy": balanced_accuracy(table),
        "precision": precision(table),
        "recall": recall(table),
        "f1_score": f1_score(table),
        "specificity": _labelled_proportion(table, table.tn, table.negatives, UndefinedReason.NO_NEGATIVES),
        "mcc": confusion.mcc(coefficients),
        # Defined with labels of one class, too; then there is none of the rarer one to rest on.
        "cohen_kappa": replace(confusion.cohen_kappa(coefficients), support=table.minority_rows),
        "label_rate": label_rate(table),
    }


def row_rates(decisions: Floats) -> dict[str, MetricValues]:
    """Compute the proportions of all rows that are predicted positive, and labeled; [K, 3, 2] as `decision_counts`."""
    rows = decisions.sum(axis=(1, 2))
    empty = rows == 0, UndefinedReason.NO_ROWS
    return {
        "positive_rate": proportion(decisions[:, :, 1].sum(axis=1), rows, empty),
        "label_coverage": proportion(decisions[:, :2].sum(axis=(1, 2)), rows, empty),
    }


def precision(table: BinaryConfusion) -> MetricValues:
    """Compute TP / (TP + FP): 0 to 1. Support: predicted positives; without any undefined, in scikit-learn 0."""
    return _labelled_proportion(table, table.tp, table.tp + table.fp, UndefinedReason.NONE_PREDICTED)


def recall(table: BinaryConfusion) -> MetricValues:
    """Compute TP / (TP + FN): 0 to 1. Support: positive labels."""
    return _labelled_proportion(table, table.tp, table.positives, UndefinedReason.NO_POSITIVES)


def label_rate(table: BinaryConfusion) -> MetricValues:
    """Compute positive labels / labeled rows, the base rate: 0 to 1. Support: labeled rows."""
    return _labelled_proportion(table, table.positives, table.rows, UndefinedReason.NO_LABELS)


def f1_score(table: BinaryConfusion) -> MetricValues:
    """Compute 2 TP / (2 TP + FP + FN): 0 to 1. Support: TP + FP + FN.

    The interval is Wilson's of J = TP / (TP + FP + FN), carried over by F1 = 2 J / (1 + J): fit for few positives.
    """
    either = table.tp + table.fp + table.fn
    low, high = wilson_intervals(ratio(table.tp, either), either)
    reason = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (either == 0, UndefinedReason.NO_ERROR_OR_HIT))
    return metric_values(
        ratio(2 * table.tp, table.tp + either), either, (2 * low / (1 + low), 2 * high / (1 + high)), reason=reason
    )


def balanced_accuracy(table: BinaryConfusion) -> MetricValues:
    """Compute (recall + specificity) / 2: 0 to 1, 0.5 for guessing. Support: labels of the rarer class.

    The interval adds Wilson's of the two (MOVER: Zou & Donner 2008).
    """
    recalls = np.stack([ratio(table.tp, table.positives), ratio(table.tn, table.negatives)])
    wilson = wilson_intervals(recalls, np.stack([table.positives, table.negatives]))
    reason = first_reason(
        (table.rows == 0, UndefinedReason.NO_LABELS), (table.minority_rows == 0, UndefinedReason.ONE_CLASS)
    )
    interval = intervals.mover_interval(recalls, wilson, 0.5)
    return metric_values(recalls.mean(axis=0), table.minority_rows, interval, reason=reason)


def cost_per_1000_rows(table: BinaryConfusion, cost: Cost) -> MetricValues:
    """Compute the cost of errors per 1,000 labeled rows, their support; the interval adds Wilson's of both (MOVER)."""
    errors = ratio(np.stack([table.fp, table.fn]), table.rows)
    weight = 1000.0 * np.array([[cost.fp], [cost.fn]])
    wilson = wilson_intervals(errors, np.broadcast_to(table.rows, errors.shape))
    interval = intervals.mover_interval(errors, wilson, weight)
    reason = first_reason((table.rows == 0, UndefinedReason.NO_LABELS))
    return metric_values((weight * errors).sum(axis=0), table.rows, interval, reason=reason)


def _labelled_proportion(table: BinaryConfusion, count: Floats, total: Floats, empty: UndefinedReason) -> MetricValues:
    """Return a proportion of labeled rows; `empty` is the reason if none of the rows is of this kind."""
    return proportion(count, total, (table.rows == 0, UndefinedReason.NO_LABELS), (total == 0, empty))
