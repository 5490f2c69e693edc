"""How far predicted numbers lie from the true ones. In the label's unit unless said; support: labelled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.metrics import intervals
from modeltop.predictions.metrics.base import Measured, Why, measured, ratio, reasons
from modeltop.predictions.metrics.binary import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.regression import RegressionTally


def compute_regression(tally: RegressionTally) -> dict[str, Measured]:
    """All metrics of this file, in the order of the registry."""
    rows = tally.count.astype(np.float64)
    every = rows + tally.unlabelled
    return {
        "mae": mae(tally),
        "rmse": rmse(tally),
        "bias": bias(tally),
        "mape": mape(tally),
        "r2": r2(tally),
        "label_coverage": share(rows, every, Why.NO_ROWS),
    }


def mae(tally: RegressionTally) -> Measured:
    """Mean absolute error: 0 or more. The interval is Student's on the scale of logarithms."""
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.absolute, rows)
    ends = intervals.positive_mean(mean, _variance(mean, tally.squared, rows), intervals.student(rows - 1))
    return measured(mean, rows, ends, why=_no_labels(tally))


def rmse(tally: RegressionTally) -> Measured:
    """Root of the mean squared error: 0 or more.

    The interval is the root of that of the mean square: Student's on the scale of logarithms, with the degrees of
    freedom that squares have. Their kurtosis would take eighth powers; it is put at 0.9 k to the 2.5 for errors of
    kurtosis k, which is 14 for normal errors (exactly 15) and 79 for Laplace's (88).
    """
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.squared, rows)
    kurtosis = ratio(ratio(tally.fourth, rows), mean * mean)
    degrees = ratio(2 * rows, np.maximum(0.9 * kurtosis**2.5 - 1, 1e-3))
    low, high = intervals.positive_mean(mean, _variance(mean, tally.fourth, rows), intervals.student(degrees))
    return measured(np.sqrt(mean), rows, (np.sqrt(low), np.sqrt(high)), why=_no_labels(tally))


def bias(tally: RegressionTally) -> Measured:
    """Mean of prediction minus label: below 0 where predictions are too small. The interval is Student's."""
    rows = tally.count.astype(np.float64)
    mean = ratio(tally.error, rows)
    reach = intervals.student(rows - 1) * np.sqrt(_variance(mean, tally.squared, rows))
    return measured(mean, rows, (mean - reach, mean + reach), why=_no_labels(tally))


def mape(tally: RegressionTally) -> Measured:
    """Mean of |error / label|, a fraction: 0 or more. Support: the rows whose label is not 0, the only ones it can use.

    scikit-learn divides by 2.2e-16 where the label is 0, which makes one such row the whole of the mean.
    """
    rows = tally.nonzero.astype(np.float64)
    mean = ratio(tally.relative, rows)
    ends = intervals.positive_mean(mean, _variance(mean, tally.relative2, rows), intervals.student(rows - 1))
    why = reasons((tally.count == 0, Why.NO_LABELS), (rows == 0, Why.LABELS_ZERO))
    return measured(mean, rows, ends, why=why)


def r2(tally: RegressionTally) -> Measured:
    """1 - sum of squared errors / sum of squared distances of the labels from their mean: 1 at best, no lower bound.

    0 is what the mean of the period's own labels would reach. Undefined where all labels are equal. No interval: the
    tally does not hold how error and label vary together.
    """
    rows = tally.count.astype(np.float64)
    # What rounding leaves of equal labels is no spread: a hundred ulp of their size.
    flat = tally.spread <= rows * (100 * np.finfo(np.float64).eps * np.abs(ratio(tally.label, rows))) ** 2
    value = 1 - ratio(tally.squared, tally.spread)
    return measured(value, rows, why=reasons((rows == 0, Why.NO_LABELS), (flat, Why.LABELS_EQUAL)))


def _variance(mean: Floats, squares: Floats, rows: Floats) -> Floats:
    """Of the mean of values with that sum of squares; a single row tells nothing: NaN."""
    return np.where(rows > 1, np.maximum(ratio(squares, rows) - mean * mean, 0.0) / np.maximum(rows - 1, 1), np.nan)


def _no_labels(tally: RegressionTally) -> NDArray[np.int8]:
    return reasons((tally.count == 0, Why.NO_LABELS))
