"""A tally of any kind → its metrics: the one way in."""

from __future__ import annotations

from monitor.measures import binary, drift, multiclass, quality, regression
from monitor.measures.base import Measured
from monitor.measures.confusion import Cost
from monitor.tallies.base import Tally
from monitor.tallies.binary import BinaryTally
from monitor.tallies.feature import FeatureTally
from monitor.tallies.multiclass import MulticlassTally
from monitor.tallies.regression import RegressionTally


def compute_metrics(tally: Tally, *, cost: Cost | None = None) -> dict[str, Measured]:
    """All metrics of a tally by their registered names, in the order in which people read them.

    Args:
        tally: Of K cells; a few hundred at a time keep memory flat.
        cost: What errors of a binary model cost; without it there is no `cost_per_1000_rows`.

    Raises:
        TypeError: The tally is of no known kind.
    """
    match tally:
        case BinaryTally():
            return binary.compute_binary(tally, cost=cost)
        case MulticlassTally():
            return multiclass.compute_multiclass(tally)
        case RegressionTally():
            return regression.compute_regression(tally)
        case FeatureTally():
            return quality.compute_quality(tally) | drift.compute_drift(tally)
    raise TypeError(f"a {type(tally).__name__} has no metrics")
