"""Areas under curves: how well scores rank positives before negatives, with a bound for the error of binning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio
from modeltop.predictions.metrics.calibration import Scores

UNSEEN_CASES = 0.1
"""Positives, and negatives, that are assumed to lie anywhere at all: the variance is never quite 0."""
MODELLED_CASES = 1.0
"""The same, distributed as Hanley & McNeil's (1982) two exponential classes with that area would be."""
PRIOR_CASES = 40.0
"""Number of positives added as a prior, for which the variance is that of a plain proportion."""
CellKey = tuple[str, int, str]
"""Model, start of the period in microseconds since 1970, segment."""
Areas = dict[CellKey, tuple[float, float]]
"""Exact ROC AUC and average precision of cells whose scores were sorted; NaN where undefined."""
HARMONIC_TABLE_SIZE = 20_000
"""Harmonic numbers below this are looked up."""


@dataclass(frozen=True, slots=True, eq=False)
class RankCounts:
    """Positives and negatives of K cells by the B bins of the score, with the cases in higher bins, [K, B] each."""

    positives: Floats
    negatives: Floats
    positives_above: Floats
    """Positives in higher bins."""
    negatives_above: Floats
    """Negatives in higher bins."""
    total_positives: Floats
    """All positives, [K]."""
    total_negatives: Floats
    """All negatives, [K]."""

    @classmethod
    def from_bins(cls, positives: Floats, negatives: Floats) -> RankCounts:
        """Return the counts with their cumulative sums from above; bins without any are left out."""
        positives, negatives = _without_empty_bins(positives, negatives)
        positives_above, negatives_above = np.cumsum(positives, axis=1), np.cumsum(negatives, axis=1)
        total_positives, total_negatives = positives_above[:, -1].copy(), negatives_above[:, -1].copy()
        np.subtract(total_positives[:, None], positives_above, out=positives_above)
        np.subtract(total_negatives[:, None], negatives_above, out=negatives_above)
        return cls(positives, negatives, positives_above, negatives_above, total_positives, total_negatives)


def _without_empty_bins(positives: Floats, negatives: Floats) -> tuple[Floats, Floats]:
    """Return the bins of each cell that have cases, moved together: most bins of a small cell are empty."""
    cell, index = np.nonzero(positives + negatives)
    filled = np.bincount(cell, minlength=len(positives))
    place = np.arange(len(cell)) - np.repeat(np.cumsum(filled) - filled, filled)
    packed = np.zeros((2, len(positives), filled.max(initial=1)))
    packed[0, cell, place], packed[1, cell, place] = positives[cell, index], negatives[cell, index]
    return packed[0], packed[1]


def compute_ranking(scores: Scores, areas: Floats | None = None) -> dict[str, MetricValues]:
    """Compute ROC AUC and average precision of two classes; `areas` are their exact values, [2, K], NaN if unknown."""
    ranks = RankCounts.from_bins(scores.positives, scores.negatives)
    undefined = (scores.unlabelled, UndefinedReason.NO_LABELS), (scores.labelled == 0, UndefinedReason.NO_SCORES)
    no_positives = ranks.total_positives == 0
    one_class = first_reason(*undefined, (no_positives | (ranks.total_negatives == 0), UndefinedReason.ONE_CLASS))
    no_positives_reason = first_reason(*undefined, (no_positives, UndefinedReason.NO_POSITIVES))
    return {
        "roc_auc": roc_auc(ranks, reason=one_class, exact=None if areas is None else areas[0]),
        "average_precision": average_precision(
            ranks, reason=no_positives_reason, exact=None if areas is None else areas[1]
        ),
    }


def exact_areas(positive: Flags, score: Floats, cell: NDArray[np.int64]) -> Floats:
    """Return the exact ROC AUC and average precision of cells, [2, K], by their rows; NaN where undefined.

    Args:
        positive: Whether the label of a row is 1.
        score: Of each row; equal ones are tied.
        cell: Index of each row's cell, 0 to K - 1, rising; each has rows.
    """
    order = np.argsort(score)
    order = order[np.argsort(cell[order], kind="stable")]
    positive, score, cell = positive[order].astype(np.float64), score[order], cell[order]
    first = np.flatnonzero(np.append(True, (score[1:] != score[:-1]) | (cell[1:] != cell[:-1])))
    cell, rows = cell[first], np.diff(np.append(first, len(score))).astype(np.float64)
    positives = np.add.reduceat(positive, first)
    total, total_positives = np.bincount(cell, rows), np.bincount(cell, positives)
    # Of the rows that score at least as high, in the same cell.
    all_above, hits = (
        (np.cumsum(totals)[cell] - np.cumsum(values) + values)
        for totals, values in ((total, rows), (total_positives, positives))
    )
    below = (total - total_positives)[cell] - (all_above - hits) + (rows - positives) / 2
    area = ratio(np.bincount(cell, positives * below), total_positives * (total - total_positives))
    return np.stack([area, ratio(np.bincount(cell, positives * hits / all_above), total_positives)])


