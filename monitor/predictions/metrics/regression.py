"""How far predicted numbers lie from the true ones. In the label's unit unless said; support: labelled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, first_reason, metric_values, ratio
from modeltop.predictions.metrics.binary import wilson_proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.regression import RegressionSums


def compute_regression(tally: RegressionSums) -> dict[str, MetricValues]:
    """All metrics of this file, in the order of the registry."""
    rows = tally.count.astype(np.float64)
    every = rows + tally.unlabelled
    return {
        "mae": mae(tally),
        "rmse": rmse(tally),
        "bias": bias(tally),
        "mape": mape(tally),
        "r2": r2(tally),
        "label_coverage": wilson_proportion(rows, every, UndefinedReason.NO_ROWS),
    }


def mae(tally: RegressionSums) -> MetricValues:
    """Mean absolute error: 0 or more. The interval is Student's on the scale of logarithms."""
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.absolute, rows)
    ends = intervals.log_interval(mean, _variance(mean, tally.squared, rows), intervals.t_isf_975(rows - 1))
    return metric_values(mean, rows, ends, reason=_no_labels(tally))


def rmse(tally: RegressionSums) -> MetricValues:
    """Root of the mean squared error: 0 or more.

    The interval is the root of that of the mean square: Student's on the scale of logarithms, with the degrees of
    freedom that squares have. Their kurtosis would take eighth powers; it is put at 0.9 k to the 2.5 for errors of
    kurtosis k, which is 14 for normal errors (exactly 15) and 79 for Laplace's (88).
    """
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.squared, rows)
    kurtosis = ratio(ratio(tally.fourth, rows), mean * mean)
    degrees = ratio(2 * rows, np.maximum(0.9 * kurtosis**2.5 - 1, 1e-3))
    low, high = intervals.log_interval(mean, _variance(mean, tally.fourth, rows), intervals.t_isf_975(degrees))
    return metric_values(np.sqrt(mean), rows, (np.sqrt(low), np.sqrt(high)), reason=_no_labels(tally))


def bias(tally: RegressionSums) -> MetricValues:
    """Mean of prediction minus label: below 0 where predictions are too small. The interval is Student's."""
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.error, rows)
    reach = intervals.t_isf_975(rows - 1) * np.sqrt(_variance(mean, tally.squared, rows))
    return metric_values(mean, rows, (mean - reach, mean + reach), reason=_no_labels(tally))


def mape(tally: RegressionSums) -> MetricValues:
    """Mean of |error / label|, a fraction: 0 or more. Support: the rows whose label is not 0, the only ones it can use.

    scikit-learn divides by 2.2e-16 where the label is 0, which makes one such row the whole of the mean.
    """
    rows = tally.nonzero.astype(np.float64)
    mean = ratio(tally.relative, rows)
    ends = intervals.log_interval(mean, _variance(mean, tally.relative2, rows), intervals.t_isf_975(rows - 1))
    why = first_reason((tally.count == 0, UndefinedReason.NO_LABELS), (rows == 0, UndefinedReason.LABELS_ZERO))
    return metric_values(mean, rows, ends, reason=why)


def r2(tally: RegressionSums) -> MetricValues:
    """1 - sum of squared errors / sum of squared distances of the labels from their mean: 1 at best, no lower bound.

    0 is what the mean of the period's own labels would reach. Undefined where all labels are equal. No interval: the
    tally does not hold how error and label vary together.
    """
    rows = tally.count.astype(np.float64)
    # What rounding leaves of equal labels is no spread: a hundred ulp of their size.
    flat = tally.spread <= rows * (100 * np.finfo(np.float64).eps * np.abs(ratio(tally.label, rows))) ** 2
    value = 1 - ratio(tally.squared, tally.spread)
    return metric_values(
        value, rows, reason=first_reason((rows == 0, UndefinedReason.NO_LABELS), (flat, UndefinedReason.LABELS_EQUAL))
    )


def _variance(mean: Floats, squares: Floats, rows: Floats) -> Floats:
    """Of the mean of values with that sum of squares; a single row tells nothing: NaN."""
    return np.where(rows > 1, np.maximum(ratio(squares, rows) - mean * mean, 0.0) / np.maximum(rows - 1, 1), np.nan)


def _no_labels(tally: RegressionSums) -> NDArray[np.int8]:
    return first_reason((tally.count == 0, UndefinedReason.NO_LABELS))
