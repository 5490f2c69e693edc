"""Metrics of predicted numbers: their distance from the true ones, in the target's unit unless stated otherwise."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

_error = partial(Metric, better=Direction.LOWER, bounds=(0.0, None), support="rows", family="error")
_relative_error = partial(_error, family="relative-error")
_explained = partial(Metric, better=Direction.HIGHER, bounds=(None, 1.0), support="rows", family="explained")

register(
    _error("mae", aliases=("mean_absolute_error",), title="mean absolute error"),
    _error("rmse", aliases=("root_mean_squared_error", "rmsd"), title="root mean squared error"),
    _error("median_absolute_error", aliases=("medae", "median_ae")),
    _error("max_error", aliases=("maximum_error",)),
    # Squared: drawn with the errors above, it would flatten them.
    _error("mse", family="", aliases=("mean_squared_error",), title="mean squared error"),
    Metric(
        "bias",
        Direction.NEITHER,
        support="rows",
        family="error",
        aliases=("mean_error", "mean_bias_error", "mbe"),
        title="mean of prediction minus truth",
    ),
    _relative_error("mape", aliases=("mean_absolute_percentage_error",), title="mean absolute percentage error"),
    _relative_error("smape", aliases=("symmetric_mape",), title="symmetric mean absolute percentage error"),
    _relative_error("wape", aliases=("wmape",)),
    _relative_error("rmsle"),
    _explained("r2", aliases=("r2_score", "r_squared", "r_2"), title="coefficient of determination"),
    _explained("explained_variance", aliases=("explained_variance_score",)),
)
