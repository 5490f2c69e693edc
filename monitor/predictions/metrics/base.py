"""What a measurement is: a value a cell, what it rests on, how sure it is, and why it may be missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from modeltop.core.series import Flags, Floats


class UndefinedReason(IntEnum):
    """Why a value is undefined; undefined is never 0."""

    DEFINED = 0
    NO_ROWS = 1
    NO_LABELS = 2
    NO_POSITIVES = 3
    NO_NEGATIVES = 4
    NONE_PREDICTED = 5
    ONE_CLASS = 6
    ONE_PREDICTION = 7
    NO_SCORES = 8
    NO_ERROR_OR_HIT = 9
    ALL_AGREE = 10
    LABELS_ZERO = 11
    LABELS_EQUAL = 12
    NO_REFERENCE = 13
    NO_VALUES = 14
    NO_SPREAD = 15
    CLASS_UNPREDICTED = 16
    CLASS_ABSENT = 17
    EMPTY_REFERENCE = 18
    UNSCORED = 19

    @property
    def text(self) -> str:
        """The reason in words, lower case, one clause; empty where the value is defined."""
        return _TEXTS[self]


_TEXTS = {
    UndefinedReason.DEFINED: "",
    UndefinedReason.NO_ROWS: "no rows",
    UndefinedReason.NO_LABELS: "no labels yet",
    UndefinedReason.NO_POSITIVES: "no positive labels",
    UndefinedReason.NO_NEGATIVES: "no negative labels",
    UndefinedReason.NONE_PREDICTED: "nothing was predicted positive",
    UndefinedReason.ONE_CLASS: "all labels are of one class",
    UndefinedReason.ONE_PREDICTION: "all predictions are of one class",
    UndefinedReason.NO_SCORES: "no labelled row has a score",
    UndefinedReason.NO_ERROR_OR_HIT: "neither a positive label nor a positive prediction",
    UndefinedReason.ALL_AGREE: "labels and predictions are all of one class",
    UndefinedReason.LABELS_ZERO: "all labels are 0",
    UndefinedReason.LABELS_EQUAL: "all labels are equal",
    UndefinedReason.NO_REFERENCE: "the reference has no labelled rows with a score",
    UndefinedReason.NO_VALUES: "no values but missing ones",
    UndefinedReason.NO_SPREAD: "the reference has one value only",
    UndefinedReason.CLASS_UNPREDICTED: "a class was never predicted",
    UndefinedReason.CLASS_ABSENT: "a class has no labels",
    UndefinedReason.UNSCORED: "no row has a score",
    UndefinedReason.EMPTY_REFERENCE: "the reference has no values but missing ones",
}


@dataclass(frozen=True, slots=True, eq=False)
class MetricValues:
    """One metric over K cells; all arrays have length K."""

    value: Floats
    """NaN where undefined."""
    support: Floats
    """The cases the value rests on: what `<metric>_count` says."""
    low: Floats
    """Lower end of the 95 % interval, or of the bound where the metric has no interval; NaN where neither is known."""
    high: Floats
    undefined_reason: NDArray[np.int8]
    """A `Why` for each cell."""
    bound: Floats | None = None
    """How far the value of the unbinned scores can lie from `value`; None where the tally gives it exactly."""

    def __len__(self) -> int:
        return len(self.value)

    def reason(self, cell: int) -> str:
        """Why the value of that cell is undefined, in words; empty where it is defined."""
        return UndefinedReason(int(self.undefined_reason[cell])).text


def metric_values(
    value: Floats,
    support: ArrayLike,
    ends: tuple[Floats, Floats] | None = None,
    *,
    reason: NDArray[np.int8],
    bound: Floats | None = None,
) -> MetricValues:
    """A measurement that is NaN in every field but the support wherever `reason` says so.

    Raises nothing; a value that is NaN without a reason is a fault of the metric, which its tests look for.
    """
    gone = reason != UndefinedReason.DEFINED
    blank = np.full(value.shape, np.nan)
    low, high = ends or (blank, blank)
    return MetricValues(
        value=np.where(gone, np.nan, value),
        support=np.asarray(support, dtype=np.float64),
        low=np.where(gone, np.nan, low),
        high=np.where(gone, np.nan, high),
        undefined_reason=reason,
        bound=None if bound is None else np.where(gone, np.nan, bound),
    )


def clip_interval(found: MetricValues, low: float | None, high: float | None) -> MetricValues:
    """The same with interval ends cut at the metric's own bounds."""
    return replace(found, low=np.clip(found.low, low, high), high=np.clip(found.high, low, high))


def first_reason(*cases: tuple[Flags, UndefinedReason]) -> NDArray[np.int8]:
    """For each cell the first of the cases that holds there, in the order given; DEFINED where none does."""
    found = np.zeros(cases[0][0].shape, dtype=np.int8)
    for holds, why in reversed(cases):
        found[holds] = why
    return found


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """`part / whole`; NaN where the whole is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.divide(part, whole, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found
