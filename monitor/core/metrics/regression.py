"""Metrics of predicted numbers: their distance from the true ones, in the target's unit unless the title says else."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)

register(
    Metric(
        "mae",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="error",
        aliases=("mean_absolute_error",),
        title="mean absolute error",
    ),
    Metric(
        "rmse",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="error",
        aliases=("root_mean_squared_error", "rmsd"),
        title="root mean squared error",
    ),
    Metric(
        "median_absolute_error",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="error",
        aliases=("medae", "median_ae"),
    ),
    Metric("max_error", Direction.LOWER, AT_LEAST_ZERO, support="rows", family="error", aliases=("maximum_error",)),
    # Squared: drawn with the errors above, it would flatten them.
    Metric(
        "mse",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        aliases=("mean_squared_error",),
        title="mean squared error",
    ),
    Metric(
        "bias",
        Direction.NEITHER,
        support="rows",
        family="error",
        aliases=("mean_error", "mean_bias_error", "mbe"),
        title="mean of prediction minus truth",
    ),
    Metric(
        "mape",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("mean_absolute_percentage_error",),
        title="mean absolute percentage error",
    ),
    Metric(
        "smape",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        family="relative-error",
        aliases=("symmetric_mape",),
        title="symmetric mean absolute percentage error",
    ),
    Metric("wape", Direction.LOWER, AT_LEAST_ZERO, support="rows", family="relative-error", aliases=("wmape",)),
    Metric("rmsle", Direction.LOWER, AT_LEAST_ZERO, support="rows", family="relative-error"),
    Metric(
        "r2",
        Direction.HIGHER,
        (None, 1.0),
        support="rows",
        family="explained",
        aliases=("r2_score", "r_squared", "r_2"),
        title="coefficient of determination",
    ),
    Metric(
        "explained_variance",
        Direction.HIGHER,
        (None, 1.0),
        support="rows",
        family="explained",
        aliases=("explained_variance_score",),
    ),
)
