"""Metrics of drift away from the reference, one column at a time: the segment is `feature=NAME`.

Lower is nearer to the reference, which is not the same as better: they explain, and at most they warn.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)

_distance = partial(Metric, better=Direction.LOWER, bounds=(0.0, None), family="drift", needs_labels=False)
_quality = partial(_distance, bounds=SHARE, proportion=True, family="quality")

register(
    _distance("psi", aliases=("population_stability_index",), title="population stability index"),
    _distance(
        "js_distance",
        bounds=SHARE,
        aliases=("jensen_shannon", "jensen_shannon_distance", "js"),
        title="Jensen-Shannon distance",
    ),
    _distance(
        "ks_distance",
        bounds=SHARE,
        aliases=("ks", "ks_statistic", "kolmogorov_smirnov"),
        title="Kolmogorov-Smirnov distance",
    ),
    _distance(
        "wasserstein_normed",
        aliases=("wasserstein", "wasserstein_distance", "earth_mover_distance"),
        title="Wasserstein distance in standard deviations of the reference",
    ),
    _distance(
        "chi_squared",
        digits=1,
        family="",
        aliases=("chi2", "chi_square"),
        title="chi-squared statistic against the reference",
    ),
    # A p-value also gets small with the sample size: neither direction is better.
    Metric(
        "chi_squared_p",
        Direction.NEITHER,
        SHARE,
        aliases=("chi2_p", "chi_square_p"),
        title="p-value of the chi-squared test",
        needs_labels=False,
    ),
    _distance(
        "drifted_share",
        bounds=SHARE,
        proportion=True,
        aliases=("share_of_drifted_columns", "moved_share"),
        title="share of columns that moved",
    ),
    _quality(
        "missing_rate",
        support="rows",
        aliases=("null_rate", "missing_share"),
        title="share of rows without a value",
    ),
    _quality(
        "unseen_category_rate",
        aliases=("unseen_rate", "new_category_rate"),
        title="share of values that the reference never had",
    ),
)
