"""Metrics of how differently a model treats groups."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
SIGNED = (-1.0, 1.0)

register(
    # Fairlearn's differences are the largest between any two groups: never below zero.
    Metric(
        "demographic_parity_difference",
        Direction.LOWER,
        SHARE,
        family="fairness",
        aliases=("dpd", "demographic_parity_diff"),
        needs_labels=False,
    ),
    Metric("equalized_odds_difference", Direction.LOWER, SHARE, family="fairness", aliases=("equalized_odds_diff",)),
    *(
        Metric(f"{name}_ratio", Direction.HIGHER, SHARE, family="fairness-ratio", needs_labels=labels)
        for name, labels in (("demographic_parity", False), ("equalized_odds", True), ("equal_opportunity", True))
    ),
    # Signed in AIF360 and others: 0 is best, or 1 of a ratio. Neither way is better.
    Metric(
        "statistical_parity_difference",
        Direction.NEITHER,
        SIGNED,
        family="fairness",
        aliases=("spd",),
        needs_labels=False,
        two_sided=True,
    ),
    Metric("equal_opportunity_difference", Direction.NEITHER, SIGNED, family="fairness", two_sided=True),
    Metric("average_odds_difference", Direction.NEITHER, SIGNED, family="fairness", two_sided=True),
    Metric(
        "disparate_impact",
        Direction.NEITHER,
        (0.0, None),
        aliases=("disparate_impact_ratio",),
        needs_labels=False,
        two_sided=True,
    ),
    Metric("theil_index", Direction.LOWER, (0.0, None), family="fairness"),
)
