"""What is wrong with a column by itself: missing values, and categories that the reference never had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.measures.base import Measured, Why
from monitor.measures.confusion import share

if TYPE_CHECKING:
    from monitor.tallies.feature import FeatureTally


def compute_quality(tally: FeatureTally) -> dict[str, Measured]:
    """The rates of one column; that of unseen categories only if it has categories."""
    found = {"missing_rate": missing_rate(tally)}
    if not tally.reference.numeric:
        found["unseen_category_rate"] = unseen_category_rate(tally)
    return found


def missing_rate(tally: FeatureTally) -> Measured:
    """Rows without a value / rows: 0 to 1. Support: rows."""
    count = tally.count.astype(np.float64)
    return share(count[:, -1], count.sum(axis=1), Why.NO_ROWS)


def unseen_category_rate(tally: FeatureTally) -> Measured:
    """Rows whose category the reference never had / rows with a value: 0 to 1. Support: rows with a value."""
    unseen = tally.count[:, -2] if tally.unseen is None else tally.unseen
    return share(unseen.astype(np.float64), tally.count[:, :-1].sum(axis=1).astype(np.float64), Why.NO_VALUES)
