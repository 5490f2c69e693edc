"""Metrics of drift away from the reference, one column at a time: the segment is `feature=NAME`.

Lower is nearer to the reference, which is not the same as better: they explain, and at most they warn.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)
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
        aliases=(
            "ks",
            "ks_statistic",
            "kolmogorov_smirnov",
            "ks_stat",
            "kolmogorov_smirnov_statistic",
            "kolmogorov_smirnov_distance",
        ),
        title="Kolmogorov-Smirnov distance",
    ),
    _distance(
        "wasserstein_normed",
        aliases=(
            "wasserstein",
            "wasserstein_distance",
            "earth_mover_distance",
            "earth_movers_distance",
        ),
        title="Wasserstein distance in standard deviations of the reference",
    ),
    _distance(
        "chi_squared",
        digits=1,
        family="",
        aliases=(
            "chi2",
            "chi_square",
            "chi2_statistic",
            "chi2_stat",
            "chi_squared_statistic",
        ),
        title="chi-squared statistic against the reference",
    ),
    # A p-value also gets small with the sample size: neither direction is better.
    Metric(
        "chi_squared_p",
        Direction.NEITHER,
        SHARE,
        aliases=(
            "chi2_p",
            "chi_square_p",
            "chi2_p_value",
            "chi_squared_p_value",
        ),
        title="p-value of the chi-squared test",
        needs_labels=False,
    ),
    _distance(
        "drifted_share",
        bounds=SHARE,
        proportion=True,
        aliases=(
            "share_of_drifted_columns",
            "moved_share",
            "share_of_drifted_features",
            "drifted_columns_share",
            "drifted_features_share",
            "dataset_drift_share",
            "drifted_columns_count_share",
        ),
        title="share of columns that moved",
    ),
    _quality(
        "missing_rate",
        support="rows",
        aliases=(
            "null_rate",
            "missing_share",
            "share_of_missing_values",
            "share_of_missing",
            "missing_values_share",
            "missing_values_rate",
            "missing_ratio",
            "missing_fraction",
            "null_ratio",
            "null_share",
            "null_fraction",
            "nan_rate",
            "missing_value_count_share",
        ),
        title="share of rows without a value",
    ),
    _quality(
        "unseen_category_rate",
        aliases=(
            "unseen_rate",
            "new_category_rate",
            "unseen_values_rate",
            "unseen_value_rate",
        ),
        title="share of values that the reference never had",
    ),
    *(
        Metric(name, Direction.LOWER, bounds, family="drift", aliases=aliases, title=title, needs_labels=False)
        for name, bounds, aliases, title in (
            ("csi", AT_LEAST_ZERO, ("characteristic_stability_index",), "characteristic stability index"),
            ("js_divergence", SHARE, ("jensen_shannon_divergence", "jsd"), "Jensen-Shannon divergence"),
            (
                "kl_divergence",
                AT_LEAST_ZERO,
                ("kl_div", "kullback_leibler", "kullback_leibler_divergence", "kld"),
                "Kullback-Leibler divergence",
            ),
            ("hellinger", SHARE, ("hellinger_distance",), "Hellinger distance"),
            ("l_infinity", SHARE, ("l_infinity_distance", "linf_distance"), "largest difference of a share"),
            ("total_variation", SHARE, ("total_variation_distance", "tvd"), "total variation distance"),
            ("energy_distance", AT_LEAST_ZERO, (), "energy distance"),
            ("mmd", AT_LEAST_ZERO, ("maximum_mean_discrepancy",), "maximum mean discrepancy"),
            ("reconstruction_error", AT_LEAST_ZERO, ("pca_reconstruction_error",), "reconstruction error"),
            (
                "domain_classifier_auroc",
                SHARE,
                ("domain_classifier_auc", "domain_classifier_roc_auc", "domain_classifier"),
                "how well a classifier tells the period from the reference",
            ),
        )
    ),
    Metric(
        "drifted_columns",
        Direction.LOWER,
        AT_LEAST_ZERO,
        digits=0,
        aliases=("number_of_drifted_columns", "drifted_columns_count", "number_of_drifted_features"),
        title="number of columns that moved",
        needs_labels=False,
    ),
    Metric("dataset_drift", Direction.LOWER, SHARE, needs_labels=False),
    # A distance or a p-value, by the test that was chosen: the name does not say which way it moves.
    Metric(
        "drift_score",
        Direction.NEITHER,
        aliases=("value_drift", "column_drift", "column_drift_score"),
        needs_labels=False,
        two_sided=True,
    ),
    Metric(
        "p_value",
        Direction.NEITHER,
        SHARE,
        aliases=("ks_p", "ks_p_value", "drift_p_value", "kolmogorov_smirnov_p_value"),
        needs_labels=False,
    ),
    Metric(
        "duplicate_rate",
        Direction.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="quality",
        aliases=("duplicate_share", "duplicate_ratio", "duplicated_rows_share", "share_of_duplicated_rows"),
        title="share of rows that are there twice",
        needs_labels=False,
    ),
    Metric(
        "out_of_range_rate",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="quality",
        aliases=("out_of_range_share", "share_of_out_of_range_values", "out_of_range_values_rate"),
        title="share of values outside the range of the reference",
        needs_labels=False,
    ),
    Metric(
        "missing_values",
        Direction.LOWER,
        (0.0, None),
        digits=0,
        aliases=(
            "number_of_missing_values",
            "missing_value_count",
            "missing_values_count",
            "dataset_missing_value_count",
        ),
        title="number of cells without a value",
        needs_labels=False,
    ),
)
