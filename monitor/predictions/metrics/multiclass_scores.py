"""What a multi-class tally says of its scores: losses, confidence, calibration, order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import intervals, ranking
from modeltop.predictions.metrics.base import Measured, Why, measured, ratio, reasons, within
from modeltop.predictions.metrics.calibration import Outcomes, calibration_error, gap_ends, of_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import MulticlassTally


def compute_multiclass_scores(tally: MulticlassTally) -> dict[str, Measured]:
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


def avg_confidence(tally: MulticlassTally) -> Measured:
    """Mean probability of the predicted class, labelled or not: 0 to 1. Support: rows that have it."""
    rows = tally.confidence_count[..., :BINS].sum(axis=(1, 2)).astype(np.float64)
    mean = ratio(tally.confidence.sum(axis=(1, 2)), rows)
    variance = of_mean(np.maximum(ratio(tally.confidence2.sum(axis=1), rows) - mean * mean, 0.0), rows)
    low, high = intervals.positive_mean(1 - mean, variance, intervals.student(rows - 1))
    return measured(mean, rows, (np.maximum(1 - high, 0.0), 1 - low), why=reasons((rows == 0, Why.UNSCORED)))


def confidence_gap(tally: MulticlassTally) -> Measured:
    """Mean confidence minus accuracy, of the labelled rows: -1 to 1; above 0 the model is surer than it is right.

    The interval is as for a binary model.
    """
    outcome = outcomes(tally)
    rows, total = outcome.rows.sum(axis=1), tally.confidence[:, :UNLABELLED].sum(axis=2)
    sure, right = ratio(total.sum(axis=1), rows), ratio(outcome.came.sum(axis=1), rows)
    # Of a right row the gap is confidence - 1, of a wrong one confidence.
    squares = tally.confidence2[:, :UNLABELLED].sum(axis=1) - 2 * total[:, CORRECT] + right * rows
    return measured(sure - right, rows, gap_ends(sure, right, squares, rows=rows), why=_without(tally, rows))


def expected_calibration_error(tally: MulticlassTally) -> Measured:
    """How far the confidence lies from the share of right predictions: 0 to 1 (top label: Guo 2017, ICML).

    See `reliability.calibration_error`.
    """
    outcome = outcomes(tally)
    return calibration_error(outcome, why=_without(tally, outcome.rows.sum(axis=1)))


def outcomes(tally: MulticlassTally) -> Outcomes:
    """Being right by the confidence, for the reliability curve."""
    count = tally.confidence_count[..., :BINS].astype(np.float64)
    total = tally.confidence[:, :UNLABELLED, :BINS].sum(axis=1)
    return Outcomes(came=count[:, CORRECT], failed=count[:, WRONG], total=total)


def log_loss(tally: MulticlassTally) -> Measured:
    """Mean of -ln of the probability given to the label, in nats: 0 or more; at most 36.04 a row, as in scikit-learn.

    Support: labelled rows with a score for every class. The interval is Student's on the scale of logarithms.
    """
    return _mean(tally, tally.nll, tally.nll2)


def brier_score(tally: MulticlassTally) -> Measured:
    """Mean over rows of the squared distance of scores and label over all classes: 0 to 2 (Brier 1950, MWR 78).

    Support and interval as for `log_loss`.
    """
    return within(_mean(tally, tally.brier, tally.brier2), 0.0, 2.0)


def roc_auc_macro(ranked: NDArray[np.int64]) -> Measured:
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
        ranking.Ranked.of(flat[:, CORRECT], flat[:, WRONG]), why=reasons((~present.ravel(), Why.CLASS_ABSENT))
    )
    parts = (part.reshape(cells, size) for part in (each.value, each.low, each.high, _known(each.bound)))
    value, low, high, bound = (ratio(np.where(present, part, 0.0).sum(axis=1), present.sum(axis=1)) for part in parts)
    rarest = np.min(np.where(present, labels, np.inf), axis=1)
    none = np.logical_not(count[:, :, :UNLABELLED].any(axis=(1, 2, 3)))
    why = reasons((none, Why.NO_SCORES), (np.logical_not(present.any(axis=1)), Why.ONE_CLASS))
    return measured(value, np.where(np.isfinite(rarest), rarest, 0.0), (low, high), why=why, bound=bound)


def _known(bound: Floats | None) -> Floats:
    assert bound is not None
    return bound


def _mean(tally: MulticlassTally, sums: Floats, squares: Floats) -> Measured:
    rows = tally.scored.astype(np.float64)
    mean = ratio(sums, rows)
    variance = of_mean(np.maximum(ratio(squares, rows) - mean * mean, 0.0), rows)
    ends = intervals.positive_mean(mean, variance, intervals.student(rows - 1))
    return measured(mean, rows, ends, why=_without(tally, rows))


def _without(tally: MulticlassTally, rows: Floats) -> NDArray[np.int8]:
    labelled = tally.confusion[:, :-1].any(axis=(1, 2))
    return reasons((np.logical_not(labelled), Why.NO_LABELS), (rows == 0, Why.NO_SCORES))
