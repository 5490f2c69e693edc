"""Losses, confidence and calibration of scores: of rows with a score, all but the mean confidence of labeled ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.intervals import wilson_intervals
from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG, BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, bin_edges
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio

GROUPS = 10
"""Equal-width groups of the reliability curve: [0, 0.1), ..., [0.9, 1]."""
MAX_CASES_PER_ROW = 100.0
"""Cases that a row may count for in the confidence gap: a few rows without any spread are no proof of none."""


def decision_counts(counts: BinaryCounts) -> Floats:
    """Return rows by label (0, 1, unlabeled) and prediction, with a score or without, [K, 3, 2]."""
    return np.asarray(counts.count.sum(axis=3).astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Rows of two classes that have a score, the probability of label 1, over K cells."""

    count: Floats
    """Labeled rows by label and bin, [K, 2, 256]."""
    score: Floats
    """Sum of the scores of labeled rows by bin, [K, 256]."""
    nll: Floats
    """Sum of -ln of the probability of the label, by label and bin, [K, 2, 256]."""
    rows: Floats
    """Rows by label (0, 1, unlabeled) and prediction, [K, 3, 2]."""
    total: Floats
    """Sum of their scores, [K, 3, 2]."""
    squares: Floats
    """Sum of the squares of that, [K, 3, 2]."""

    @classmethod
    def from_counts(cls, counts: BinaryCounts, decisions: Floats) -> Scores:
        """Return the scores of a binary aggregate and its `decision_counts`."""
        count, score = counts.count[..., :BINS], counts.score[..., :BINS]
        return cls(
            count=np.add(count[:, :2, 0], count[:, :2, 1], dtype=np.float64),
            score=score[:, 0, 0] + score[:, 0, 1] + score[:, 1, 0] + score[:, 1, 1],
            nll=counts.nll[..., :BINS],
            rows=decisions - counts.count[..., NO_SCORE],
            total=counts.score.sum(axis=3),
            squares=counts.score2,
        )

    @property
    def negatives(self) -> Floats:
        """Rows with label 0 by bin, [K, 256]."""
        return self.count[:, 0]

    @property
    def positives(self) -> Floats:
        """Rows with label 1 by bin, [K, 256]."""
        return self.count[:, 1]

    @property
    def labelled(self) -> Floats:
        """Labeled rows, [K]."""
        return np.asarray(self.rows[:, :2].sum(axis=(1, 2)))

    @property
    def unlabelled(self) -> Flags:
        """Cells with scores and without a label for any of them, [K]."""
        return np.asarray((self.labelled == 0) & (self.rows.sum(axis=(1, 2)) > 0))


