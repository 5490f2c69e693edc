"""Everything that a binary tally says without a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.metrics import calibration, intervals, ranking
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio
from modeltop.predictions.metrics.calibration import Scores, decision_counts

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

if TYPE_CHECKING:
    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import BinaryCounts


HALDANE_CORRECTION = 0.5
"""Added to each cell of a confusion for the spread of MCC and kappa (Haldane 1956, Anscombe 1956)."""


@dataclass(frozen=True, slots=True, eq=False)
class BinaryConfusion:
    """Rows by label and prediction, [K] each; fractions where it is an expected one."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @classmethod
    def from_decisions(cls, decided: Floats) -> BinaryConfusion:
        """From rows by label (0, 1, any other) and prediction, [K, 2 or 3, 2]."""
        return cls(tp=decided[:, 1, 1], fp=decided[:, 0, 1], fn=decided[:, 1, 0], tn=decided[:, 0, 0])

    @property
    def rows(self) -> Floats:
        """All of them."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def positives(self) -> Floats:
        """Rows whose label is 1."""
        return self.tp + self.fn

    @property
    def negatives(self) -> Floats:
        """Rows whose label is 0."""
        return self.fp + self.tn

    @property
    def minority_rows(self) -> Floats:
        """Rows of the rarer class: what a metric of both classes rests on."""
        return np.minimum(self.positives, self.negatives)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one error costs, in any unit of money or pain; at least 0."""

    fp: float = 0.0
    fn: float = 0.0


def compute_confusion(table: BinaryConfusion) -> dict[str, MetricValues]:
    """All metrics of a confusion, in the order of the registry."""
    return {
        "accuracy": accuracy(table),
        "balanced_accuracy": balanced_accuracy(table),
        "precision": precision(table),
        "recall": recall(table),
        "f1_score": f1_score(table),
        "specificity": specificity(table),
        "mcc": mcc(table),
        "cohen_kappa": cohen_kappa(table),
        "label_rate": label_rate(table),
    }


def wilson_proportion(part: Floats, whole: Floats, why: UndefinedReason) -> MetricValues:
    """`part / whole` with Wilson's interval; undefined, because of `why`, where the whole is 0."""
    value = ratio(part, whole)
    return metric_values(value, whole, intervals.wilson_interval(value, whole), reason=first_reason((whole == 0, why)))


def accuracy(table: BinaryConfusion) -> MetricValues:
    """(TP + TN) / labelled rows: 0 to 1. Support: labelled rows."""
    return wilson_proportion(table.tp + table.tn, table.rows, UndefinedReason.NO_LABELS)


def precision(table: BinaryConfusion) -> MetricValues:
    """TP / (TP + FP): 0 to 1. Support: predicted positives; undefined without any, where scikit-learn says 0."""
    return _share_of_class(table, table.tp, table.tp + table.fp, UndefinedReason.NONE_PREDICTED)


def recall(table: BinaryConfusion) -> MetricValues:
    """TP / (TP + FN): 0 to 1. Support: positive labels."""
    return _share_of_class(table, table.tp, table.positives, UndefinedReason.NO_POSITIVES)


def specificity(table: BinaryConfusion) -> MetricValues:
    """TN / (TN + FP): 0 to 1. Support: negative labels."""
    return _share_of_class(table, table.tn, table.negatives, UndefinedReason.NO_NEGATIVES)


def label_rate(table: BinaryConfusion) -> MetricValues:
    """Positive labels / labelled rows, the base rate: 0 to 1. Support: labelled rows."""
    return wilson_proportion(table.positives, table.rows, UndefinedReason.NO_LABELS)


def f1_score(table: BinaryConfusion) -> MetricValues:
    """2 TP / (2 TP + FP + FN): 0 to 1. Support: TP + FP + FN.

    The interval is that of the share J = TP / (TP + FP + FN), by Wilson, carried over by F1 = 2 J / (1 + J); unlike the
    delta method's it holds with a handful of positives.
    """
    either = table.tp + table.fp + table.fn
    low, high = intervals.wilson_interval(ratio(table.tp, either), either)
    why = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (either == 0, UndefinedReason.NO_ERROR_OR_HIT))
    return metric_values(
        ratio(2 * table.tp, table.tp + either), either, (2 * low / (1 + low), 2 * high / (1 + high)), reason=why
    )


def balanced_accuracy(table: BinaryConfusion) -> MetricValues:
    """(recall + specificity) / 2: 0 to 1, 0.5 for chance. Support: labels of the rarer class.

    The interval adds Wilson's of the two (MOVER: Zou & Donner 2008).
    """
    parts = np.stack([ratio(table.tp, table.positives), ratio(table.tn, table.negatives)])
    ends = intervals.wilson_interval(parts, np.stack([table.positives, table.negatives]))
    return metric_values(
        parts.mean(axis=0),
        table.minority_rows,
        intervals.mover_interval(parts, ends, HALDANE_CORRECTION),
        reason=first_reason(*_labels(table)),
    )


def mcc(table: BinaryConfusion) -> MetricValues:
    """Matthews' correlation of label and prediction: -1 to 1, 0 for chance (Matthews 1975, BBA 405).

    (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)). Support: labels of the rarer class. The interval is the delta
    method's on Fisher's z, with half a case added to each cell. scikit-learn says 0 where it is undefined.
    """
    value, _ = _mcc(table)
    centre, variance = _mcc(_padded(table))
    ends = intervals.widen_to_contain(value, intervals.fisher_interval(centre, variance))
    one = (table.tp + table.fp == 0) | (table.tn + table.fn == 0)
    return metric_values(
        value, table.minority_rows, ends, reason=first_reason(*_labels(table), (one, UndefinedReason.ONE_PREDICTION))
    )


