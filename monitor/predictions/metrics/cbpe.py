"""Estimates of a model's metrics without labels, from its scores (CBPE: confidence-based performance estimation).

The rows of a bin are assumed to be positive at the rate of that bin in the reference. That holds while only
the inputs move (covariate shift), not when the meaning of a score changes (concept drift). The 95 % interval is where
the realized value is then expected: it covers the randomness of the labels, not that of the calibration itself. Several
classes are each one against all others: each has a calibration of its own, and averages are means over the classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.classification import UNLABELLED, BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.score_bins import BINS, SLOTS, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import (
    Intervals,
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    ratio,
)


def calibrate(reference: BinaryCounts | MulticlassCounts) -> Floats:
    """Return the probability of label 1 by bin of the score, never falling; NaN without labeled scores.

    Isotonic regression of the bins' rates, weighted by their rows (pool-adjacent-violators: Ayer et al. 1955). A bin
    that the reference never saw lies on the line between its neighbours.

    Returns:
        [K, 256]; of several classes [K, C, 256], for each class as label.
    """
    count = _decisions(reference)
    rows = count[..., :UNLABELLED, :, :BINS].sum(axis=-2).astype(np.float64)
    curves = [_isotonic(cell[1], cell.sum(axis=0)) for cell in rows.reshape(-1, UNLABELLED, BINS)]
    return np.array(curves, dtype=np.float64).reshape(*count.shape[:-3], BINS)


def compute_cbpe(counts: BinaryCounts | MulticlassCounts, label_probability: Floats) -> dict[str, MetricValues]:
    """Compute the estimated metrics of K cells from `calibrate`'s result, of one cell or of K.

    Support: rows with a score. Of several classes: the accuracy, and macro averages.
    """
    if isinstance(counts, BinaryCounts):
        return _compute_estimates(counts.count, label_probability)
    classes = compute_cbpe_per_class(counts, label_probability).values()
    count = _decisions(counts)[..., 1, :BINS].sum(axis=2).astype(np.float64)
    expected = count * label_probability
    rows, hits = count.sum(axis=(1, 2)), expected.sum(axis=(1, 2))
    accuracy, variance = ratio(hits, rows), (expected * (1 - label_probability)).sum(axis=(1, 2))
    reason = first_reason((rows == 0, UndefinedReason.UNSCORED), (np.isnan(hits), UndefinedReason.NO_REFERENCE))
    interval = _interval(accuracy, ratio(variance, rows**2))
    metrics = {"estimated_accuracy": metric_values(accuracy, rows, interval, reason=reason)}
    for name in ("estimated_precision", "estimated_recall", "estimated_f1_score", "estimated_roc_auc"):
        metrics[f"{name}_macro"] = _mean([estimates[name] for estimates in classes], rows)
    return metrics


def compute_cbpe_per_class(counts: MulticlassCounts, label_probability: Floats) -> dict[str, dict[str, MetricValues]]:
    """Compute the estimates of each class against all others, by class name, then by registered name."""
    count = _decisions(counts)
    return {
        name: _compute_estimates(count[:, index], label_probability[..., index, :])
        for index, name in enumerate(counts.classes)
    }


def _decisions(counts: BinaryCounts | MulticlassCounts) -> NDArray[np.int64]:
    """Return rows by label, prediction and bin of the score, [K, 3, 2, 257], of several classes [K, C, 3, 2, 257]."""
    if isinstance(counts, BinaryCounts):
        return counts.count
    return np.empty((len(counts), 0, 3, 2, SLOTS), np.int64) if counts.ranked is None else counts.ranked


def _mean(classes: Sequence[MetricValues], rows: Floats) -> MetricValues:
    """Return the mean over the classes that have a value; low and high allow for any value of the others.

    The interval is the classes' on average: their errors are assumed to be correlated.
    """
    values, lows, highs = (np.stack([getattr(each, name) for each in classes]) for name in ("value", "low", "high"))
    defined = ~np.isnan(values)
    value = ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))
    interval = np.where(defined, lows, 0.0).mean(axis=0), np.where(defined, highs, 1.0).mean(axis=0)
    reasons = np.stack([each.undefined_reason for each in classes]).max(axis=0)
    reason = np.where(defined.any(axis=0), UndefinedReason.DEFINED, reasons).astype(np.int8)
    return metric_values(value, rows, interval, reason=reason)


def _compute_estimates(count: NDArray[np.int64], label_probability: Floats) -> dict[str, MetricValues]:
    """Compute the estimates of two classes from [K, 3, 2, 257], and [256] or [K, 256]."""
    refused, predicted = np.moveaxis(count[..., :BINS].sum(axis=1).astype(np.float64), 1, 0)
    probability = np.broadcast_to(label_probability, (len(count), BINS))
    tp, fn = np.einsum("kb,kb->k", predicted, probability), np.einsum("kb,kb->k", refused, probability)
    # Variance of the labels given the scores, of the rows predicted positive and of the others.
    label_variance = probability * (1 - probability)
    variance_tp = np.einsum("kb,kb->k", predicted, label_variance)
    variance_fn = np.einsum("kb,kb->k", refused, label_variance)
    predictions, positives = predicted.sum(axis=1), tp + fn
    rows = predictions + refused.sum(axis=1)
    reason = first_reason(
        (rows == 0, UndefinedReason.UNSCORED), (np.isnan(probability[:, 0]), UndefinedReason.NO_REFERENCE)
    )

    def estimate(value: Floats, variance: Floats, total: Floats, empty: UndefinedReason) -> MetricValues:
        undefined = _unless_empty(reason, total, empty)
        return metric_values(value, rows, _interval(value, ratio(variance, total**2)), reason=undefined)

    precision, recall, f1_score = ratio(tp, predictions), ratio(tp, positives), ratio(2 * tp, predictions + positives)
    # Each label moves numerator and denominator of recall and F1.
    recall_variance = (1 - recall) ** 2 * variance_tp + recall**2 * variance_fn
    f1_variance = (2 - f1_score) ** 2 * variance_tp + f1_score**2 * variance_fn
    accuracy = ratio(tp + rows - predictions - fn, rows)
    return {
        "estimated_accuracy": estimate(accuracy, variance_tp + variance_fn, rows, UndefinedReason.UNSCORED),
        "estimated_precision": estimate(precision, variance_tp, predictions, UndefinedReason.NONE_PREDICTED),
        "estimated_recall": estimate(recall, recall_variance, positives, UndefinedReason.NO_POSITIVES),
        "estimated_f1_score": estimate(f1_score, f1_variance, predictions + positives, UndefinedReason.NO_ERROR_OR_HIT),
        "estimated_roc_auc": _roc_auc(predicted + refused, probability, reason),
    }


def _roc_auc(rows: Floats, probability: Floats, reason: NDArray[np.int8]) -> MetricValues:
    """Return the area under the curve of expected positives and negatives by bin; half the tied mass as its bound.

    Turning one label moves it by the distance of its placement from that of the class it leaves and joins.
    """
    ones, zeros = rows * probability, rows * (1 - probability)
    positives, negatives = ones.sum(axis=1), zeros.sum(axis=1)
    below = ratio(np.cumsum(zeros, axis=1) - zeros / 2, negatives[:, None])
    above = ratio(positives[:, None] - np.cumsum(ones, axis=1) + ones / 2, positives[:, None])
    value = ratio(np.einsum("kb,kb->k", ones, below), positives)
    bound = ratio(np.einsum("kb,kb->k", ones, zeros), 2 * positives * negatives)
    shift = ratio(below - value[:, None], positives[:, None]) - ratio(above - value[:, None], negatives[:, None])
    variance = np.einsum("kb,kb,kb->k", ones * (1 - probability), shift, shift)
    interval = _interval(value, variance)
    reason = _unless_empty(reason, np.minimum(positives, negatives), UndefinedReason.ONE_CLASS)
    return metric_values(value, rows.sum(axis=1), interval, reason=reason, bound=bound)


def _unless_empty(reason: NDArray[np.int8], total: Floats, empty: UndefinedReason) -> NDArray[np.int8]:
    """Return the reasons, with `empty` for values that have none yet and a total of 0."""
    return np.where((reason == UndefinedReason.DEFINED) & ~(total > 0), empty, reason).astype(np.int8)


def _interval(value: Floats, variance: Floats) -> Intervals:
    return intervals.widen_to_contain(value, intervals.logit_interval(value, variance))


def _isotonic(positives: Floats, rows: Floats) -> Floats:
    """Return the probability by bin, [256], of one reference."""
    seen = np.flatnonzero(rows)
    if not len(seen):
        return np.full(BINS, np.nan)
    blocks: list[tuple[float, float, int]] = []
    for positive, count in zip(positives[seen], rows[seen], strict=True):
        block = (float(positive), float(count), 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    rates = np.repeat([hits / total for hits, total, _ in blocks], [bins for _, _, bins in blocks])
    middle = (bin_edges()[1:] + bin_edges()[:-1]) / 2
    return np.asarray(np.interp(middle, middle[seen], rates))
