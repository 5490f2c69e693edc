"""Metrics of drift away from the reference, one column at a time: the segment is `feature=NAME`.

Lower is nearer to the reference, which is not the same as better: they explain, and at most they warn.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, LOWER, NEITHER, SHARE, UNBOUNDED, metric, register

_drift = partial(metric, LOWER, AT_LEAST_ZERO, family="drift", needs_labels=False)
_bounded_drift = partial(metric, LOWER, SHARE, family="drift", needs_labels=False)
_statistic = partial(metric, LOWER, AT_LEAST_ZERO, digits=1, needs_labels=False)
_p_value = partial(metric, NEITHER, SHARE, needs_labels=False)
_drift_share = partial(metric, LOWER, SHARE, proportion=True, family="drift", needs_labels=False)
_quality = partial(metric, LOWER, SHARE, support="rows", proportion=True, family="quality", needs_labels=False)
_column_quality = partial(metric, LOWER, SHARE, proportion=True, family="quality", needs_labels=False)
_counts = partial(metric, LOWER, AT_LEAST_ZERO, digits=0, needs_labels=False)
_undirected = partial(metric, NEITHER, UNBOUNDED, needs_labels=False, two_sided=True)

register(
    _drift("psi", "population_stability_index", title="population stability index"),
    _bounded_drift("js_distance", "jensen_shannon jensen_shannon_distance js", title="Jensen-Shannon distance"),
    _bounded_drift(
        "ks_distance",
        "ks ks_statistic kolmogorov_smirnov ks_stat kolmogorov_smirnov_statistic kolmogorov_smirnov_distance",
        title="Kolmogorov-Smirnov distance",
    ),
    _drift(
        "wasserstein_normed",
        "wasserstein wasserstein_distance earth_mover_distance earth_movers_distance",
        title="Wasserstein distance in standard deviations of the reference",
    ),
    _statistic(
        "chi_squared",
        "chi2 chi_square chi2_statistic chi2_stat chi_squared_statistic",
        title="chi-squared statistic against the reference",
    ),
    # A p-value also gets small with the sample size: neither direction is better.
    _p_value(
        "chi_squared_p", "chi2_p chi_square_p chi2_p_value chi_squared_p_value", title="p-value of the chi-squared test"
    ),
    _drift_share(
        "drifted_share",
        "share_of_drifted_columns moved_share share_of_drifted_features drifted_columns_share "
        "drifted_features_share dataset_drift_share drifted_columns_count_share",
        title="share of columns that moved",
    ),
    _quality(
        "missing_rate",
        "null_rate missing_share share_of_missing_values share_of_missing missing_values_share "
        "missing_values_rate missing_ratio missing_fraction null_ratio null_share null_fraction nan_rate "
        "missing_value_count_share",
        title="share of rows without a value",
    ),
    _column_quality(
        "unseen_category_rate",
        "unseen_rate new_category_rate unseen_values_rate unseen_value_rate",
        title="share of values that the reference never had",
    ),
    _drift("csi", "characteristic_stability_index", title="characteristic stability index"),
    _bounded_drift("js_divergence", "jensen_shannon_divergence jsd", title="Jensen-Shannon divergence"),
    _drift(
        "kl_divergence", "kl_div kullback_leibler kullback_leibler_divergence kld", title="Kullback-Leibler divergence"
    ),
    _bounded_drift("hellinger", "hellinger_distance", title="Hellinger distance"),
    _bounded_drift("l_infinity", "l_infinity_distance linf_distance", title="largest difference of a share"),
    _bounded_drift("total_variation", "total_variation_distance tvd", title="total variation distance"),
    _drift("energy_distance", title="energy distance"),
    _drift("mmd", "maximum_mean_discrepancy", title="maximum mean discrepancy"),
    _drift("reconstruction_error", "pca_reconstruction_error", title="reconstruction error"),
    _bounded_drift(
        "domain_classifier_auroc",
        "domain_classifier_auc domain_classifier_roc_auc domain_classifier",
        title="how well a classifier tells the period from the reference",
    ),
    _counts(
        "drifted_columns",
        "number_of_drifted_columns drifted_columns_count number_of_drifted_features",
        title="number of columns that moved",
    ),
    metric(LOWER, SHARE, "dataset_drift", needs_labels=False),
    # A distance or a p-value, by the test that was chosen: the name does not say which way it moves.
    _undirected("drift_score", "value_drift column_drift column_drift_score"),
    _p_value("p_value", "ks_p ks_p_value drift_p_value kolmogorov_smirnov_p_value"),
    _quality(
        "duplicate_rate",
        "duplicate_share duplicate_ratio duplicated_rows_share share_of_duplicated_rows",
        title="share of rows that are there twice",
    ),
    _column_quality(
        "out_of_range_rate",
        "out_of_range_share share_of_out_of_range_values out_of_range_values_rate",
        title="share of values outside the range of the reference",
    ),
    _counts(
        "missing_values",
        "number_of_missing_values missing_value_count missing_values_count dataset_missing_value_count",
        title="number of cells without a value",
    ),
)
