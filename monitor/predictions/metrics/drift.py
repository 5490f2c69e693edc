"""Distances of a column from its reference, by the reference's own bins or categories, and rates of its bad values.

Of rows with a value. PSI, JS distance and chi-squared compare proportions of slots: the categories and `other`,
or at most ten groups of numeric bins of nearly equal size in the reference, as more would only add noise. KS and
Wasserstein are of numeric columns, along the axis, by all bins (50 of nearly equal size).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.distributions import chi2_sf
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, bin_edges
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    proportion,
    ratio,
)

GROUPS = 10
"""Groups of numeric bins that PSI, JS distance and chi-squared compare."""
MIN_PROPORTION = 1e-4
"""Proportion used for an empty slot in the PSI, which would be infinite."""
DRIFT_THRESHOLD = 0.1
"""Effect size from which on a column counts as drifted."""
SCORE, PREDICTION, LABEL = "score", "prediction", "label"
"""Names of the columns that are no features: the model's own output, and what it should have been."""


def compute_drift(counts: FeatureCounts) -> dict[str, MetricValues]:
    """Compute all distances of one column, by their registered names. Support: rows with a value."""
    metrics = {"psi": psi(counts), "js_distance": js_distance(counts)}
    if counts.reference.numeric:
        metrics["ks_distance"] = ks_distance(counts)
        if counts.total is not None and counts.reference.total is not None:
            metrics["wasserstein_normed"] = wasserstein_normed(counts)
    return metrics | dict(zip(("chi_squared", "chi_squared_p"), chi_squared(counts), strict=True))


def compute_quality(counts: FeatureCounts) -> dict[str, MetricValues]:
    """Compute the rate of missing values of one column and, if it has categories, that of unseen ones: 0 to 1."""
    rows, present = counts.count.astype(np.float64), _present(counts)
    total = rows.sum(axis=1)
    metrics = {"missing_rate": proportion(rows[:, -1], total, (total == 0, UndefinedReason.NO_ROWS))}
    if not counts.reference.numeric:
        unseen = rows[:, -2] if counts.unseen is None else counts.unseen.astype(np.float64)
        empty = present == 0, UndefinedReason.NO_VALUES
        metrics["unseen_category_rate"] = proportion(unseen, present, empty)
    return metrics


def psi(counts: FeatureCounts) -> MetricValues:
    """Compute the population stability index: the sum of (a - b) ln(a / b) over proportions a now, b in the reference.

    0 or more, in nats. Empty slots count as 1e-4. By custom: under 0.1 stable, over 0.25 moved (Siddiqi 2006).
    """
    current, reference = (np.maximum(proportions, MIN_PROPORTION) for proportions in _proportions(counts))
    return _distance(counts, ((current - reference) * np.log(current / reference)).sum(axis=1))


def js_distance(counts: FeatureCounts) -> MetricValues:
    """Compute the Jensen-Shannon distance: 0 to 1; the root of the divergence in bits (Endres & Schindelin 2003)."""
    current, reference = _proportions(counts)
    middle = (current + reference) / 2
    divergence = (_relative_entropy(current, middle) + _relative_entropy(reference, middle)) / 2
    return _distance(counts, np.sqrt(np.clip(divergence, 0.0, 1.0)))


def ks_distance(counts: FeatureCounts) -> MetricValues:
    """Compute the Kolmogorov-Smirnov distance: 0 to 1; of the two distribution functions at the inner edges.

    That is a lower bound over all values; `high` is the most that the bins allow, and `bound` their difference.
    """
    current, reference = _cumulative(counts.count[:, :-2]), _cumulative(counts.reference.count[None, :-2])
    value = np.abs(current - reference).max(axis=1)
    crossed = np.maximum(current[:, 1:] - reference[:, :-1], reference[:, 1:] - current[:, :-1])
    # Within a bin either function may rise first; at its edges both are exact.
    high = np.maximum(value, np.minimum(crossed.max(axis=1), 1.0))
    return metric_values(value, _present(counts), (value, high), reason=_reason(counts), bound=high - value)


