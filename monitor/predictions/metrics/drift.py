"""How far a column has moved from its reference, by the reference's own bins or categories.

Libraries differ in these; ours are, over the rows that have a value (missing ones have a rate of their own):

- PSI, JS distance and chi-squared compare shares of slots: the categories and `other`, or at most ten groups of
  numeric bins of nearly equal share in the reference. More groups would only add noise: without any change the PSI is
  about (groups - 1) (1/n + 1/m) for n and m rows, the JS distance about sqrt((groups - 1) (1/n + 1/m) / (8 ln 2)).
- KS and Wasserstein are of numeric columns, along the axis, by all bins (50 of nearly equal share).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.classification import MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, bin_edges
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio
from modeltop.predictions.metrics.binary import wilson_proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.aggregates.classification import BinaryCounts


GROUPS = 10
MIN_SHARE = 1e-4
"""An empty slot counts as this share in the PSI, which would be infinite."""
DRIFT_THRESHOLD = 0.1
"""From this effect size on a column counts as moved."""


def compute_drift(tally: FeatureCounts) -> dict[str, MetricValues]:
    """All distances of one column, by their registered names. Support: rows with a value."""
    found = {"psi": psi(tally), "js_distance": js_distance(tally)}
    if tally.reference.numeric:
        found["ks_distance"] = ks_distance(tally)
        if tally.total is not None and tally.reference.total is not None:
            found["wasserstein_normed"] = wasserstein_normed(tally)
    return found | dict(zip(("chi_squared", "chi_squared_p"), chi_squared(tally), strict=True))


def psi(tally: FeatureCounts) -> MetricValues:
    """Population stability index: 0 or more, in nats; sum of (a - b) ln(a / b) over shares a now, b in the reference.

    Empty slots count as a share of 1e-4. By custom: under 0.1 stable, over 0.25 moved (Siddiqi 2006). Symmetric in the
    shares, though the slots are the reference's.
    """
    now, then = (np.maximum(part, MIN_SHARE) for part in _shares(tally))
    return _without_interval(tally, ((now - then) * np.log(now / then)).sum(axis=1))


def js_distance(tally: FeatureCounts) -> MetricValues:
    """Jensen-Shannon distance: 0 to 1; the root of the divergence in bits (Lin 1991; Endres & Schindelin 2003).

    scipy's `jensenshannon(a, b, base=2)`; symmetric in the shares.
    """
    now, then = _shares(tally)
    middle = (now + then) / 2
    divergence = (_entropy(now, middle) + _entropy(then, middle)) / 2
    return _without_interval(tally, np.sqrt(np.clip(divergence, 0.0, 1.0)))


def ks_distance(tally: FeatureCounts) -> MetricValues:
    """Kolmogorov-Smirnov distance: 0 to 1; the greatest distance of the two distribution functions at an inner edge.

    That is a lower bound of the distance over all values; `low` is it, `high` the most that the bins allow, and `bound`
    their difference: at most the share of a bin.
    """
    now, then = _cumulated(tally)
    found = np.abs(now - then).max(axis=1)
    crossed = np.maximum(now[:, 1:] - then[:, :-1], then[:, 1:] - now[:, :-1])
    # Within a bin either function may rise first; at its edges both are known.
    most = np.maximum(found, np.minimum(crossed.max(axis=1), 1.0))
    return metric_values(found, _present(tally), (found, most), reason=_undefined(tally), bound=most - found)


def wasserstein_normed(tally: FeatureCounts) -> MetricValues:
    """Wasserstein distance: 0 or more, in standard deviations of the reference; 0.1 is a shift of the mean by 0.1.

    The area between the two distribution functions. Within each bin its signed part is exact, from the sum of the
    values; so the value is exact where the functions do not cross inside a bin, and else a little less.
    """
    assert tally.reference.edges is not None
    assert tally.total is not None
    assert tally.reference.total is not None
    areas = _areas(tally.reference.edges, tally.count, tally.total)
    areas -= _areas(tally.reference.edges, tally.reference.count[None], tally.reference.total[None])
    deviation = tally.reference.deviation
    flat = np.full(len(tally), not deviation > 0)
    value = ratio(np.abs(areas).sum(axis=1), deviation)
    return metric_values(value, _finite(tally.count), reason=_undefined(tally, (flat, UndefinedReason.NO_SPREAD)))


def chi_squared(tally: FeatureCounts) -> tuple[MetricValues, MetricValues]:
    """Pearson's statistic of (period, reference) by slot, 0 or more, and its p-value (Pearson 1900).

    scipy's `chi2_contingency(correction=False)` over the slots that either has rows in. It grows with the rows for the
    same change, so it is no effect size: the p-value says that something moved, not that it matters.
    """
    now, then = _counts(tally)
    both = now + then
    total, mine = both.sum(axis=1, keepdims=True), now.sum(axis=1, keepdims=True)
    expected = ratio(both * mine, total)
    rest = both - expected
    # The two rows of the table err by the same amount in opposite directions.
    terms = np.where(both > 0, (now - expected) ** 2 * (ratio(1.0, expected) + ratio(1.0, rest)), 0.0)
    statistic = terms.sum(axis=1)
    degrees = (both > 0).sum(axis=1) - 1
    chance = [chi2_sf(float(x), int(nu)) for x, nu in zip(statistic, degrees, strict=True)]
    return _without_interval(tally, statistic), _without_interval(tally, np.array(chance))


def chi2_sf(statistic: float, degrees: int) -> float:
    """The chance that chi-squared with that many whole degrees of freedom exceeds the statistic; 1 for none.

    >>> round(chi2_sf(3.841, 1), 3), round(chi2_sf(16.92, 9), 3)
    (0.05, 0.05)
    """
    if degrees < 1 or not statistic > 0:
        return 1.0 if not math.isnan(statistic) else math.nan
    half = statistic / 2
    # Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1), from Q(1/2, x) = erfc(sqrt(x)) or Q(1, x) = e^-x.
    found, power = (math.exp(-half), 1.0) if degrees % 2 == 0 else (math.erfc(math.sqrt(half)), 0.5)
    while power < degrees / 2:
        found += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
        power += 1
    return min(found, 1.0)


def effect_size(found: dict[str, MetricValues]) -> MetricValues:
    """The distance by which a column counts as moved: the normed Wasserstein if it has one, else the JS distance."""
    return found.get("wasserstein_normed") or found["js_distance"]


def drifted_share(effects: list[MetricValues]) -> MetricValues:
    """Share of columns whose effect size is at least 0.1: 0 to 1. Support: columns whose effect is defined.

    In periods of fewer than some 200 rows the noise alone reaches 0.1; see the support of the columns.
    """
    sizes = np.stack([found.value for found in effects])
    known = ~np.isnan(sizes)
    columns = known.sum(axis=0).astype(np.float64)
    moved = (known & (np.nan_to_num(sizes) >= DRIFT_THRESHOLD)).sum(axis=0)
    return metric_values(ratio(moved, columns), columns, reason=first_reason((columns == 0, UndefinedReason.NO_VALUES)))


def _without_interval(tally: FeatureCounts, value: Floats) -> MetricValues:
    return metric_values(value, _present(tally), reason=_undefined(tally))


def _undefined(tally: FeatureCounts, *more: tuple[NDArray[np.bool_], UndefinedReason]) -> NDArray[np.int8]:
    empty = np.full(len(tally), tally.reference.count[:-1].sum() == 0)
    rows = tally.count.sum(axis=1) == 0
    return first_reason(
        (rows, UndefinedReason.NO_ROWS),
        (_present(tally) == 0, UndefinedReason.NO_VALUES),
        (empty, UndefinedReason.EMPTY_REFERENCE),
        *more,
    )


def _present(tally: FeatureCounts) -> Floats:
    found: Floats = tally.count[:, :-1].sum(axis=1).astype(np.float64)
    return found


def _finite(count: NDArray[np.int64]) -> Floats:
    found: Floats = count[:, :-2].sum(axis=1).astype(np.float64)
    return found


def _counts(tally: FeatureCounts) -> tuple[Floats, Floats]:
    """Rows by group of slots, now and in the reference: [K, G] and [1, G]."""
    groups = slot_groups(tally.reference)
    member = np.zeros((len(groups), groups.max() + 1))
    member[np.arange(len(groups)), groups] = 1.0
    then = tally.reference.count[None, :-1].astype(np.float64)
    return tally.count[:, :-1].astype(np.float64) @ member, then @ member


def slot_groups(reference: FeatureReference) -> NDArray[np.int64]:
    """The group of each slot, then that of `other`: each category its own; bins by tenths of the reference."""
    slots = reference.slots
    if not reference.numeric or slots <= GROUPS:
        return np.arange(slots + 1)
    count = reference.count[:slots]
    middle = np.cumsum(count) - count / 2
    tenth = np.floor(ratio(middle * GROUPS, np.full(slots, count.sum()))).astype(np.int64) if count.any() else middle
    _, group = np.unique(tenth, return_inverse=True)
    return np.append(group, group.max() + 1)


def _shares(tally: FeatureCounts) -> tuple[Floats, Floats]:
    now, then = _counts(tally)
    used = (now + then).any(axis=0)
    now, then = now[:, used], then[:, used]
    return ratio(now, now.sum(axis=1, keepdims=True)), ratio(then, then.sum(axis=1, keepdims=True))


def _entropy(share: Floats, middle: Floats) -> Floats:
    """Sum of share · log2(share / middle), where 0 · log 0 is 0; NaN where there are no shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(share == 0, 0.0, share * np.log2(share / middle))
    found: Floats = terms.sum(axis=1)
    return found


