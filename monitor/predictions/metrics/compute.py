"""The way from an aggregate of any kind to its metrics."""

from __future__ import annotations

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.base import Aggregate
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.metrics import binary, drift, multiclass, regression
from modeltop.predictions.metrics.base import MetricValues


def compute_metrics(
    aggregate: Aggregate, *, cost: binary.Cost | None = None, areas: Floats | None = None
) -> dict[str, MetricValues]:
    """Compute all metrics of an aggregate by their registered names, in the order in which people read them.

    Args:
        aggregate: Of K cells; a few hundred at a time keep memory flat.
        cost: Of the errors of a binary model; without it there is no `cost_per_1000_rows`.
        areas: Exact areas under the curves of a binary model: see `ranking.compute_ranking`.

    Raises:
        TypeError: The aggregate is of no kind that has metrics.
    """
    match aggregate:
        case BinaryCounts():
            return binary.compute_binary(aggregate, cost=cost, areas=areas)
        case MulticlassCounts():
            return multiclass.compute_multiclass(aggregate)
        case RegressionSums():
            return regression.compute_regression(aggregate)
        case FeatureCounts():
            return drift.compute_quality(aggregate) | drift.compute_drift(aggregate)
    raise TypeError(f"a {type(aggregate).__name__} has no metrics")
