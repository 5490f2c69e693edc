"""What scores say as probabilities: losses, confidence, and how often what is said to be likely happens.

All are of rows with a score; all but the mean confidence are of labelled rows. Scores are probabilities of label 1.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from monitor.measures import spread
from monitor.measures.base import Measured, Why, measured, ratio, reasons
from monitor.measures.reliability import Outcomes, calibration_error
from monitor.measures.scores import Scores
from monitor.tallies.bins import edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Floats

MOST = 100.0
"""Cases that a row may count for in the gap: a few rows without any spread are no proof that there is none."""


def compute_calibration(scores: Scores) -> dict[str, Measured]:
    """All metrics of this file, in the order of the registry."""
    return {
        "log_loss": log_loss(scores),
        "brier_score": brier_score(scores),
        "expected_calibration_error": expected_calibration_error(scores),
        "avg_confidence": avg_confidence(scores),
        "confidence_gap": confidence_gap(scores),
    }


def log_loss(scores: Scores) -> Measured:
    """Mean of -ln of the probability given to the label, in nats: 0 or more.

    A probability below 2.2e-16 counts as that, as in scikit-learn: at most 36.04 a row. The value is exact; the
    interval is Student's on the scale of logarithms, with spread and degrees of freedom from the means of the bins,
    since a few confident errors may carry most of it.
    """
    rows, mean = scores.labelled, ratio(scores.nll.sum(axis=(1, 2)), scores.labelled)
    each = scores.nll / np.maximum(scores.count, 1.0)
    square = each * each
    parts = (scores.nll, each), (scores.nll, square), (scores.nll * each, square)
    raw = [mean, *(ratio(np.einsum("kij,kij->k", *part), rows) for part in parts)]
    second, fourth = np.maximum(raw[1] - mean * mean, 0.0), spread.central_fourth(*raw)
    return measured(mean, rows, _mean_ends(mean, rows, second, fourth), why=_no_scores(scores))


def brier_score(scores: Scores) -> Measured:
    """Mean squared distance of score and label: 0 to 1; saying p always gets p (1 - p) (Brier 1950, MWR 78).

    The value is exact; the interval is Student's on the scale of logarithms, with spread and degrees of freedom from
    the middles of the bins.
    """
    rows = scores.labelled
    total = scores.squares[:, :2].sum(axis=(1, 2)) - 2 * scores.total[:, 1].sum(axis=1) + scores.rows[:, 1].sum(axis=1)
    mean = np.maximum(ratio(total, rows), 0.0)
    wrong, right = _middle_powers()
    raw = ratio(scores.negatives @ wrong + scores.positives @ right, rows[:, None])
    second = np.maximum(raw[:, 1] - raw[:, 0] ** 2, 0.0)
    fourth = spread.central_fourth(*raw.T)
    ends = spread.around(mean, _mean_ends(mean, rows, second, fourth))
    return measured(mean, rows, (ends[0], np.minimum(ends[1], 1.0)), why=_no_scores(scores))


def avg_confidence(scores: Scores) -> Measured:
    """Mean probability of the predicted class, labelled or not: 0 to 1. Support: rows with a score.

    The score where 1 is predicted, one minus it where 0 is. The interval is Student's on the scale of ln(1 - mean).
    """
    rows = scores.rows.sum(axis=(1, 2))
    no, yes = scores.total[..., 0].sum(axis=1), scores.total[..., 1].sum(axis=1)
    refused = scores.rows[..., 0].sum(axis=1)
    mean = ratio(yes + refused - no, rows)
    square = scores.squares[..., 1].sum(axis=1) + refused - 2 * no + scores.squares[..., 0].sum(axis=1)
    variance = np.maximum(ratio(square, rows) - mean * mean, 0.0)
    low, high = spread.positive_mean(1 - mean, of_mean(variance, rows), spread.student(rows - 1))
    why = reasons((rows == 0, Why.UNSCORED))
    return measured(mean, rows, (np.maximum(1 - high, 0.0), 1 - low), why=why)


def confidence_gap(scores: Scores) -> Measured:
    """Mean confidence minus accuracy, of the labelled rows: -1 to 1; above 0 the model is surer than it is right.

    The interval is Wilson's of the accuracy, with the number of cases that has the spread of the gap itself.
    """
    n, total = scores.rows[:, :2], scores.total[:, :2]
    rows = scores.labelled
    right = ratio(n[:, 0, 0] + n[:, 1, 1], rows)
    sure = ratio(total[..., 1].sum(axis=1) + (n - total)[..., 0].sum(axis=1), rows)
    # Of a right row the gap is confidence - 1, of a wrong one confidence; by label and prediction either is ±(s - y).
    squares = scores.squares[:, :2]
    hits = squares[:, 0, 0] + squares[:, 1, 1] - 2 * total[:, 1, 1] + n[:, 1, 1]
    misses = squares[:, 0, 1] + squares[:, 1, 0] - 2 * total[:, 1, 0] + n[:, 1, 0]
    return measured(sure - right, rows, gap_ends(sure, right, hits + misses, rows=rows), why=_no_scores(scores))


def gap_ends(sure: Floats, right: Floats, squares: Floats, *, rows: Floats) -> spread.Ends:
    """Interval of mean confidence minus accuracy; `squares` is the sum over rows of its square."""
    variance = np.maximum(ratio(squares, rows) - (sure - right) ** 2, 0.0)
    cases = np.fmin(ratio(right * (1 - right), of_mean(variance, rows)), MOST * rows)
    low, high = spread.wilson(right, np.where((right > 0) & (right < 1), cases, rows))
    return sure - high, sure - low


def expected_calibration_error(scores: Scores) -> Measured:
    """How far scores lie from the share of positives: 0 to 1. Of the positive class, not of the top label.

    See `reliability.calibration_error`.
    """
    return calibration_error(outcomes(scores), why=_no_scores(scores))


def outcomes(scores: Scores) -> Outcomes:
    """The labels by what was said of them, for the reliability curve."""
    return Outcomes(came=scores.positives, failed=scores.negatives, total=scores.score)


@cache
def _middle_powers() -> tuple[Floats, Floats]:
    """(s - label)² of the middle of each bin and its 2nd to 4th power, [256, 4], for label 0 and for label 1."""
    middle = (edges()[1:] + edges()[:-1]) / 2
    powers = np.arange(1, 5)
    return (middle**2)[:, None] ** powers, ((1 - middle) ** 2)[:, None] ** powers


def of_mean(variance: Floats, rows: Floats) -> Floats:
    """The variance of the mean, from the population variance of the rows."""
    return variance / np.maximum(rows - 1, 1)


def _mean_ends(mean: Floats, rows: Floats, second: Floats, fourth: Floats) -> spread.Ends:
    quantile = spread.student(spread.degrees_of(rows, second, fourth))
    return spread.positive_mean(mean, of_mean(second, rows), quantile)


def _no_scores(scores: Scores) -> NDArray[np.int8]:
    unlabelled = (scores.labelled == 0) & (scores.rows.sum(axis=(1, 2)) > 0)
    return reasons((unlabelled, Why.NO_LABELS), (scores.labelled == 0, Why.NO_SCORES))