def roc_auc(ranks: RankCounts, *, reason: NDArray[np.int8], exact: Floats | None = None) -> MetricValues:
    """Compute the probability that a positive scores above a negative, ties counting half: 0 to 1, 0.5 for guessing.

    Support: labels of the rarer class. The value counts all of a bin as tied; `bound` is half the tied mass, or 0 where
    the value is known to be `exact`. The interval is DeLong's (1988, Biometrics 44) on the scale of log-odds, with
    Student's quantile for the kurtosis of the placements and the variance of a trace of unseen cases (`UNSEEN_CASES`,
    `MODELLED_CASES`), without the bound.
    """
    positives, negatives = ranks.positives, ranks.negatives
    total_positives, total_negatives = ranks.total_positives, ranks.total_negatives
    pairs = total_positives * total_negatives
    below = 1 - (ranks.negatives_above + negatives / 2) * ratio(1.0, total_negatives)[:, None]
    above = (ranks.positives_above + positives / 2) * ratio(1.0, total_positives)[:, None]
    area = ratio(np.einsum("kb,kb->k", positives, below), total_positives)
    value = _known(exact, area)
    inner = ratio(value * pairs + 0.5, pairs + 1)
    first = _placement_variance(positives, below, total_positives, area, inner / (2 - inner) - inner**2)
    second = _placement_variance(negatives, above, total_negatives, area, 2 * inner**2 / (1 + inner) - inner**2)
    variance = first[0] + second[0]
    degrees = ratio(variance**2, first[0] ** 2 / first[1] + second[0] ** 2 / second[1])
    bound = _known(exact, ratio(0.5 * np.einsum("kb,kb->k", positives, negatives), pairs), 0.0)
    interval = intervals.logit_interval(inner, variance, intervals.t_isf_975(degrees))
    interval = intervals.widen_to_contain(value, interval)
    return metric_values(value, np.minimum(total_positives, total_negatives), interval, reason=reason, bound=bound)


def average_precision(ranks: RankCounts, *, reason: NDArray[np.int8], exact: Floats | None = None) -> MetricValues:
    """Compute the mean over positives of the precision among all that score at least as high: the base rate to 1.

    Sum over thresholds of precision times the step of recall, as in scikit-learn; no interpolation. Support: positives.
    The value counts all of a bin as tied; `bound` is the distance to the best or the worst order within bins, or 0
    where the value is known to be `exact`. The interval is the delta method's on the scale of log-odds, mixed with that
    of a plain proportion (Boyd, Eng & Page 2013, ECML) while positives are few; it does not include the bound.
    """
    positives = ranks.total_positives
    tied, best, worst = (ratio(total, positives) for total in _precision_sums(ranks))
    value, bound = _known(exact, tied), _known(exact, np.maximum(best - tied, tied - worst), 0.0)
    plain = ratio(value * (1 - value), positives)
    variance = (positives * _precision_variance(ranks) + PRIOR_CASES * plain) / (positives + PRIOR_CASES)
    inner = ratio(value * positives + 0.5, positives + 1)
    interval = intervals.widen_to_contain(value, intervals.logit_interval(inner, variance))
    return metric_values(value, positives, interval, reason=reason, bound=bound)


def roc_auc_macro(ranked: NDArray[np.int64]) -> MetricValues:
    """Compute the mean over classes of the ROC AUC of the class against all others: 0 to 1, 0.5 for guessing.

    Over the classes that have labels; undefined with fewer than two. Support: labels of the rarest of them. Bound and
    interval are the classes' on average: their errors are assumed to be correlated. `ranked` is [K, C, 3, 257].
    """
    count = ranked[..., :BINS].astype(np.float64)
    cells, classes = count.shape[:2]
    flat = count.reshape(cells * classes, 3, BINS)
    labels = count[:, :, CORRECT].sum(axis=2)
    present = (labels > 0) & (count[:, :, WRONG].sum(axis=2) > 0)
    each = roc_auc(
        RankCounts.from_bins(flat[:, CORRECT], flat[:, WRONG]),
        reason=first_reason((~present.ravel(), UndefinedReason.CLASS_ABSENT)),
    )
    assert each.bound is not None
    value, low, high, bound = (
        ratio(np.where(present, values.reshape(cells, classes), 0.0).sum(axis=1), present.sum(axis=1))
        for values in (each.value, each.low, each.high, each.bound)
    )
    rarest = np.min(np.where(present, labels, np.inf), axis=1)
    reason = first_reason(
        (np.logical_not(count[:, :, :UNLABELLED].any(axis=(1, 2, 3))), UndefinedReason.NO_SCORES),
        (np.logical_not(present.any(axis=1)), UndefinedReason.ONE_CLASS),
    )
    return metric_values(value, np.where(np.isfinite(rarest), rarest, 0.0), (low, high), reason=reason, bound=bound)