def cohen_kappa(table: BinaryConfusion) -> MetricValues:
    """Agreement beyond chance: -1 to 1, 0 for chance (Cohen 1960, EPM 20).

    2 (TP TN - FP FN) / ((TP+FP)(FP+TN) + (TP+FN)(FN+TN)). Support: labels of the rarer class. Undefined where labels
    and predictions are all of one and the same class. The interval is made as that of `mcc`.
    """
    value, _ = _kappa(table)
    centre, variance = _kappa(_padded(table))
    ends = intervals.widen_to_contain(value, intervals.fisher_interval(centre, variance))
    same = (table.tp == table.rows) | (table.tn == table.rows)
    why = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (same, UndefinedReason.ALL_AGREE))
    return metric_values(value, table.minority_rows, ends, reason=why)


def cost_per_1000_rows(table: BinaryConfusion, cost: Cost) -> MetricValues:
    """1,000 (FP · cost of one + FN · cost of one) / labelled rows, in the unit of the costs. Support: labelled rows.

    The interval adds Wilson's of the two shares (MOVER).
    """
    parts = ratio(np.stack([table.fp, table.fn]), table.rows)
    weight = 1000.0 * np.array([[cost.fp], [cost.fn]])
    ends = intervals.mover_interval(
        parts, intervals.wilson_interval(parts, np.broadcast_to(table.rows, parts.shape)), weight
    )
    value = (weight * parts).sum(axis=0)
    return metric_values(value, table.rows, ends, reason=first_reason((table.rows == 0, UndefinedReason.NO_LABELS)))


def _share_of_class(table: BinaryConfusion, part: Floats, whole: Floats, why: UndefinedReason) -> MetricValues:
    value = ratio(part, whole)
    missing = first_reason((table.rows == 0, UndefinedReason.NO_LABELS), (whole == 0, why))
    return metric_values(value, whole, intervals.wilson_interval(value, whole), reason=missing)


def _labels(table: BinaryConfusion) -> tuple[tuple[Flags, UndefinedReason], tuple[Flags, UndefinedReason]]:
    return (table.rows == 0, UndefinedReason.NO_LABELS), (table.minority_rows == 0, UndefinedReason.ONE_CLASS)


def _padded(table: BinaryConfusion) -> BinaryConfusion:
    return BinaryConfusion(
        tp=table.tp + HALDANE_CORRECTION,
        fp=table.fp + HALDANE_CORRECTION,
        fn=table.fn + HALDANE_CORRECTION,
        tn=table.tn + HALDANE_CORRECTION,
    )


def _mcc(table: BinaryConfusion) -> tuple[Floats, Floats]:
    """The coefficient and its variance: the sum over cells of count times squared derivative."""
    tp, fp, fn, tn = table.tp, table.fp, table.fn, table.tn
    # Roots first: the product of four counts would leave the range in which floats count exactly.
    product = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    # Rounded roots may leave one ulp beyond a perfect -1 or 1.
    value = np.clip(ratio(tp * tn - fp * fn, product), -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        yes, positive, no, negative = (value / 2 / whole for whole in (tp + fp, tp + fn, tn + fn, tn + fp))
        variance = (
            tp * (tn / product - yes - positive) ** 2
            + fp * (fn / product + yes + negative) ** 2
            + fn * (fp / product + no + positive) ** 2
            + tn * (tp / product - no - negative) ** 2
        )
    return value, variance


def _kappa(table: BinaryConfusion) -> tuple[Floats, Floats]:
    """The coefficient and its variance: the sum over cells of count times squared derivative."""
    tp, fp, fn, tn = table.tp, table.fp, table.fn, table.tn
    chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    value = ratio(2 * (tp * tn - fp * fn), chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (
            tp * (2 * tn - value * (fp + fn + 2 * tn)) ** 2
            + fp * (2 * fn + value * (tp + 2 * fp + tn)) ** 2
            + fn * (2 * fp + value * (tp + 2 * fn + tn)) ** 2
            + tn * (2 * tp - value * (fp + fn + 2 * tp)) ** 2
        ) / (chance * chance)
    return value, variance


def compute_binary(tally: BinaryCounts, *, cost: Cost | None = None) -> dict[str, MetricValues]:
    """All binary metrics by their registered names; those of scores only if any row of the tally has one.

    Args:
        tally: K cells.
        cost: What errors cost; without it there is no `cost_per_1000_rows`.
    """
    decided = decision_counts(tally)
    table = BinaryConfusion.from_decisions(decided)
    found = compute_confusion(table)
    found |= row_rates(decided)
    if cost is not None:
        found["cost_per_1000_rows"] = cost_per_1000_rows(table, cost)
    scores = Scores.from_aggregate(tally, decided)
    if scores.rows.any():
        found |= calibration.compute_calibration(scores) | ranking.compute_ranking(scores)
    return found


def row_rates(decided: Floats) -> dict[str, MetricValues]:
    """Shares of all rows, labelled or not: predicted positive, and labelled. Support: rows."""
    rows = decided.sum(axis=(1, 2))
    return {
        "positive_rate": wilson_proportion(decided[:, :, 1].sum(axis=1), rows, UndefinedReason.NO_ROWS),
        "label_coverage": wilson_proportion(decided[:, :2].sum(axis=(1, 2)), rows, UndefinedReason.NO_ROWS),
    }
