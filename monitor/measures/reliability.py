"""Whether what is said to be likely happens as often as that: the reliability curve and the error it sums up to.

Of any probability and outcome: the score and the positive label of a binary model, the confidence and being right of
one with several classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from monitor.measures import spread
from monitor.measures.base import Measured, measured, ratio
from monitor.tallies.bins import edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Flags, Floats

GROUPS = 10
"""Equal-width groups: [0, 0.1), ..., [0.9, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What came of probabilities, over K cells, by the 256 bins of the probability, [K, 256] each."""

    came: Floats
    failed: Floats
    total: Floats
    """Sum of the probabilities."""

    @property
    def rows(self) -> Floats:
        """[K, 256]."""
        return self.came + self.failed

    def upper(self) -> Flags:
        """Whether a bin with an edge of the groups in it counts with the upper group, by its mean: [K, 9]."""
        cut, inner = _cuts()
        rows = self.rows[:, cut]
        # A sum of equal numbers may end a few ulp below their multiple: 0.3 must not fall into [0.2, 0.3).
        return (rows > 0) & (self.total[:, cut] >= rows * (inner - 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """The reliability curve over K cells, [K, 10] each; NaN where a group is empty."""

    rows: Floats
    score: Floats
    """Mean probability."""
    rate: Floats
    """How often it came."""
    low: Floats
    """Of the rate, Wilson's 95 % interval."""
    high: Floats


def reliability(outcomes: Outcomes) -> Reliability:
    """How often it came, by what was said of it."""
    upper = outcomes.upper()
    rows, came, total = (_by_group(upper, part) for part in (outcomes.rows, outcomes.came, outcomes.total))
    rate = ratio(came, rows)
    low, high = spread.wilson(rate, rows)
    return Reliability(rows=rows, score=ratio(total, rows), rate=rate, low=low, high=high)


def calibration_error(outcomes: Outcomes, *, why: NDArray[np.int8]) -> Measured:
    """Mean over ten equal groups, by their rows, of |mean probability - share that came|: 0 to 1 (Naeini 2015, AAAI).

    A bin that an edge of the groups runs through is counted with the group of its mean; `bound` is how far the error
    can lie from the value for that. Low and high are value ± bound, not an interval: the error is biased upwards in
    small samples, so none of its spread alone would hold.
    """
    rows = outcomes.rows.sum(axis=1)
    value = ratio(np.abs(_by_group(outcomes.upper(), outcomes.total - outcomes.came)).sum(axis=1), rows)
    bound = ratio(2 * _movable(outcomes).sum(axis=1), rows)
    ends = np.maximum(value - bound, 0.0), np.minimum(value + bound, 1.0)
    return measured(value, rows, ends, why=why, bound=bound)


@cache
def _cuts() -> tuple[NDArray[np.int64], Floats]:
    """The bins that an inner edge of the groups lies in, and those edges."""
    inner = np.arange(1, GROUPS) / GROUPS
    return np.searchsorted(edges(), inner, side="right") - 1, inner


def _by_group(upper: Flags, values: Floats) -> Floats:
    """Sums of the bins of each group, [K, 10]."""
    cut, _ = _cuts()
    found: Floats = np.add.reduceat(values, np.append(0, cut + 1), axis=1)
    moved = np.where(upper, values[:, cut], 0.0)
    found[:, :-1] -= moved
    found[:, 1:] += moved
    return found


def _movable(outcomes: Outcomes) -> Floats:
    """The most that a bin with an edge in it can take from one group and bring to another, [K, 9]."""
    cut, _ = _cuts()
    return np.maximum(outcomes.came[:, cut] * (1 - edges()[cut]), outcomes.failed[:, cut] * edges()[cut + 1])
