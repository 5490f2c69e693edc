"""Metrics of how differently a model treats groups."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, CORRELATION, HIGHER, LOWER, NEITHER, SHARE, metric, register

_fairness = partial(metric, LOWER, SHARE, family="fairness", needs_labels=False)
_fairness_ratio = partial(metric, HIGHER, SHARE, family="fairness-ratio")
_difference = partial(metric, NEITHER, CORRELATION, family="fairness", needs_labels=False, two_sided=True)
_labeled_difference = partial(metric, NEITHER, CORRELATION, family="fairness", two_sided=True)

register(
    # Fairlearn's differences are the largest between any two groups: never below zero.
    _fairness("demographic_parity_difference", "dpd demographic_parity_diff"),
    metric(LOWER, SHARE, "equalized_odds_difference", "equalized_odds_diff", family="fairness"),
    metric(HIGHER, SHARE, "demographic_parity_ratio", family="fairness-ratio", needs_labels=False),
    _fairness_ratio("equalized_odds_ratio"),
    _fairness_ratio("equal_opportunity_ratio"),
    # Signed in AIF360 and others: 0 is best, or 1 of a ratio. Neither way is better.
    _difference("statistical_parity_difference", "spd"),
    _labeled_difference("equal_opportunity_difference"),
    _labeled_difference("average_odds_difference"),
    metric(NEITHER, AT_LEAST_ZERO, "disparate_impact", "disparate_impact_ratio", needs_labels=False, two_sided=True),
    metric(LOWER, AT_LEAST_ZERO, "theil_index", family="fairness"),
)
