"""What a multi-class tally says of its scores: losses, confidence, calibration, order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import intervals, ranking
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    clip_interval,
    first_reason,
    metric_values,
    ratio,
)
from modeltop.predictions.metrics.calibration import (
    BinnedOutcomes,
    calibration_error,
    confidence_gap_interval,
    variance_of_mean,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import MulticlassCounts


def compute_multiclass_scores(tally: MulticlassCounts) -> dict[str, MetricValues]:
    """All metrics of this file; those that need a score for every class only if any row has one."""
    found = {}
    if tally.confidence_count[..., :BINS].any():
        found["avg_confidence"] = avg_confidence(tally)
        found["confidence_gap"] = confidence_gap(tally)
        found["expected_calibration_error"] = expected_calibration_error(tally)
    if tally.scored.any():
        found["log_loss"] = log_loss(tally)
        found["brier_score"] = brier_score(tally)
    if tally.ranked is not None:
        found["roc_auc_macro"] = roc_auc_macro(tally.ranked)
    return found


def avg_confidence(tally: MulticlassCounts) -> MetricValues:
    """Mean probability of the predicted class, labelled or not: 0 to 1. Support: rows that have it."""
    rows = tally.confidence_count[..., :BINS].sum(axis=(1, 2)).astype(np.float64)
    mean = ratio(tally.confidence.sum(axis=(1, 2)), rows)
    variance = variance_of_mean(np.maximum(ratio(tally.confidence2.sum(axis=1), rows) - mean * mean, 0.0), rows)
    low, high = intervals.log_interval(1 - mean, variance, intervals.t_isf_975(rows - 1))
    return metric_values(
        mean, rows, (np.maximum(1 - high, 0.0), 1 - low), reason=first_reason((rows == 0, UndefinedReason.UNSCORED))
    )


def confidence_gap(tally: MulticlassCounts) -> MetricValues:
    """Mean confidence minus accuracy, of the labelled rows: -1 to 1; above 0 the model is surer than it is right.

    The interval is as for a binary model.
    """
    outcome = binned_outcomes(tally)
    rows, total = outcome.rows.sum(axis=1), tally.confidence[:, :UNLABELLED].sum(axis=2)
    sure, right = ratio(total.sum(axis=1), rows), ratio(outcome.positives.sum(axis=1), rows)
    # Of a right row the gap is confidence - 1, of a wrong one confidence.
    squares = tally.confidence2[:, :UNLABELLED].sum(axis=1) - 2 * total[:, CORRECT] + right * rows
    return metric_values(
        sure - right,
        rows,
        confidence_gap_interval(sure, right, squares, rows=rows),
        reason=_undefined_without(tally, rows),
    )


def expected_calibration_error(tally: MulticlassCounts) -> MetricValues:
    """How far the confidence lies from the share of right predictions: 0 to 1 (top label: Guo 2017, ICML).

    See `reliability.calibration_error`.
    """
    outcome = binned_outcomes(tally)
    return calibration_error(outcome, reason=_undefined_without(tally, outcome.rows.sum(axis=1)))


def binned_outcomes(tally: MulticlassCounts) -> BinnedOutcomes:
    """Being right by the confidence, for the reliability curve."""
    count = tally.confidence_count[..., :BINS].astype(np.float64)
    total = tally.confidence[:, :UNLABELLED, :BINS].sum(axis=1)
    return BinnedOutcomes(positives=count[:, CORRECT], negatives=count[:, WRONG], probability_sum=total)


def log_loss(tally: MulticlassCounts) -> MetricValues:
    """Mean of -ln of the probability given to the label, in nats: 0 or more; at most 36.04 a row, as in scikit-learn.

    Support: labelled rows with a score for every class. The interval is Student's on the scale of logarithms.
    """
    return _mean(tally, tally.nll, tally.nll2)


def brier_score(tally: MulticlassCounts) -> MetricValues:
    """Mean over rows of the squared distance of scores and label over all classes: 0 to 2 (Brier 1950, MWR 78).

    Support and interval as for `log_loss`.
    """
    return clip_interval(_mean(tally, tally.brier, tally.brier2), 0.0, 2.0)


def roc_auc_macro(ranked: NDArray[np.int64]) -> MetricValues:
    """Mean over classes of the area under the ROC curve of that class against all others: 0 to 1, 0.5 for chance.

    Over the classes that have labels; undefined with fewer than two. Support: labels of the rarest of them. Bound and
    interval reach as far as the classes' do on average: their errors are taken to go together, which is the widest.
    """
    count = ranked[..., :BINS].astype(np.float64)
    cells, size = count.shape[:2]
    flat = count.reshape(cells * size, 3, BINS)
    labels = count[:, :, CORRECT].sum(axis=2)
    present = (labels > 0) & (count[:, :, WRONG].sum(axis=2) > 0)
    each = ranking.roc_auc(
        ranking.RankCounts.from_bins(flat[:, CORRECT], flat[:, WRONG]),
        reason=first_reason((~present.ravel(), UndefinedReason.CLASS_ABSENT)),
    )
    parts = (part.reshape(cells, size) for part in (each.value, each.low, each.high, _not_none(each.bound)))
    value, low, high, bound = (ratio(np.where(present, part, 0.0).sum(axis=1), present.sum(axis=1)) for part in parts)
    rarest = np.min(np.where(present, labels, np.inf), axis=1)
    none = np.logical_not(count[:, :, :UNLABELLED].any(axis=(1, 2, 3)))
    why = first_reason(
        (none, UndefinedReason.NO_SCORES), (np.logical_not(present.any(axis=1)), UndefinedReason.ONE_CLASS)
    )
    return metric_values(value, np.where(np.isfinite(rarest), rarest, 0.0), (low, high), reason=why, bound=bound)


def _not_none(bound: Floats | None) -> Floats:
    assert bound is not None
    return bound


def _mean(tally: MulticlassCounts, sums: Floats, squares: Floats) -> MetricValues:
    rows = tally.scored.astype(np.float64)
    mean = ratio(sums, rows)
    variance = variance_of_mean(np.maximum(ratio(squares, rows) - mean * mean, 0.0), rows)
    ends = intervals.log_interval(mean, variance, intervals.t_isf_975(rows - 1))
    return metric_values(mean, rows, ends, reason=_undefined_without(tally, rows))


def _undefined_without(tally: MulticlassCounts, rows: Floats) -> NDArray[np.int8]:
    labelled = tally.confusion[:, :-1].any(axis=(1, 2))
    return first_reason((np.logical_not(labelled), UndefinedReason.NO_LABELS), (rows == 0, UndefinedReason.NO_SCORES))