def _known(exact: Floats | None, otherwise: Floats, known: Floats | float | None = None) -> Floats:
    """Return the exact value, or what is given in its place, where that is known; `otherwise` elsewhere."""
    if exact is None:
        return otherwise
    return np.where(np.isnan(exact), otherwise, exact if known is None else known)


def _placement_variance(
    count: Floats, placement: Floats, cases: Floats, area: Floats, modelled: Floats
) -> tuple[Floats, Floats]:
    """Return the variance of the mean placement of one class, and its degrees of freedom.

    Args:
        count: Cases of the class by bin, [K, B].
        placement: Proportion of the other class that a case of each bin is ranked right against, [K, B].
        cases: All cases of the class, [K].
        area: Mean of the placements, [K].
        modelled: Variance of the placements as Hanley & McNeil model it, [K].
    """
    deviation = placement - area[:, None]
    square = deviation * deviation
    weighted = count * square
    second, fourth = (ratio(np.einsum("kb,kb->k", *pair), cases) for pair in ((count, square), (weighted, square)))
    unseen = (area * cases + 0.5) / (cases + 1)
    unseen = unseen * (1 - unseen)
    total = cases * second + UNSEEN_CASES * unseen + MODELLED_CASES * modelled
    variance = total / (cases + UNSEEN_CASES + MODELLED_CASES) / np.maximum(cases - 1, 1)
    degrees = intervals.effective_degrees(cases, second, fourth)
    return variance, np.maximum(degrees, intervals.MIN_DEGREES)


def _precision_sums(ranks: RankCounts) -> tuple[Floats, Floats, Floats]:
    """Return the sums over positives of their precision, [K] each: all of a bin tied, in the best order, in the worst.

    A bin of p positives and n negatives, after a positives and b negatives that score higher, has its positives tied
    with its negatives: (a + p) / (a + p + b + n); at best before them: (a + p) / (a + p + b); at worst one by one
    behind them: (a + i) / (a + i + b + n).
    """
    hits = ranks.positives_above + ranks.positives
    alarms = ranks.negatives_above + ranks.negatives
    tied, best = (
        np.einsum("kb,kb->k", ranks.positives, np.divide(hits, rows, out=np.zeros_like(rows), where=rows > 0))
        for rows in (hits + alarms, hits + ranks.negatives_above)
    )
    np.add(hits, alarms, out=hits)
    lost = _harmonic(hits)
    np.subtract(hits, ranks.positives, out=hits)
    lost -= _harmonic(hits)
    return tied, best, ranks.total_positives - np.einsum("kb,kb->k", alarms, lost)


@cache
def _harmonics() -> Floats:
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, HARMONIC_TABLE_SIZE))])


def _harmonic(count: Floats) -> Floats:
    """Return 1 + 1/2 + ... + 1/count of integers; beyond the table by its expansion, which errs by under 1e-16."""
    numbers: Floats = _harmonics()[np.minimum(count, HARMONIC_TABLE_SIZE - 1).astype(np.int64)]
    beyond = count >= HARMONIC_TABLE_SIZE
    if beyond.any():
        n = count[beyond]
        numbers[beyond] = np.log(n) + np.euler_gamma + 0.5 / n - 1 / (12 * n * n)
    return numbers


def _precision_variance(ranks: RankCounts) -> Floats:
    """Return the delta method's variance of average precision, each bin counted half before and half after itself."""
    positives, negatives = ranks.positives, ranks.negatives
    hits, alarms = ranks.positives_above + positives / 2, ranks.negatives_above + negatives / 2
    rows = hits + alarms
    inverse = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0)
    precision = hits * inverse
    mean = ratio(np.einsum("kb,kb->k", positives, precision), ranks.total_positives)
    # Change that one more positive, or negative, makes to the precision of a positive that scores lower.
    lost = positives * inverse
    gained = lost * (1 - precision)
    lost *= precision
    up = np.cumsum(gained, axis=1) - gained / 2 + precision - mean[:, None]
    down = np.cumsum(lost, axis=1) - lost / 2
    variance = np.einsum("kb,kb,kb->k", positives, up, up) + np.einsum("kb,kb,kb->k", negatives, down, down)
    return ratio(variance, ranks.total_positives**2)