def _cumulated(tally: FeatureCounts) -> tuple[Floats, Floats]:
    """The two distribution functions at the ends of the bins, from 0 to 1: [K, S + 1] and [1, S + 1]."""
    now, then = tally.count[:, :-2], tally.reference.count[None, :-2]
    return _from_zero(now), _from_zero(then)


def _from_zero(count: NDArray[np.int64]) -> Floats:
    steps = np.cumsum(count, axis=1)
    return np.concatenate([np.zeros((len(count), 1)), ratio(steps, steps[:, -1:])], axis=1)


def _areas(edges: Floats, count: NDArray[np.int64], total: Floats) -> Floats:
    """The integral of the distribution function over each bin, [K, S]; of the last, of the function less 1.

    By parts, over [a, b): b F(b) - a F(a) - the bin's own part of the mean. The first bin begins where F is 0.
    """
    inner = _from_zero(count[:, :-2])[:, 1:-1] * edges
    start = np.zeros((len(count), 1))
    end = np.full((len(count), 1), edges[-1] if len(edges) else 0.0)
    upper, lower = np.concatenate([inner, end], axis=1), np.concatenate([start, inner], axis=1)
    found: Floats = upper - lower - ratio(total, _finite(count)[:, None])
    return found


SCORE, PREDICTION = "score", "prediction"


