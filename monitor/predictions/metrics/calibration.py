"""What scores say as probabilities: losses, confidence, and how often what is said to be likely happens.

All are of rows with a score; all but the mean confidence are of labelled rows. Scores are probabilities of label 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio

if TYPE_CHECKING:
    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.classification import BinaryCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats


def decision_counts(tally: BinaryCounts) -> Floats:
    """Rows by label (0, 1, unlabelled) and prediction, with a score or without, [K, 3, 2]."""
    found: Floats = tally.count.sum(axis=3).astype(np.float64)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The labelled rows that have a score, over K cells."""

    count: Floats
    """By label and bin, [K, 2, 256]."""
    score: Floats
    """Sum of the scores by bin, [K, 256]."""
    nll: Floats
    """Sum of -ln of the probability of the label, by label and bin, [K, 2, 256]."""
    rows: Floats
    """By label (0, 1, unlabelled) and prediction, all with a score, [K, 3, 2]."""
    total: Floats
    """Sum of the scores by label and prediction, [K, 3, 2]."""
    squares: Floats
    """Sum of their squares, likewise."""

    @classmethod
    def from_aggregate(cls, tally: BinaryCounts, decided: Floats | None = None) -> Scores:
        """Of a tally; `decided` if its rows by label and prediction have been summed already."""
        count, score = tally.count[..., :BINS], tally.score[..., :BINS]
        every = decision_counts(tally) if decided is None else decided
        return cls(
            count=np.add(count[:, :2, 0], count[:, :2, 1], dtype=np.float64),
            score=score[:, 0, 0] + score[:, 0, 1] + score[:, 1, 0] + score[:, 1, 1],
            nll=tally.nll[..., :BINS],
            rows=every - tally.count[..., NO_SCORE],
            total=tally.score.sum(axis=3),
            squares=tally.score2,
        )

    @property
    def negatives(self) -> Floats:
        """By bin, [K, 256]."""
        return self.count[:, 0]

    @property
    def positives(self) -> Floats:
        """By bin, [K, 256]."""
        return self.count[:, 1]

    @property
    def labelled(self) -> Floats:
        """Labelled rows with a score, [K]."""
        found: Floats = self.rows[:, :2].sum(axis=(1, 2))
        return found


GROUPS = 10
"""Equal-width groups: [0, 0.1), ..., [0.9, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class BinnedOutcomes:
    """What came of probabilities, over K cells, by the 256 bins of the probability, [K, 256] each."""

    positives: Floats
    negatives: Floats
    probability_sum: Floats
    """Sum of the probabilities."""

    @property
    def rows(self) -> Floats:
        """[K, 256]."""
        return self.positives + self.negatives

    def in_upper_group(self) -> Flags:
        """Whether a bin with an edge of the groups in it counts with the upper group, by its mean: [K, 9]."""
        cut, inner = _edge_bins()
        rows = self.rows[:, cut]
        # A sum of equal numbers may end a few ulp below their multiple: 0.3 must not fall into [0.2, 0.3).
        return (rows > 0) & (self.probability_sum[:, cut] >= rows * (inner - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationBins:
    """The reliability curve over K cells, [K, 10] each; NaN where a group is empty."""

    rows: Floats
    score: Floats
    """Mean probability."""
    rate: Floats
    """How often it came."""
    low: Floats
    """Of the rate, Wilson's 95 % interval."""
    high: Floats


def calibration_bins(outcomes: BinnedOutcomes) -> CalibrationBins:
    """How often it came, by what was said of it."""
    upper = outcomes.in_upper_group()
    rows, came, total = (
        _by_group(upper, part) for part in (outcomes.rows, outcomes.positives, outcomes.probability_sum)
    )
    rate = ratio(came, rows)
    low, high = intervals.wilson_interval(rate, rows)
    return CalibrationBins(rows=rows, score=ratio(total, rows), rate=rate, low=low, high=high)


def calibration_error(outcomes: BinnedOutcomes, *, reason: NDArray[np.int8]) -> MetricValues:
    """Mean over ten equal groups, by their rows, of |mean probability - share that came|: 0 to 1 (Naeini 2015, AAAI).

    A bin that an edge of the groups runs through is counted with the group of its mean; `bound` is how far the error
    can lie from the value for that. Low and high are value ± bound, not an interval: the error is biased upwards in
    small samples, so none of its spread alone would hold.
    """
    rows = outcomes.rows.sum(axis=1)
    value = ratio(
        np.abs(_by_group(outcomes.in_upper_group(), outcomes.probability_sum - outcomes.positives)).sum(axis=1), rows
    )
    bound = ratio(2 * _max_shift(outcomes).sum(axis=1), rows)
    ends = np.maximum(value - bound, 0.0), np.minimum(value + bound, 1.0)
    return metric_values(value, rows, ends, reason=reason, bound=bound)


@cache
def _edge_bins() -> tuple[NDArray[np.int64], Floats]:
    """The bins that an inner edge of the groups lies in, and those edges."""
    inner = np.arange(1, GROUPS) / GROUPS
    return np.searchsorted(bin_edges(), inner, side="right") - 1, inner


def _by_group(upper: Flags, values: Floats) -> Floats:
    """Sums of the bins of each group, [K, 10]."""
    cut, _ = _edge_bins()
    found: Floats = np.add.reduceat(values, np.append(0, cut + 1), axis=1)
    moved = np.where(upper, values[:, cut], 0.0)
    found[:, :-1] -= moved
    found[:, 1:] += moved
    return found


