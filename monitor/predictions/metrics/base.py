"""Values of one metric over cells, with their support, interval, and the reason if a value is undefined."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.intervals import wilson_intervals

Intervals = tuple[Floats, Floats]
"""Low and high of 95 % intervals, one a cell."""


class UndefinedReason(IntEnum):
    """Reason why a value is undefined; undefined is never 0."""

    text: str
    """The reason as one clause in lower case; empty if the value is defined."""

    def __new__(cls, text: Any) -> Self:
        """Create a member, numbered from 0 on; later, called with a number, the class returns that member."""
        reason = int.__new__(cls, len(cls.__members__))
        reason._value_ = len(cls.__members__)
        reason.text = text
        return reason

    DEFINED = ""
    NO_ROWS = "no rows"
    NO_LABELS = "no labels yet"
    NO_POSITIVES = "no positive labels"
    NO_NEGATIVES = "no negative labels"
    NONE_PREDICTED = "nothing was predicted positive"
    ONE_CLASS = "all labels are of one class"
    ONE_PREDICTION = "all predictions are of one class"
    NO_SCORES = "no labeled row has a score"
    NO_ERROR_OR_HIT = "neither a positive label nor a positive prediction"
    ALL_AGREE = "labels and predictions are all of one class"
    LABELS_ZERO = "all labels are 0"
    LABELS_EQUAL = "all labels are equal"
    NO_REFERENCE = "the reference has no labeled rows with a score"
    NO_VALUES = "no values but missing ones"
    NO_SPREAD = "the reference has one value only"
    CLASS_UNPREDICTED = "a class was never predicted"
    CLASS_ABSENT = "a class has no labels"
    EMPTY_REFERENCE = "the reference has no values but missing ones"
    UNSCORED = "no row has a score"


@dataclass(frozen=True, slots=True, eq=False)
class MetricValues:
    """One metric over K cells; all arrays have length K."""

    value: Floats
    """NaN where undefined."""
    support: Floats
    """Cases the value rests on: the column `<metric>_count`."""
    low: Floats
    """Lower end of the 95 % interval, or of the bound if the metric has no interval; NaN if neither exists."""
    high: Floats
    """Upper end of the same."""
    undefined_reason: NDArray[np.int8]
    """An `UndefinedReason` for each cell."""
    bound: Floats | None = None
    """How far the value of the unbinned scores can lie from `value`, apart from the interval; None if that is exact."""


def metric_values(
    value: Floats,
    support: ArrayLike,
    interval: Intervals | None = None,
    *,
    reason: NDArray[np.int8],
    bound: Floats | None = None,
) -> MetricValues:
    """Return metric values that are NaN in every field but the support wherever there is a reason.

    Args:
        value: One a cell, [K]; a NaN without a reason is a fault of the metric.
        support: Cases each value rests on, [K].
        interval: Low and high, [K] each; None for a metric that has none.
        reason: An `UndefinedReason` for each cell, [K].
        bound: See `MetricValues.bound`.
    """
    undefined = reason != UndefinedReason.DEFINED
    blank = np.full(value.shape, np.nan)
    low, high = interval or (blank, blank)
    return MetricValues(
        value=np.where(undefined, np.nan, value),
        support=np.asarray(support, dtype=np.float64),
        low=np.where(undefined, np.nan, low),
        high=np.where(undefined, np.nan, high),
        undefined_reason=reason,
        bound=None if bound is None else np.where(undefined, np.nan, bound),
    )


def first_reason(*cases: tuple[Flags, UndefinedReason]) -> NDArray[np.int8]:
    """Return for each cell the reason of the first case that holds there; DEFINED if none does."""
    reasons = np.zeros(cases[0][0].shape, dtype=np.int8)
    for holds, reason in reversed(cases):
        reasons[holds] = reason
    return reasons


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Return the quotient, element by element; NaN for a denominator of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: Floats = np.divide(numerator, denominator, dtype=np.float64)
    quotient[~np.isfinite(quotient)] = np.nan
    return quotient


def proportion(count: Floats, total: Floats, *undefined: tuple[Flags, UndefinedReason]) -> MetricValues:
    """Compute `count / total`, [K] each, with Wilson's interval; a reason has to cover every total of 0."""
    value = ratio(count, total)
    return metric_values(value, total, wilson_intervals(value, total), reason=first_reason(*undefined))
