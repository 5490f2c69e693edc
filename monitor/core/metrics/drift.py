"""Metrics of drift away from the reference, one column at a time: the segment is `feature=NAME`.

Lower is nearer to the reference, which is not the same as better: they explain, and at most they warn.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
AT_LEAST_ZERO = (0.0, None)

register(
    Metric(
        "psi",
        Direction.LOWER,
        AT_LEAST_ZERO,
        family="drift",
        aliases=("population_stability_index",),
        title="population stability index",
        needs_labels=False,
    ),
    Metric(
        "js_distance",
        Direction.LOWER,
        SHARE,
        family="drift",
        aliases=("jensen_shannon", "jensen_shannon_distance", "js"),
        title="Jensen-Shannon distance",
        needs_labels=False,
    ),
    Metric(
        "ks_distance",
        Direction.LOWER,
        SHARE,
        family="drift",
        aliases=("ks", "ks_statistic", "kolmogorov_smirnov"),
        title="Kolmogorov-Smirnov distance",
        needs_labels=False,
    ),
    Metric(
        "wasserstein_normed",
        Direction.LOWER,
        AT_LEAST_ZERO,
        family="drift",
        aliases=("wasserstein", "wasserstein_distance", "earth_mover_distance"),
        title="Wasserstein distance in standard deviations of the reference",
        needs_labels=False,
    ),
    Metric(
        "chi_squared",
        Direction.LOWER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("chi2", "chi_square"),
        title="chi-squared statistic against the reference",
        needs_labels=False,
    ),
    # A p-value is small by sample size alone: neither way is better.
    Metric(
        "chi_squared_p",
        Direction.NEITHER,
        SHARE,
        aliases=("chi2_p", "chi_square_p"),
        title="p-value of the chi-squared test",
        needs_labels=False,
    ),
    Metric(
        "drifted_share",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="drift",
        aliases=("share_of_drifted_columns", "moved_share"),
        title="share of columns that moved",
        needs_labels=False,
    ),
    Metric(
        "missing_rate",
        Direction.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="quality",
        aliases=("null_rate", "missing_share"),
        title="share of rows without a value",
        needs_labels=False,
    ),
    Metric(
        "unseen_category_rate",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="quality",
        aliases=("unseen_rate", "new_category_rate"),
        title="share of values that the reference never had",
        needs_labels=False,
    ),
)