def _max_shift(outcomes: BinnedOutcomes) -> Floats:
    """The most that a bin with an edge in it can take from one group and bring to another, [K, 9]."""
    cut, _ = _edge_bins()
    return np.maximum(
        outcomes.positives[:, cut] * (1 - bin_edges()[cut]), outcomes.negatives[:, cut] * bin_edges()[cut + 1]
    )


MAX_CASES_PER_ROW = 100.0
"""Cases that a row may count for in the gap: a few rows without any spread are no proof that there is none."""


def compute_calibration(scores: Scores) -> dict[str, MetricValues]:
    """All metrics of this file, in the order of the registry."""
    return {
        "log_loss": log_loss(scores),
        "brier_score": brier_score(scores),
        "expected_calibration_error": expected_calibration_error(scores),
        "avg_confidence": avg_confidence(scores),
        "confidence_gap": confidence_gap(scores),
    }


def log_loss(scores: Scores) -> MetricValues:
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
    second, fourth = np.maximum(raw[1] - mean * mean, 0.0), intervals.fourth_central_moment(*raw)
    return metric_values(mean, rows, _mean_interval(mean, rows, second, fourth), reason=_no_scores(scores))


def brier_score(scores: Scores) -> MetricValues:
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
    fourth = intervals.fourth_central_moment(*raw.T)
    ends = intervals.widen_to_contain(mean, _mean_interval(mean, rows, second, fourth))
    return metric_values(mean, rows, (ends[0], np.minimum(ends[1], 1.0)), reason=_no_scores(scores))


def avg_confidence(scores: Scores) -> MetricValues:
    """Mean probability of the predicted class, labelled or not: 0 to 1. Support: rows with a score.

    The score where 1 is predicted, one minus it where 0 is. The interval is Student's on the scale of ln(1 - mean).
    """
    rows = scores.rows.sum(axis=(1, 2))
    no, yes = scores.total[..., 0].sum(axis=1), scores.total[..., 1].sum(axis=1)
    refused = scores.rows[..., 0].sum(axis=1)
    mean = ratio(yes + refused - no, rows)
    square = scores.squares[..., 1].sum(axis=1) + refused - 2 * no + scores.squares[..., 0].sum(axis=1)
    variance = np.maximum(ratio(square, rows) - mean * mean, 0.0)
    low, high = intervals.log_interval(1 - mean, variance_of_mean(variance, rows), intervals.t_isf_975(rows - 1))
    why = first_reason((rows == 0, UndefinedReason.UNSCORED))
    return metric_values(mean, rows, (np.maximum(1 - high, 0.0), 1 - low), reason=why)


def confidence_gap(scores: Scores) -> MetricValues:
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
    return metric_values(
        sure - right, rows, confidence_gap_interval(sure, right, hits + misses, rows=rows), reason=_no_scores(scores)
    )


def confidence_gap_interval(sure: Floats, right: Floats, squares: Floats, *, rows: Floats) -> intervals.Ends:
    """Interval of mean confidence minus accuracy; `squares` is the sum over rows of its square."""
    variance = np.maximum(ratio(squares, rows) - (sure - right) ** 2, 0.0)
    cases = np.fmin(ratio(right * (1 - right), variance_of_mean(variance, rows)), MAX_CASES_PER_ROW * rows)
    low, high = intervals.wilson_interval(right, np.where((right > 0) & (right < 1), cases, rows))
    return sure - high, sure - low


def expected_calibration_error(scores: Scores) -> MetricValues:
    """How far scores lie from the share of positives: 0 to 1. Of the positive class, not of the top label.

    See `reliability.calibration_error`.
    """
    return calibration_error(binned_outcomes(scores), reason=_no_scores(scores))


def binned_outcomes(scores: Scores) -> BinnedOutcomes:
    """The labels by what was said of them, for the reliability curve."""
    return BinnedOutcomes(positives=scores.positives, negatives=scores.negatives, probability_sum=scores.score)


@cache
def _middle_powers() -> tuple[Floats, Floats]:
    """(s - label)² of the middle of each bin and its 2nd to 4th power, [256, 4], for label 0 and for label 1."""
    middle = (bin_edges()[1:] + bin_edges()[:-1]) / 2
    powers = np.arange(1, 5)
    return (middle**2)[:, None] ** powers, ((1 - middle) ** 2)[:, None] ** powers


def variance_of_mean(variance: Floats, rows: Floats) -> Floats:
    """The variance of the mean, from the population variance of the rows."""
    return variance / np.maximum(rows - 1, 1)


def _mean_interval(mean: Floats, rows: Floats, second: Floats, fourth: Floats) -> intervals.Ends:
    quantile = intervals.t_isf_975(intervals.effective_degrees(rows, second, fourth))
    return intervals.log_interval(mean, variance_of_mean(second, rows), quantile)


def _no_scores(scores: Scores) -> NDArray[np.int8]:
    unlabelled = (scores.labelled == 0) & (scores.rows.sum(axis=(1, 2)) > 0)
    return first_reason((unlabelled, UndefinedReason.NO_LABELS), (scores.labelled == 0, UndefinedReason.NO_SCORES))
