"""Metrics of predicted numbers, in the label's unit unless stated; support: labeled rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Floats
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import (
    MetricValues,
    UndefinedReason,
    first_reason,
    metric_values,
    proportion,
    ratio,
)


def compute_regression(sums: RegressionSums) -> dict[str, MetricValues]:
    """Compute all regression metrics, in the order of the registry."""
    rows = sums.count.astype(np.float64)
    total = rows + sums.unlabelled
    return {
        "mae": mae(sums),
        "rmse": rmse(sums),
        "bias": bias(sums),
        "mape": mape(sums),
        "r2": r2(sums),
        "label_coverage": proportion(rows, total, (total == 0, UndefinedReason.NO_ROWS)),
    }


def mae(sums: RegressionSums) -> MetricValues:
    """Compute the mean absolute error: 0 or more. The interval is Student's on the scale of logarithms."""
    return _mean_of_sizes(sums.absolute, sums.squared, sums.count, reason=first_reason(_unlabelled(sums)))


def rmse(sums: RegressionSums) -> MetricValues:
    """Compute the root of the mean squared error: 0 or more.

    The interval is the root of that of the mean square: Student's on the scale of logarithms. The kurtosis of squares
    would need eighth powers; it is approximated by 0.9 k^2.5 for errors of kurtosis k: 14 if normal (exactly 15).
    """
    rows = sums.count.astype(np.float64)
    mean = ratio(sums.squared, rows)
    kurtosis = ratio(ratio(sums.fourth, rows), mean * mean)
    degrees = ratio(2 * rows, np.maximum(0.9 * kurtosis**2.5 - 1, 1e-3))
    variance = _variance_of_mean(mean, sums.fourth, rows)
    low, high = intervals.log_interval(mean, variance, intervals.t_isf_975(degrees))
    return metric_values(np.sqrt(mean), rows, (np.sqrt(low), np.sqrt(high)), reason=first_reason(_unlabelled(sums)))


def bias(sums: RegressionSums) -> MetricValues:
    """Compute the mean of prediction minus label: below 0 if predictions are low. The interval is Student's."""
    rows = sums.count.astype(np.float64)
    mean = ratio(sums.error, rows)
    half_width = intervals.t_isf_975(rows - 1) * np.sqrt(_variance_of_mean(mean, sums.squared, rows))
    return metric_values(mean, rows, (mean - half_width, mean + half_width), reason=first_reason(_unlabelled(sums)))


def mape(sums: RegressionSums) -> MetricValues:
    """Compute the mean of |error / label|, a fraction: 0 or more. Support: labeled rows whose label is not 0."""
    reason = first_reason(_unlabelled(sums), (sums.nonzero == 0, UndefinedReason.LABELS_ZERO))
    return _mean_of_sizes(sums.relative, sums.relative2, sums.nonzero, reason=reason)


def r2(sums: RegressionSums) -> MetricValues:
    """Compute 1 - sum of squared errors / sum of squared distances of the labels from their mean: 1 at best.

    No lower bound; undefined if all labels are equal. No interval: how error and label vary together is not stored.
    """
    rows = sums.count.astype(np.float64)
    # What rounding leaves of equal labels is no spread: a hundred ulp of their size.
    constant = sums.spread <= rows * (100 * np.finfo(np.float64).eps * np.abs(ratio(sums.label, rows))) ** 2
    reason = first_reason(_unlabelled(sums), (constant, UndefinedReason.LABELS_EQUAL))
    return metric_values(1 - ratio(sums.squared, sums.spread), rows, reason=reason)


def _mean_of_sizes(
    total: Floats, squares: Floats, count: NDArray[np.int64], *, reason: NDArray[np.int8]
) -> MetricValues:
    """Return the mean of values of 0 or more from their sum and that of their squares."""
    rows = count.astype(np.float64)
    mean = ratio(total, rows)
    interval = intervals.log_interval(mean, _variance_of_mean(mean, squares, rows), intervals.t_isf_975(rows - 1))
    return metric_values(mean, rows, interval, reason=reason)


def _variance_of_mean(mean: Floats, squares: Floats, rows: Floats) -> Floats:
    """Return the variance of the mean of values with that sum of squares; NaN of a single row."""
    return np.where(rows > 1, np.maximum(ratio(squares, rows) - mean * mean, 0.0) / np.maximum(rows - 1, 1), np.nan)


def _unlabelled(sums: RegressionSums) -> tuple[Flags, UndefinedReason]:
    return sums.count == 0, UndefinedReason.NO_LABELS
