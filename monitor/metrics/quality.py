"""Metrics of the data itself, a column at a time: the segment is `feature=NAME`. They explain; at most they warn."""

from __future__ import annotations

from monitor.metrics.base import Metric, register
from monitor.records import Better

SHARE = (0.0, 1.0)

register(
    Metric(
        "missing_rate",
        Better.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="quality",
        aliases=("null_rate", "missing_share"),
        title="share of rows without a value",
        labels=False,
    ),
    Metric(
        "unseen_category_rate",
        Better.LOWER,
        SHARE,
        proportion=True,
        family="quality",
        aliases=("unseen_rate", "new_category_rate"),
        title="share of values that the reference never had",
        labels=False,
    ),
)