def wasserstein_normed(counts: FeatureCounts) -> MetricValues:
    """Compute the Wasserstein distance in standard deviations of the reference: 0.1 is a shift of the mean by 0.1.

    0 or more: the area between the distribution functions, exact if these do not cross inside a bin, else less.
    """
    assert counts.reference.edges is not None
    assert counts.total is not None
    assert counts.reference.total is not None
    areas = _areas(counts.reference.edges, counts.count, counts.total)
    areas -= _areas(counts.reference.edges, counts.reference.count[None], counts.reference.total[None])
    deviation = counts.reference.deviation
    constant = np.full(len(counts), not deviation > 0)
    reason = _reason(counts, (constant, UndefinedReason.NO_SPREAD))
    return metric_values(ratio(np.abs(areas).sum(axis=1), deviation), _finite(counts.count), reason=reason)


def chi_squared(counts: FeatureCounts) -> tuple[MetricValues, MetricValues]:
    """Compute Pearson's statistic of (period, reference) by slot, 0 or more, and its p-value (Pearson 1900).

    It grows with the rows for the same change, so it is no effect size: the p-value shows only that something moved.
    """
    current, reference = _counts(counts)
    both = current + reference
    expected = ratio(both * current.sum(axis=1, keepdims=True), both.sum(axis=1, keepdims=True))
    # The two rows of the table err by the same amount in opposite directions.
    inverse = ratio(1.0, expected) + ratio(1.0, both - expected)
    statistic = np.where(both > 0, (current - expected) ** 2 * inverse, 0.0).sum(axis=1)
    p_value = chi2_sf(statistic, (both > 0).sum(axis=1) - 1)
    return _distance(counts, statistic), _distance(counts, p_value)


def effect_size(metrics: dict[str, MetricValues]) -> MetricValues:
    """Return the distance by which a column counts as drifted: the normed Wasserstein if any, else the JS distance."""
    return metrics.get("wasserstein_normed") or metrics["js_distance"]


def drifted_share(effects: list[MetricValues]) -> MetricValues:
    """Compute the proportion of columns whose effect size is 0.1 or more. Support: columns whose effect is defined.

    In periods of fewer than some 200 rows the noise alone reaches 0.1; see the support of the columns.
    """
    sizes = np.stack([effect.value for effect in effects])
    defined = ~np.isnan(sizes)
    columns = defined.sum(axis=0).astype(np.float64)
    drifted = (defined & (np.nan_to_num(sizes) >= DRIFT_THRESHOLD)).sum(axis=0)
    reason = first_reason((columns == 0, UndefinedReason.NO_VALUES))
    return metric_values(ratio(drifted, columns), columns, reason=reason)


def slot_groups(reference: FeatureReference) -> NDArray[np.int64]:
    """Return the group of each slot, then that of `other`: each category its own; bins by tenths of the reference."""
    slots = reference.slots
    if not reference.numeric or slots <= GROUPS:
        return np.arange(slots + 1)
    count = reference.count[:slots]
    middle = np.cumsum(count) - count / 2
    tenth = np.floor(ratio(middle * GROUPS, np.full(slots, count.sum()))).astype(np.int64) if count.any() else middle
    _, group = np.unique(tenth, return_inverse=True)
    return np.append(group, group.max() + 1)


def score_column(counts: BinaryCounts, reference: BinaryCounts) -> FeatureCounts:
    """Return the scores of K cells against those of the first cell of the reference, by the 256 bins of scores."""
    count, total = _scores(counts)
    reference_count, reference_total = _scores(reference)
    rows = reference_count[0, :BINS].sum()
    mean = reference_total[0].sum() / max(rows, 1)
    variance = max(reference.score2[0].sum() / rows - mean * mean, 0.0) if rows else np.nan
    bins = FeatureReference(
        SCORE, reference_count[0], edges=bin_edges()[1:-1], total=reference_total[0], deviation=float(np.sqrt(variance))
    )
    return FeatureCounts(bins, count=count, total=total)


def prediction_column(
    counts: BinaryCounts | MulticlassCounts, reference: BinaryCounts | MulticlassCounts
) -> FeatureCounts:
    """Return the predictions of K cells against those of the first cell of the reference; classes are categories."""
    count, classes = _predictions(counts)
    reference_count, _ = _predictions(reference)
    return FeatureCounts(FeatureReference(PREDICTION, count=reference_count[0], categories=classes), count=count)


def label_column(counts: MulticlassCounts, reference: MulticlassCounts) -> FeatureCounts:
    """Return the labels of K cells against those of the first cell of the reference; classes are categories."""
    reference_count = _with_rest(reference.confusion[:1, :-1].sum(axis=2))
    bins = FeatureReference(LABEL, count=reference_count[0], categories=counts.classes)
    return FeatureCounts(bins, count=_with_rest(counts.confusion[:, :-1].sum(axis=2)))


