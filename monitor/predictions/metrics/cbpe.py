"""Estimates of a model's metrics without labels, from its scores (CBPE: confidence-based performance estimation).

The rows of a bin are assumed to be positive at the rate of that bin in the reference. That holds while only
the inputs move (covariate shift), not when the meaning of a score changes (concept drift). The 95 % interval is where
the realized value is then expected: it covers the randomness of the labels, not that of the calibration itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.classification import BinaryCounts
from modeltop.predictions.aggregates.score_bins import BINS, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import (
    Intervals,
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    ratio,
)


def calibrate(reference: BinaryCounts) -> Floats:
    """Return the probability of label 1 by bin of the score, [K, 256], never falling; NaN without labeled scores.

    Isotonic regression of the bins' rates, weighted by their rows (pool-adjacent-violators: Ayer et al. 1955). A bin
    that the reference never saw lies on the line between its neighbours.
    """
    rows = reference.count[:, :2, :, :BINS].sum(axis=2).astype(np.float64)
    return np.stack([_isotonic(cell[1], cell.sum(axis=0)) for cell in rows]) if len(rows) else np.empty((0, BINS))


def compute_cbpe(counts: BinaryCounts, label_probability: Floats) -> dict[str, MetricValues]:
    """Compute the estimated metrics of K cells from `calibrate`'s [256] or [K, 256]; support: rows with a score."""
    refused, predicted = np.moveaxis(counts.count[..., :BINS].sum(axis=1).astype(np.float64), 1, 0)
    probability = np.broadcast_to(label_probability, (len(counts), BINS))
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
