"""A tally of any kind → its metrics: the one way in."""

from __future__ import annotations

from modeltop.predictions.aggregates.base import Aggregate
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.metrics import binary, drift, multiclass, regression
from modeltop.predictions.metrics import drift as quality
from modeltop.predictions.metrics.base import MetricValues
from modeltop.predictions.metrics.binary import Cost


def compute_metrics(tally: Aggregate, *, cost: Cost | None = None) -> dict[str, MetricValues]:
    """All metrics of a tally by their registered names, in the order in which people read them.

    Args:
        tally: Of K cells; a few hundred at a time keep memory flat.
        cost: What errors of a binary model cost; without it there is no `cost_per_1000_rows`.

    Raises:
        TypeError: The tally is of no known kind.
    """
    match tally:
        case BinaryCounts():
            return binary.compute_binary(tally, cost=cost)
        case MulticlassCounts():
            return multiclass.compute_multiclass(tally)
        case RegressionSums():
            return regression.compute_regression(tally)
        case FeatureCounts():
            return quality.compute_quality(tally) | drift.compute_drift(tally)
    raise TypeError(f"a {type(tally).__name__} has no metrics")