def _scores(counts: BinaryCounts) -> tuple[NDArray[np.int64], Floats]:
    rows = counts.count.sum(axis=(1, 2))
    other = np.zeros((len(rows), 1), dtype=np.int64)
    total: Floats = counts.score[..., :BINS].sum(axis=(1, 2))
    return np.concatenate([rows[:, :BINS], other, rows[:, NO_SCORE:]], axis=1), total


def _predictions(counts: BinaryCounts | MulticlassCounts) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if isinstance(counts, MulticlassCounts):
        rows, classes = counts.confusion.sum(axis=1), counts.classes
    else:
        rows, classes = counts.count.sum(axis=(1, 3)), ("0", "1")
    return _with_rest(rows), classes


def _with_rest(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts by class with the slots of other and missing ones, which are empty."""
    return np.concatenate([rows, np.zeros((len(rows), 2), dtype=np.int64)], axis=1)


def _distance(counts: FeatureCounts, value: Floats) -> MetricValues:
    return metric_values(value, _present(counts), reason=_reason(counts))


def _reason(counts: FeatureCounts, *more: tuple[Flags, UndefinedReason]) -> NDArray[np.int8]:
    empty = np.full(len(counts), counts.reference.count[:-1].sum() == 0)
    return first_reason(
        (counts.count.sum(axis=1) == 0, UndefinedReason.NO_ROWS),
        (_present(counts) == 0, UndefinedReason.NO_VALUES),
        (empty, UndefinedReason.EMPTY_REFERENCE),
        *more,
    )


def _present(counts: FeatureCounts) -> Floats:
    """Return the rows that have a value, [K]."""
    return np.asarray(counts.count[:, :-1].sum(axis=1), dtype=np.float64)


def _finite(count: NDArray[np.int64]) -> Floats:
    """Return the rows that have a slot, neither `other` nor missing, [K]."""
    return np.asarray(count[:, :-2].sum(axis=1), dtype=np.float64)


def _counts(counts: FeatureCounts) -> tuple[Floats, Floats]:
    """Return rows by group of slots, now and in the reference: [K, G] and [1, G]."""
    groups = slot_groups(counts.reference)
    member = np.zeros((len(groups), groups.max() + 1))
    member[np.arange(len(groups)), groups] = 1.0
    reference = counts.reference.count[None, :-1].astype(np.float64)
    return counts.count[:, :-1].astype(np.float64) @ member, reference @ member


def _proportions(counts: FeatureCounts) -> tuple[Floats, Floats]:
    """Return proportions by group of slots that has rows, now and in the reference."""
    current, reference = _counts(counts)
    used = (current + reference).any(axis=0)
    current, reference = current[:, used], reference[:, used]
    return ratio(current, current.sum(axis=1, keepdims=True)), ratio(reference, reference.sum(axis=1, keepdims=True))


def _relative_entropy(proportions: Floats, middle: Floats) -> Floats:
    """Return the sum of p · log2(p / middle), with 0 · log 0 = 0; NaN if there are no proportions."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(proportions == 0, 0.0, proportions * np.log2(proportions / middle))
    return np.asarray(terms.sum(axis=1))


def _cumulative(count: NDArray[np.int64]) -> Floats:
    """Return the distribution function at the ends of S bins, from 0 to 1: [K, S + 1]."""
    steps = np.cumsum(count, axis=1)
    return np.concatenate([np.zeros((len(count), 1)), ratio(steps, steps[:, -1:])], axis=1)


def _areas(edges: Floats, count: NDArray[np.int64], total: Floats) -> Floats:
    """Return the integral of the distribution function over each bin, [K, S]; for the last, of the function less 1.

    By parts, over [a, b): b F(b) - a F(a) - the bin's own part of the mean. The first bin starts at F = 0.
    """
    inner = _cumulative(count[:, :-2])[:, 1:-1] * edges
    first = np.zeros((len(count), 1))
    last = np.full((len(count), 1), edges[-1] if len(edges) else 0.0)
    upper, lower = np.concatenate([inner, last], axis=1), np.concatenate([first, inner], axis=1)
    return np.asarray(upper - lower - ratio(total, _finite(count)[:, None]))