@dataclass(frozen=True, slots=True, eq=False)
class BinnedOutcomes:
    """Outcomes by the 256 bins of their predicted probability, over K cells, [K, 256] each."""

    positives: Floats
    """Rows in which the outcome came: of two classes label 1, of several a correct prediction."""
    negatives: Floats
    """Rows in which it did not."""
    probability_sum: Floats
    """Sum of the probabilities."""

    @property
    def rows(self) -> Floats:
        """Rows by bin, [K, 256]."""
        return self.positives + self.negatives

    def in_upper_group(self) -> Flags:
        """Return whether a bin that an edge of the groups runs through counts with the upper group: [K, 9]."""
        cut, inner_edges = _edge_bins()
        rows = self.rows[:, cut]
        # A sum of equal numbers may end a few ulp below their multiple: 0.3 must not fall into [0.2, 0.3).
        return (rows > 0) & (self.probability_sum[:, cut] >= rows * (inner_edges - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """A loss of each labeled row that has the scores for it, over K cells, [K] each."""

    rows: Floats
    total: Floats
    """Sum of the losses."""
    variance: Floats
    """Population variance of the losses."""
    degrees: Floats
    """Degrees of freedom of that variance."""
    maximum: float
    """The largest mean there can be."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Confidence (the probability of the predicted class) and outcome (wrong, correct, unlabeled) of K cells."""

    rows: Floats
    """Rows with a confidence by outcome, [K, 3]."""
    confidence: Floats
    """Sum of their confidences, [K, 3]."""
    confidence2: Floats
    """Sum of the squares of that, [K, 3]."""
    bins: BinnedOutcomes
    losses: Mapping[str, Loss]
    """By the name of the metric; none if no row has the scores for them."""
    unlabelled: Flags
    """Cells in which no label is known, [K]."""

    @classmethod
    def from_scores(cls, scores: Scores) -> Outcomes:
        """Return the outcomes of two classes; if 0 is predicted the confidence is one minus the score."""
        rows, total, squares = scores.rows, scores.total, scores.squares
        confidence = np.stack([rows[..., 0] - total[..., 0], total[..., 1]], axis=2)
        confidence2 = np.stack([rows[..., 0] - 2 * total[..., 0] + squares[..., 0], squares[..., 1]], axis=2)
        return cls(
            rows=_by_outcome(rows),
            confidence=_by_outcome(confidence),
            confidence2=_by_outcome(confidence2),
            bins=BinnedOutcomes(scores.positives, scores.negatives, scores.score),
            losses={"log_loss": _log_loss(scores), "brier_score": _brier_score(scores)},
            unlabelled=scores.unlabelled,
        )

    @classmethod
    def from_multiclass(cls, counts: MulticlassCounts) -> Outcomes:
        """Return the outcomes of several classes."""
        losses = {
            "log_loss": _class_loss(counts.scored, counts.nll, counts.nll2, np.inf),
            "brier_score": _class_loss(counts.scored, counts.brier, counts.brier2, 2.0),
        }
        return cls(
            rows=counts.confidence_count[..., :BINS].sum(axis=2).astype(np.float64),
            confidence=counts.confidence.sum(axis=2),
            confidence2=counts.confidence2,
            bins=binned_outcomes(counts),
            losses=losses if counts.scored.any() else {},
            unlabelled=np.logical_not(counts.confusion[:, :-1].any(axis=(1, 2))),
        )


def compute_calibration(outcomes: Outcomes) -> dict[str, MetricValues]:
    """Compute all metrics of this file that any row has the scores for, in the order of the registry."""
    metrics = {name: mean_loss(loss, outcomes.unlabelled) for name, loss in outcomes.losses.items()}
    if outcomes.rows.any():
        metrics["expected_calibration_error"] = expected_calibration_error(outcomes)
        metrics["avg_confidence"] = avg_confidence(outcomes)
        metrics["confidence_gap"] = confidence_gap(outcomes)
    return metrics


def mean_loss(loss: Loss, unlabelled: Flags) -> MetricValues:
    """Compute the mean loss of the labeled rows: 0 or more. Support: labeled rows with a score for every class.

    `log_loss` is -ln of the probability given to the label, in nats; a probability below 2.2e-16 counts as that, as in
    scikit-learn: at most 36.04 a row. `brier_score` is the squared distance of score and label: 0 to 1 of two classes,
    0 to 2 of several (Brier 1950, MWR 78). The interval is Student's on the scale of logarithms.
    """
    mean = ratio(loss.total, loss.rows)
    quantile = intervals.t_isf_975(loss.degrees)
    interval = intervals.log_interval(mean, _variance_of_mean(loss.variance, loss.rows), quantile)
    low, high = intervals.widen_to_contain(mean, interval)
    return metric_values(mean, loss.rows, (low, np.minimum(high, loss.maximum)), reason=_reason(unlabelled, loss.rows))


def avg_confidence(outcomes: Outcomes) -> MetricValues:
    """Compute the mean probability of the predicted class, 0 to 1: Student's interval on the scale of ln(1 - mean)."""
    rows = outcomes.rows.sum(axis=1)
    mean = ratio(outcomes.confidence.sum(axis=1), rows)
    variance = np.maximum(ratio(outcomes.confidence2.sum(axis=1), rows) - mean * mean, 0.0)
    low, high = intervals.log_interval(1 - mean, _variance_of_mean(variance, rows), intervals.t_isf_975(rows - 1))
    reason = first_reason((rows == 0, UndefinedReason.UNSCORED))
    return metric_values(mean, rows, (np.maximum(1 - high, 0.0), 1 - low), reason=reason)


def confidence_gap(outcomes: Outcomes) -> MetricValues:
    """Compute mean confidence minus accuracy, of the labeled rows: -1 to 1; above 0 the model is overconfident.

    The interval is Wilson's of the accuracy, with the number of cases that has the spread of the gap itself.
    """
    labelled = slice(0, UNLABELLED)
    rows, correct = outcomes.rows[:, labelled].sum(axis=1), outcomes.rows[:, CORRECT]
    confidence, accuracy = ratio(outcomes.confidence[:, labelled].sum(axis=1), rows), ratio(correct, rows)
    # The gap of a correct row is confidence - 1, of a wrong one confidence.
    squares = outcomes.confidence2[:, labelled].sum(axis=1) - 2 * outcomes.confidence[:, CORRECT] + correct
    variance = _variance_of_mean(np.maximum(ratio(squares, rows) - (confidence - accuracy) ** 2, 0.0), rows)
    cases = np.fmin(ratio(accuracy * (1 - accuracy), variance), MAX_CASES_PER_ROW * rows)
    low, high = wilson_intervals(accuracy, np.where((accuracy > 0) & (accuracy < 1), cases, rows))
    interval = confidence - high, confidence - low
    return metric_values(confidence - accuracy, rows, interval, reason=_reason(outcomes.unlabelled, rows))


def expected_calibration_error(outcomes: Outcomes) -> MetricValues:
    """Compute the mean over ten groups, by rows, of |mean probability - rate of the outcome|: 0 to 1.

    Of the positive class if there are two classes (Naeini 2015, AAAI), else of the top label (Guo 2017, ICML). A bin
    that an edge of the groups runs through counts with the group of its mean, for which the error can lie off by
    `bound`. Low and high are value ± bound, not an interval: the error is biased upwards in small samples.
    """
    bins = outcomes.bins
    rows = bins.rows.sum(axis=1)
    gaps = _by_group(bins.in_upper_group(), bins.probability_sum - bins.positives)
    value = ratio(np.abs(gaps).sum(axis=1), rows)
    bound = ratio(2 * _max_shift(bins).sum(axis=1), rows)
    interval = intervals.widen_by_bound((value, value), bound)
    return metric_values(value, rows, interval, reason=_reason(outcomes.unlabelled, rows), bound=bound)


def binned_outcomes(counts: BinaryCounts | MulticlassCounts) -> BinnedOutcomes:
    """Return positive labels by score, or correct predictions by confidence if there are several classes."""
    if isinstance(counts, BinaryCounts):
        scores = Scores.from_counts(counts, decision_counts(counts))
        return BinnedOutcomes(scores.positives, scores.negatives, scores.score)
    rows = counts.confidence_count[..., :BINS].astype(np.float64)
    return BinnedOutcomes(rows[:, CORRECT], rows[:, WRONG], counts.confidence[:, :UNLABELLED, :BINS].sum(axis=1))


def calibration_curve(outcomes: BinnedOutcomes) -> tuple[Floats, Floats, Floats]:
    """Return rows, mean probability and rate of the outcome by group, [K, 10] each; NaN for an empty group."""
    upper = outcomes.in_upper_group()
    rows, positives, total = (
        _by_group(upper, values) for values in (outcomes.rows, outcomes.positives, outcomes.probability_sum)
    )
    return rows, ratio(total, rows), ratio(positives, rows)


@cache
def _edge_bins() -> tuple[NDArray[np.int64], Floats]:
    """Return the bins that an inner edge of the groups lies in, and those edges."""
    inner_edges = np.arange(1, GROUPS) / GROUPS
    return np.searchsorted(bin_edges(), inner_edges, side="right") - 1, inner_edges


def _by_group(upper: Flags, values: Floats) -> Floats:
    """Return the sums of the bins of each group, [K, 10]."""
    cut, _ = _edge_bins()
    sums: Floats = np.add.reduceat(values, np.append(0, cut + 1), axis=1)
    moved = np.where(upper, values[:, cut], 0.0)
    sums[:, :-1] -= moved
    sums[:, 1:] += moved
    return sums


def _max_shift(outcomes: BinnedOutcomes) -> Floats:
    """Return the most that a bin with an edge in it can move from one group to the next, [K, 9]."""
    cut, _ = _edge_bins()
    return np.maximum(
        outcomes.positives[:, cut] * (1 - bin_edges()[cut]), outcomes.negatives[:, cut] * bin_edges()[cut + 1]
    )


def _by_outcome(values: Floats) -> Floats:
    """Return sums by outcome, [K, 3], of sums by label and prediction, [K, 3, 2]."""
    wrong, correct = values[:, 0, 1] + values[:, 1, 0], values[:, 0, 0] + values[:, 1, 1]
    return np.stack([wrong, correct, values[:, UNLABELLED].sum(axis=1)], axis=1)


def _log_loss(scores: Scores) -> Loss:
    """Return the loss with moments from the means of the bins, since a few confident errors may carry most of it."""
    total, each = scores.nll.sum(axis=(1, 2)), scores.nll / np.maximum(scores.count, 1.0)
    square = each * each
    factors = (scores.nll, each), (scores.nll, square), (scores.nll * each, square)
    powers = [total, *(np.einsum("kij,kij->k", *pair) for pair in factors)]
    return _binned_loss(scores.labelled, total, np.stack(powers, axis=1), np.inf)


def _brier_score(scores: Scores) -> Loss:
    """Return the loss with moments from the middles of the bins."""
    hits = scores.rows[:, 1].sum(axis=1) - 2 * scores.total[:, 1].sum(axis=1)
    total = np.maximum(scores.squares[:, :2].sum(axis=(1, 2)) + hits, 0.0)
    middle = (bin_edges()[1:] + bin_edges()[:-1]) / 2
    exponents = np.arange(1, 5)
    powers = scores.negatives @ (middle**2)[:, None] ** exponents
    powers += scores.positives @ ((1 - middle) ** 2)[:, None] ** exponents
    return _binned_loss(scores.labelled, total, powers, 1.0)


def _binned_loss(rows: Floats, total: Floats, powers: Floats, maximum: float) -> Loss:
    """Return a loss from the sums of its first four powers, [K, 4]."""
    raw = ratio(powers, rows[:, None])
    variance = np.maximum(raw[:, 1] - raw[:, 0] ** 2, 0.0)
    degrees = intervals.effective_degrees(rows, variance, intervals.fourth_central_moment(*raw.T))
    return Loss(rows, total, variance, degrees, maximum)


def _class_loss(scored: NDArray[np.int64], total: Floats, squares: Floats, maximum: float) -> Loss:
    rows = scored.astype(np.float64)
    variance = np.maximum(ratio(squares, rows) - ratio(total, rows) ** 2, 0.0)
    return Loss(rows, total, variance, rows - 1, maximum)


def _variance_of_mean(variance: Floats, rows: Floats) -> Floats:
    """Return the variance of the mean from the population variance of the rows."""
    return variance / np.maximum(rows - 1, 1)


def _reason(unlabelled: Flags, rows: Floats) -> NDArray[np.int8]:
    return first_reason((unlabelled, UndefinedReason.NO_LABELS), (rows == 0, UndefinedReason.NO_SCORES))
