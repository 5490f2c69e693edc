"""What a model's metrics would be, estimated without labels from its scores (CBPE: confidence-based, by calibration).

In the reference, where labels are known, each bin of the score has a share of positives. In a later period the rows of
a bin are taken to be positive with that same chance, which gives an expected confusion, and all else from it.

That holds while only the inputs move (covariate shift): more of the hard cases, the same meaning of a score. It does
not hold when the world behind the scores changes (concept drift): then the estimate stays calm while the realised
metric falls, and only labels can tell. It also needs a reference that has met the scores of today: bins that it never
saw take the chance of their neighbours.

The 95 % interval is where the realised value is expected, given that all this holds: it has the chance of the labels in
it, not the uncertainty of the calibration itself, which is small for references of 10,000 rows and more. A realised
value outside of it is a sign that the meaning of the scores has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.score_bins import BINS, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    clip_interval,
    first_reason,
    metric_values,
    ratio,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import BinaryCounts


def calibrate(reference: BinaryCounts) -> Floats:
    """The chance of label 1 by bin of the score, [K, 256], never falling with the score; NaN without labelled scores.

    Isotonic regression of the bins' shares, weighted by their rows (pool-adjacent-violators: Ayer et al. 1955). A bin
    that the reference never saw lies on the line between its neighbours.
    """
    by = reference.count[:, :2, :, :BINS].sum(axis=2).astype(np.float64)
    return np.stack([_isotonic(cell[1], cell.sum(axis=0)) for cell in by]) if len(by) else np.empty((0, BINS))


def compute_cbpe(tally: BinaryCounts, chance: Floats) -> dict[str, MetricValues]:
    """The estimated metrics of K cells. Support of each: rows with a score, labelled or not.

    Args:
        tally: The cells; their labels are not looked at.
        chance: From `calibrate`: [256] for all of the cells, or [K, 256], a row for each.
    """
    count = tally.count[..., :BINS].sum(axis=1).astype(np.float64)
    chances = np.broadcast_to(chance, (len(tally), BINS))
    expected = _Expected(count[:, 0], count[:, 1], chances)
    gone = first_reason(
        (expected.rows == 0, UndefinedReason.UNSCORED), (np.isnan(chances[:, 0]), UndefinedReason.NO_REFERENCE)
    )
    return {
        "estimated_accuracy": _accuracy(expected, gone),
        "estimated_precision": _precision(expected, gone),
        "estimated_recall": _recall(expected, gone),
        "estimated_f1_score": _f1(expected, gone),
        "estimated_roc_auc": _auc(expected, gone),
    }


class _Expected:
    """Sums over bins of the expected labels; `noise` is the variance of the labels of the rows given their scores."""

    def __init__(self, refused: Floats, accepted: Floats, chance: Floats) -> None:
        self.refused, self.accepted, self.chance = refused, accepted, chance
        self.yes = accepted.sum(axis=1)
        self.rows = self.yes + refused.sum(axis=1)
        self.tp = np.einsum("kb,kb->k", accepted, chance)
        self.fn = np.einsum("kb,kb->k", refused, chance)
        doubt = chance * (1 - chance)
        self.noise_yes = np.einsum("kb,kb->k", accepted, doubt)
        self.noise_no = np.einsum("kb,kb->k", refused, doubt)


def _accuracy(of: _Expected, gone: NDArray[np.int8]) -> MetricValues:
    right = of.tp + of.rows - of.yes - of.fn
    return _with_interval(ratio(right, of.rows), ratio(of.noise_yes + of.noise_no, of.rows**2), of, gone)


def _precision(of: _Expected, gone: NDArray[np.int8]) -> MetricValues:
    why = np.where((gone == 0) & (of.yes == 0), UndefinedReason.NONE_PREDICTED, gone).astype(np.int8)
    return _with_interval(ratio(of.tp, of.yes), ratio(of.noise_yes, of.yes**2), of, why)


def _recall(of: _Expected, gone: NDArray[np.int8]) -> MetricValues:
    """Expected true positives over expected positives; each label moves both."""
    positives = of.tp + of.fn
    value = ratio(of.tp, positives)
    variance = ratio((1 - value) ** 2 * of.noise_yes + value**2 * of.noise_no, positives**2)
    return _with_interval(value, variance, of, _undefined_where_empty(positives, UndefinedReason.NO_POSITIVES, gone))


def _f1(of: _Expected, gone: NDArray[np.int8]) -> MetricValues:
    either = of.yes + of.tp + of.fn
    value = ratio(2 * of.tp, either)
    variance = ratio((2 - value) ** 2 * of.noise_yes + value**2 * of.noise_no, either**2)
    return _with_interval(value, variance, of, _undefined_where_empty(either, UndefinedReason.NO_ERROR_OR_HIT, gone))


def _auc(of: _Expected, gone: NDArray[np.int8]) -> MetricValues:
    """The area under the curve of expected positives and negatives by bin; half the tied mass as its bound.

    Turning one label moves it by the distance of its placement from that of the class it leaves and joins.
    """
    rows = of.accepted + of.refused
    ones, zeros = rows * of.chance, rows * (1 - of.chance)
    positives, negatives = ones.sum(axis=1), zeros.sum(axis=1)
    below = ratio(np.cumsum(zeros, axis=1) - zeros / 2, negatives[:, None])
    above = ratio(positives[:, None] - np.cumsum(ones, axis=1) + ones / 2, positives[:, None])
    value = ratio(np.einsum("kb,kb->k", ones, below), positives)
    bound = ratio(np.einsum("kb,kb->k", ones, zeros), 2 * positives * negatives)
    turned = ratio(below - value[:, None], positives[:, None]) - ratio(above - value[:, None], negatives[:, None])
    variance = np.einsum("kb,kb,kb->k", ones * (1 - of.chance), turned, turned)
    why = _undefined_where_empty(np.minimum(positives, negatives), UndefinedReason.ONE_CLASS, gone)
    ends = intervals.widen_to_contain(value, intervals.logit_interval(value, variance))
    return clip_interval(
        metric_values(value, of.rows, (ends[0] - bound, ends[1] + bound), reason=why, bound=bound), 0.0, 1.0
    )


def _undefined_where_empty(whole: Floats, why: UndefinedReason, gone: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.where((gone == 0) & ~(whole > 0), why, gone).astype(np.int8)


def _with_interval(value: Floats, variance: Floats, of: _Expected, why: NDArray[np.int8]) -> MetricValues:
    ends = intervals.widen_to_contain(value, intervals.logit_interval(value, variance))
    return metric_values(value, of.rows, ends, reason=why)


def _isotonic(positives: Floats, rows: Floats) -> Floats:
    """One reference: the chance by bin."""
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
    chances = np.repeat([one / every for one, every, _ in blocks], [bins for _, _, bins in blocks])
    middle = (bin_edges()[1:] + bin_edges()[:-1]) / 2
    found: Floats = np.interp(middle, middle[seen], chances)
    return found
