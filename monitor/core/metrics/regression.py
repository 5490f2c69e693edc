"""Metrics of predicted numbers: their distance from the true ones, in the target's unit unless stated otherwise."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_MOST_ONE = (None, 1.0)
CORRELATION = (-1.0, 1.0)
AT_LEAST_ZERO = (0.0, None)
SHARE = (0.0, 1.0)
_error = partial(Metric, better=Direction.LOWER, bounds=(0.0, None), support="rows", family="error")
_relative_error = partial(_error, family="relative-error")
_explained = partial(Metric, better=Direction.HIGHER, bounds=(None, 1.0), support="rows", family="explained")

register(
    _error(
        "mae",
        aliases=(
            "mean_absolute_error",
            "mean_abs_error",
        ),
        title="mean absolute error",
    ),
    _error(
        "rmse",
        aliases=(
            "root_mean_squared_error",
            "rmsd",
            "root_mean_square_error",
            "rms_error",
        ),
        title="root mean squared error",
    ),
    _error(
        "median_absolute_error",
        aliases=(
            "medae",
            "median_ae",
            "median_abs_error",
        ),
    ),
    _error(
        "max_error",
        aliases=(
            "maximum_error",
            "abs_max_error",
            "abs_error_max",
            "max_absolute_error",
        ),
    ),
    # Squared: drawn with the errors above, it would flatten them.
    _error(
        "mse",
        family="",
        aliases=(
            "mean_squared_error",
            "mean_square_error",
        ),
        title="mean squared error",
    ),
    Metric(
        "bias",
        Direction.NEITHER,
        support="rows",
        family="error",
        aliases=(
            "mean_error",
            "mean_bias_error",
            "mbe",
            "forecast_bias",
            "mean_signed_error",
        ),
        title="mean of prediction minus truth",
        two_sided=True,
    ),
    _relative_error(
        "mape",
        aliases=(
            "mean_absolute_percentage_error",
            "mean_abs_perc_error",
            "mean_abs_percentage_error",
        ),
        title="mean absolute percentage error",
    ),
    _relative_error(
        "smape",
        aliases=(
            "symmetric_mape",
            "symmetric_mean_absolute_percentage_error",
        ),
        title="symmetric mean absolute percentage error",
    ),
    _relative_error(
        "wape",
        aliases=(
            "wmape",
            "weighted_mape",
            "weighted_mean_absolute_percentage_error",
            "weighted_absolute_percentage_error",
        ),
    ),
    _relative_error(
        "rmsle",
        aliases=(
            "root_mean_squared_log_error",
            "root_mean_squared_logarithmic_error",
        ),
    ),
    _explained(
        "r2",
        aliases=(
            "r2_score",
            "r_squared",
            "r_2",
            "r_square",
            "rsq",
            "coefficient_of_determination",
        ),
        title="coefficient of determination",
    ),
    _explained(
        "explained_variance",
        aliases=(
            "explained_variance_score",
            "explained_var",
        ),
    ),
    Metric(
        "msle",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        aliases=("mean_squared_log_error", "mean_squared_logarithmic_error"),
        title="mean squared logarithmic error",
    ),
    Metric(
        "nrmse",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("normalized_rmse", "normalized_root_mean_squared_error", "rmse_normalized"),
        title="root mean squared error over the range or mean of the target",
    ),
    Metric(
        "nmae",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("normalized_mae", "normalized_mean_absolute_error"),
        title="mean absolute error over the range or mean of the target",
    ),
    Metric(
        "mdape",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("median_absolute_percentage_error",),
        title="median absolute percentage error",
    ),
    Metric(
        "mase",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("mean_absolute_scaled_error",),
        title="mean absolute error over that of the naive forecast",
    ),
    Metric(
        "rmsse",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("root_mean_squared_scaled_error",),
        title="root mean squared error over that of the naive forecast",
    ),
    Metric("relative_absolute_error", Direction.LOWER, AT_LEAST_ZERO, family="relative-error", aliases=("rae",)),
    Metric(
        "relative_squared_error", Direction.LOWER, AT_LEAST_ZERO, aliases=("rse", "rrse", "root_relative_squared_error")
    ),
    Metric(
        "theils_u", Direction.LOWER, AT_LEAST_ZERO, family="relative-error", aliases=("theil_u",), title="Theil's U"
    ),
    Metric(
        "pinball_loss",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="quantile-loss",
        aliases=("mean_pinball_loss", "quantile_loss"),
    ),
    Metric(
        "weighted_quantile_loss",
        Direction.LOWER,
        AT_LEAST_ZERO,
        family="quantile-loss",
        aliases=("wql", "w_quantile_loss", "mean_w_quantile_loss", "mean_weighted_quantile_loss"),
    ),
    Metric(
        "interval_score",
        Direction.LOWER,
        AT_LEAST_ZERO,
        aliases=("msis", "winkler_score", "mean_interval_score", "mean_scaled_interval_score"),
    ),
    Metric("interval_width", Direction.LOWER, AT_LEAST_ZERO, aliases=("mpiw", "mean_prediction_interval_width")),
    # The nominal coverage is best: more is too wide, less is too sure.
    Metric(
        "interval_coverage",
        Direction.NEITHER,
        SHARE,
        support="rows",
        proportion=True,
        aliases=("picp", "prediction_interval_coverage", "prediction_interval_coverage_probability"),
        title="share of truths inside the interval",
        two_sided=True,
    ),
    # 0 is best.
    Metric(
        "mean_percentage_error",
        Direction.NEITHER,
        support="rows",
        family="relative-error",
        aliases=("mpe",),
        title="mean of the signed percentage error",
        two_sided=True,
    ),
    Metric("huber_loss", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("mphe", "mean_pseudo_huber_error")),
    Metric("log_cosh", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("log_cosh_error", "log_cosh_loss")),
    Metric(
        "deviance",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        aliases=("residual_deviance", "mean_residual_deviance", "tweedie_deviance", "mean_tweedie_deviance"),
    ),
    Metric("poisson_deviance", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("mean_poisson_deviance",)),
    Metric("gamma_deviance", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("mean_gamma_deviance",)),
    Metric(
        "adjusted_r2",
        Direction.HIGHER,
        AT_MOST_ONE,
        support="rows",
        family="explained",
        aliases=("adj_r2", "r2_adjusted", "r2_adj", "adjusted_r_squared"),
    ),
    Metric("d2_absolute_error", Direction.HIGHER, AT_MOST_ONE, support="rows", aliases=("d2_absolute_error_score",)),
    Metric("d2_pinball", Direction.HIGHER, AT_MOST_ONE, support="rows", aliases=("d2_pinball_score",)),
    Metric("d2_tweedie", Direction.HIGHER, AT_MOST_ONE, support="rows", aliases=("d2_tweedie_score",)),
    Metric(
        "pearson",
        Direction.HIGHER,
        CORRELATION,
        support="rows",
        family="correlation",
        aliases=(
            "pearson_r",
            "pearson_corr",
            "pearson_corr_coef",
            "pearson_correlation",
            "pearson_correlation_coefficient",
        ),
        title="Pearson correlation",
    ),
    Metric(
        "spearman",
        Direction.HIGHER,
        CORRELATION,
        support="rows",
        family="correlation",
        aliases=("spearman_r", "spearman_rho", "spearman_corr", "spearman_corr_coef", "spearman_correlation"),
        title="Spearman correlation",
    ),
    Metric(
        "kendall_tau",
        Direction.HIGHER,
        CORRELATION,
        support="rows",
        family="correlation",
        aliases=("kendall", "kendall_rank_corr_coef", "kendall_rank_correlation"),
        title="Kendall's tau",
    ),
    Metric(
        "concordance_correlation",
        Direction.HIGHER,
        CORRELATION,
        support="rows",
        family="correlation",
        aliases=("ccc", "concordance_corr_coef", "concordance_correlation_coefficient"),
    ),
    Metric(
        "cosine_similarity",
        Direction.HIGHER,
        CORRELATION,
        support="rows",
        aliases=("cosine_sim", "embedding_similarity"),
    ),
    Metric("aic", Direction.LOWER, digits=1, aliases=("akaike_information_criterion",)),
    Metric("bic", Direction.LOWER, digits=1, aliases=("bayesian_information_criterion",)),
    Metric("log_likelihood", Direction.HIGHER, aliases=("loglik", "log_lik", "mean_log_likelihood")),
)