def score_column(tally: BinaryCounts, reference: BinaryCounts) -> FeatureCounts:
    """The scores of K cells against those of the first cell of the reference; the bins are the tally's own."""
    count, total = _scores(tally)
    seen, sums = _scores(reference)
    rows, mean = seen[0, :BINS].sum(), sums[0].sum() / max(seen[0, :BINS].sum(), 1)
    squares = reference.score2[0].sum()
    deviation = float(np.sqrt(max(squares / rows - mean * mean, 0.0))) if rows else float("nan")
    bins = FeatureReference(SCORE, count=seen[0], edges=bin_edges()[1:-1], total=sums[0], deviation=deviation)
    return FeatureCounts(bins, count=count, total=total)


def prediction_column(
    tally: BinaryCounts | MulticlassCounts, reference: BinaryCounts | MulticlassCounts
) -> FeatureCounts:
    """The predictions of K cells against those of the first cell of the reference; the classes are the categories."""
    count, names = _predictions(tally)
    seen, _ = _predictions(reference)
    return FeatureCounts(FeatureReference(PREDICTION, count=seen[0], categories=names), count=count)


def _scores(tally: BinaryCounts) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    by = tally.count.sum(axis=(1, 2))
    none = np.zeros((len(by), 1), dtype=np.int64)
    return np.concatenate([by[:, :BINS], none, by[:, NO_SCORE:]], axis=1), tally.score[..., :BINS].sum(axis=(1, 2))


def _predictions(tally: BinaryCounts | MulticlassCounts) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if isinstance(tally, MulticlassCounts):
        by, names = tally.confusion.sum(axis=1), tally.classes
    else:
        by, names = tally.count.sum(axis=(1, 3)), ("0", "1")
    return np.concatenate([by, np.zeros((len(by), 2), dtype=np.int64)], axis=1), names


def compute_quality(tally: FeatureCounts) -> dict[str, MetricValues]:
    """The rates of one column; that of unseen categories only if it has categories."""
    found = {"missing_rate": missing_rate(tally)}
    if not tally.reference.numeric:
        found["unseen_category_rate"] = unseen_category_rate(tally)
    return found


def missing_rate(tally: FeatureCounts) -> MetricValues:
    """Rows without a value / rows: 0 to 1. Support: rows."""
    count = tally.count.astype(np.float64)
    return wilson_proportion(count[:, -1], count.sum(axis=1), UndefinedReason.NO_ROWS)


def unseen_category_rate(tally: FeatureCounts) -> MetricValues:
    """Rows whose category the reference never had / rows with a value: 0 to 1. Support: rows with a value."""
    unseen = tally.count[:, -2] if tally.unseen is None else tally.unseen
    return wilson_proportion(
        unseen.astype(np.float64), tally.count[:, :-1].sum(axis=1).astype(np.float64), UndefinedReason.NO_VALUES
    )
