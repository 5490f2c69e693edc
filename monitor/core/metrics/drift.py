"""Metrics of change against the reference, a column at a time: the segment is `feature=NAME`.

Lower is nearer to the reference, which is not the same as better: they explain, and at most they warn.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Better

SHARE = (0.0, 1.0)
AT_LEAST_ZERO = (0.0, None)

register(
    Metric(
        "psi",
        Better.LOWER,
        AT_LEAST_ZERO,
        family="drift",
        aliases=("population_stability_index",),
        title="population stability index",
        labels=False,
    ),
    Metric(
        "js_distance",
        Better.LOWER,
        SHARE,
        family="drift",
        aliases=("jensen_shannon", "jensen_shannon_distance", "js"),
        title="Jensen-Shannon distance",
        labels=False,
    ),
    Metric(
        "ks_distance",
        Better.LOWER,
        SHARE,
        family="drift",
        aliases=("ks", "ks_statistic", "kolmogorov_smirnov"),
        title="Kolmogorov-Smirnov distance",
        labels=False,
    ),
    Metric(
        "wasserstein_normed",
        Better.LOWER,
        AT_LEAST_ZERO,
        family="drift",
        aliases=("wasserstein", "wasserstein_distance", "earth_mover_distance"),
        title="Wasserstein distance in standard deviations of the reference",
        labels=False,
    ),
    Metric(
        "chi_squared",
        Better.LOWER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("chi2", "chi_square"),
        title="chi-squared statistic against the reference",
        labels=False,
    ),
    # A p-value is small by size of sample alone: it has no good side.
    Metric(
        "chi_squared_p",
        Better.NEITHER,
        SHARE,
        aliases=("chi2_p", "chi_square_p"),
        title="p-value of the chi-squared test",
        labels=False,
    ),
    Metric(
        "drifted_share",
        Better.LOWER,
        SHARE,
        proportion=True,
        family="drift",
        aliases=("share_of_drifted_columns", "moved_share"),
        title="share of columns that moved",
        labels=False,
    ),
)


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
