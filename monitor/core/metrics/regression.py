"""Metrics of predicted numbers: their distance from the true ones, in the target's unit unless stated otherwise."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
    AT_MOST_ONE,
    CORRELATION,
    HIGHER,
    LOWER,
    NEITHER,
    SHARE,
    UNBOUNDED,
    metric,
    register,
)

_error = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", family="error")
_squared_error = partial(metric, LOWER, AT_LEAST_ZERO, support="rows")
_signed_error = partial(metric, NEITHER, UNBOUNDED, support="rows", family="error", two_sided=True)
_relative_error = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", family="relative-error")
_explained = partial(metric, HIGHER, AT_MOST_ONE, support="rows", family="explained")
_scaled_error = partial(metric, LOWER, AT_LEAST_ZERO, family="relative-error")
_loss = partial(metric, LOWER, AT_LEAST_ZERO)
_quantile_loss = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", family="quantile-loss")
_interval_loss = partial(metric, LOWER, AT_LEAST_ZERO, family="quantile-loss")
_coverage = partial(metric, NEITHER, SHARE, support="rows", proportion=True, two_sided=True)
_signed_relative_error = partial(metric, NEITHER, UNBOUNDED, support="rows", family="relative-error", two_sided=True)
_skill = partial(metric, HIGHER, AT_MOST_ONE, support="rows")
_correlation = partial(metric, HIGHER, CORRELATION, support="rows", family="correlation")
_information_criterion = partial(metric, LOWER, UNBOUNDED, digits=1)

register(
    _error("mae", "mean_absolute_error mean_abs_error", title="mean absolute error"),
    _error("rmse", "root_mean_squared_error rmsd root_mean_square_error rms_error", title="root mean squared error"),
    _error("median_absolute_error", "medae median_ae median_abs_error"),
    _error("max_error", "maximum_error abs_max_error abs_error_max max_absolute_error"),
    # Squared: drawn with the errors above, it would flatten them.
    _squared_error("mse", "mean_squared_error mean_square_error", title="mean squared error"),
    _signed_error(
        "bias", "mean_error mean_bias_error mbe forecast_bias mean_signed_error", title="mean of prediction minus truth"
    ),
    _relative_error(
        "mape",
        "mean_absolute_percentage_error mean_abs_perc_error mean_abs_percentage_error",
        title="mean absolute percentage error",
    ),
    _relative_error(
        "smape",
        "symmetric_mape symmetric_mean_absolute_percentage_error",
        title="symmetric mean absolute percentage error",
    ),
    _relative_error(
        "wape", "wmape weighted_mape weighted_mean_absolute_percentage_error weighted_absolute_percentage_error"
    ),
    _relative_error("rmsle", "root_mean_squared_log_error root_mean_squared_logarithmic_error"),
    _explained(
        "r2", "r2_score r_squared r_2 r_square rsq coefficient_of_determination", title="coefficient of determination"
    ),
    _explained("explained_variance", "explained_variance_score explained_var"),
    _squared_error(
        "msle", "mean_squared_log_error mean_squared_logarithmic_error", title="mean squared logarithmic error"
    ),
    _relative_error(
        "nrmse",
        "normalized_rmse normalized_root_mean_squared_error rmse_normalized",
        title="root mean squared error over the range or mean of the target",
    ),
    _relative_error(
        "nmae",
        "normalized_mae normalized_mean_absolute_error",
        title="mean absolute error over the range or mean of the target",
    ),
    _relative_error("mdape", "median_absolute_percentage_error", title="median absolute percentage error"),
    _relative_error("mase", "mean_absolute_scaled_error", title="mean absolute error over that of the naive forecast"),
    _relative_error(
        "rmsse", "root_mean_squared_scaled_error", title="root mean squared error over that of the naive forecast"
    ),
    _scaled_error("relative_absolute_error", "rae"),
    _loss("relative_squared_error", "rse rrse root_relative_squared_error"),
    _scaled_error("theils_u", "theil_u", title="Theil's U"),
    _quantile_loss("pinball_loss", "mean_pinball_loss quantile_loss"),
    _interval_loss("weighted_quantile_loss", "wql w_quantile_loss mean_w_quantile_loss mean_weighted_quantile_loss"),
    _loss("interval_score", "msis winkler_score mean_interval_score mean_scaled_interval_score"),
    _loss("interval_width", "mpiw mean_prediction_interval_width"),
    # The nominal coverage is best: more is too wide, less is too sure.
    _coverage(
        "interval_coverage",
        "picp prediction_interval_coverage prediction_interval_coverage_probability",
        title="share of truths inside the interval",
    ),
    # 0 is best.
    _signed_relative_error("mean_percentage_error", "mpe", title="mean of the signed percentage error"),
    _squared_error("huber_loss", "mphe mean_pseudo_huber_error"),
    _squared_error("log_cosh", "log_cosh_error log_cosh_loss"),
    _squared_error("deviance", "residual_deviance mean_residual_deviance tweedie_deviance mean_tweedie_deviance"),
    _squared_error("poisson_deviance", "mean_poisson_deviance"),
    _squared_error("gamma_deviance", "mean_gamma_deviance"),
    _explained("adjusted_r2", "adj_r2 r2_adjusted r2_adj adjusted_r_squared"),
    _skill("d2_absolute_error", "d2_absolute_error_score"),
    _skill("d2_pinball", "d2_pinball_score"),
    _skill("d2_tweedie", "d2_tweedie_score"),
    _correlation(
        "pearson",
        "pearson_r pearson_corr pearson_corr_coef pearson_correlation pearson_correlation_coefficient",
        title="Pearson correlation",
    ),
    _correlation(
        "spearman",
        "spearman_r spearman_rho spearman_corr spearman_corr_coef spearman_correlation",
        title="Spearman correlation",
    ),
    _correlation("kendall_tau", "kendall kendall_rank_corr_coef kendall_rank_correlation", title="Kendall's tau"),
    _correlation("concordance_correlation", "ccc concordance_corr_coef concordance_correlation_coefficient"),
    metric(HIGHER, CORRELATION, "cosine_similarity", "cosine_sim embedding_similarity", support="rows"),
    _information_criterion("aic", "akaike_information_criterion"),
    _information_criterion("bic", "bayesian_information_criterion"),
    metric(HIGHER, UNBOUNDED, "log_likelihood", "loglik log_lik mean_log_likelihood"),
)
