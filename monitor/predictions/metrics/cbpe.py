"""Estimates of a model's metrics without labels, from its scores (CBPE: confidence-based performance estimation).

In the reference, where labels are known, each bin of the score has a proportion of positives. In a later period the
rows of a bin are taken to be positive with that probability, which gives an expected confusion, and all else from it.

That holds while only the inputs move (covariate shift): more of the hard cases, the same meaning of a score. It does
not hold when the world behind the scores changes (concept drift): then the estimate stays calm while the realised
metric falls, and only labels can tell. It also needs a reference that has met the scores of today: bins that it never
saw take the probability of their neighbours.

The 95 % interval is where the realised value is expected, given that all this holds: it covers the randomness of the
labels, not the uncertainty of the calibration itself, which is small for references of 10,000 rows and more. A realised
value outside of it is a sign that the meaning of the scores has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.score_bins import BINS, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import BinaryCounts


def calibrate(reference: BinaryCounts) -> Floats:
    """Return the probability of label 1 by bin of the score, [K, 256], never falling; NaN without labelled scores.

    Isotonic regression of the bins' rates, weighted by their rows (pool-adjacent-violators: Ayer et al. 1955). A bin
    that the reference never saw lies on the line between its neighbours.
    """
    rows = reference.count[:, :2, :, :BINS].sum(axis=2).astype(np.float64)
    return np.stack([_isotonic(cell[1], cell.sum(axis=0)) for cell in rows]) if len(rows) else np.empty((0, BINS))


def compute_cbpe(counts: BinaryCounts, label_probability: Floats) -> dict[str, MetricValues]:
    """Compute the estimated metrics of K cells. Support of each: rows with a score, labelled or not.

    Args:
        counts: Of K cells; their labels are not used.
        label_probability: From `calibrate`: [256] for all of the cells, or [K, 256], a row for each.
    """
    rows = counts.count[..., :BINS].sum(axis=1).astype(np.float64)
    probability = np.broadcast_to(label_probability, (len(counts), BINS))
    expected = _Expected.from_rows(rows[:, 0], rows[:, 1], probability)
    reason = first_reason(
        (expected.rows == 0, UndefinedReason.UNSCORED), (np.isnan(probability[:, 0]), UndefinedReason.NO_REFERENCE)
    )
    return {
        "estimated_accuracy": _accuracy(expected, reason),
        "estimated_precision": _precision(expected, reason),
        "estimated_recall": _recall(expected, reason),
        "estimated_f1_score": _f1_score(expected, reason),
        "estimated_roc_auc": _roc_auc(expected, reason),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Expected:
    """Expected labels of K cells; a variance is that of the labels of the rows, given their scores."""

    by_bin: Floats
    """Rows, [K, 256]."""
    probability: Floats
    """Of label 1, [K, 256]."""
    rows: Floats
    predicted: Floats
    """Rows predicted positive, [K]."""
    tp: Floats
    fn: Floats
    variance_predicted: Floats
    """Of the positives among the rows predicted positive, [K]."""
    variance_refused: Floats
    """Of the positives among the rows predicted negative, [K]."""

    @classmethod
    def from_rows(cls, refused: Floats, predicted: Floats, probability: Floats) -> _Expected:
        """Return the sums over the bins of rows predicted negative, and positive, [K, 256] each."""
        variance = probability * (1 - probability)
        return cls(
            by_bin=predicted + refused,
            probability=probability,
            rows=predicted.sum(axis=1) + refused.sum(axis=1),
            predicted=predicted.sum(axis=1),
            tp=np.einsum("kb,kb->k", predicted, probability),
            fn=np.einsum("kb,kb->k", refused, probability),
            variance_predicted=np.einsum("kb,kb->k", predicted, variance),
            variance_refused=np.einsum("kb,kb->k", refused, variance),
        )


def _accuracy(expected: _Expected, reason: NDArray[np.int8]) -> MetricValues:
    correct = expected.tp + expected.rows - expected.predicted - expected.fn
    variance = ratio(expected.variance_predicted + expected.variance_refused, expected.rows**2)
    return _with_interval(ratio(correct, expected.rows), variance, expected, reason)


def _precision(expected: _Expected, reason: NDArray[np.int8]) -> MetricValues:
    reason = _unless_empty(reason, expected.predicted, UndefinedReason.NONE_PREDICTED)
    variance = ratio(expected.variance_predicted, expected.predicted**2)
    return _with_interval(ratio(expected.tp, expected.predicted), variance, expected, reason)


def _recall(expected: _Expected, reason: NDArray[np.int8]) -> MetricValues:
    """Return expected true positives over expected positives; each label moves both."""
    positives = expected.tp + expected.fn
    value = ratio(expected.tp, positives)
    spread = (1 - value) ** 2 * expected.variance_predicted + value**2 * expected.variance_refused
    reason = _unless_empty(reason, positives, UndefinedReason.NO_POSITIVES)
    return _with_interval(value, ratio(spread, positives**2), expected, reason)


def _f1_score(expected: _Expected, reason: NDArray[np.int8]) -> MetricValues:
    total = expected.predicted + expected.tp + expected.fn
    value = ratio(2 * expected.tp, total)
    spread = (2 - value) ** 2 * expected.variance_predicted + value**2 * expected.variance_refused
    reason = _unless_empty(reason, total, UndefinedReason.NO_ERROR_OR_HIT)
    return _with_interval(value, ratio(spread, total**2), expected, reason)


def _roc_auc(expected: _Expected, reason: NDArray[np.int8]) -> MetricValues:
    """Return the area under the curve of expected positives and negatives by bin; half the tied mass as its bound.

    Turning one label moves it by the distance of its placement from that of the class it leaves and joins.
    """
    ones, zeros = expected.by_bin * expected.probability, expected.by_bin * (1 - expected.probability)
    positives, negatives = ones.sum(axis=1), zeros.sum(axis=1)
    below = ratio(np.cumsum(zeros, axis=1) - zeros / 2, negatives[:, None])
    above = ratio(positives[:, None] - np.cumsum(ones, axis=1) + ones / 2, positives[:, None])
    value = ratio(np.einsum("kb,kb->k", ones, below), positives)
    bound = ratio(np.einsum("kb,kb->k", ones, zeros), 2 * positives * negatives)
    shift = ratio(below - value[:, None], positives[:, None]) - ratio(above - value[:, None], negatives[:, None])
    variance = np.einsum("kb,kb,kb->k", ones * (1 - expected.probability), shift, shift)
    reason = _unless_empty(reason, np.minimum(positives, negatives), UndefinedReason.ONE_CLASS)
    return _with_interval(value, variance, expected, reason, bound)


def _unless_empty(reason: NDArray[np.int8], total: Floats, empty: UndefinedReason) -> NDArray[np.int8]:
    """Return the reasons with `empty` where there is none yet and the total is 0."""
    return np.where((reason == UndefinedReason.DEFINED) & ~(total > 0), empty, reason).astype(np.int8)


def _with_interval(
    value: Floats, variance: Floats, expected: _Expected, reason: NDArray[np.int8], bound: Floats | None = None
) -> MetricValues:
    interval = intervals.widen_to_contain(value, intervals.logit_interval(value, variance))
    if bound is not None:
        interval = intervals.widen_by_bound(interval, bound)
    return metric_values(value, expected.rows, interval, reason=reason, bound=bound)


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
    probability: Floats = np.interp(middle, middle[seen], rates)
    return probability
