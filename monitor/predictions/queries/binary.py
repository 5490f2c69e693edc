"""Rows of a model that says yes or no → groups → tally."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.classification import UNLABELLED, BinaryCounts
from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, SLOTS, SMALLEST_PROBABILITY, score_bin
from modeltop.predictions.queries.score_bins import HIGHEST, LOWEST, OPEN_SLOTS, score_slot
from modeltop.predictions.spec import DEFAULT_THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.engines.base import Expression
    from modeltop.predictions.spec import ResolvedLog

OUTCOME = "outcome"
"""Our column: (label × 2 + prediction) × `OPEN_SLOTS` + slot, the label 2 where there is none;
label × `OPEN_SLOTS` + slot where the slot tells the prediction."""
FIRST_POSITIVE_BIN = int(score_bin(DEFAULT_THRESHOLD))
"""The first bin from the default threshold on."""
TINY = 1e-300
"""Changes no number above 1e-284."""


@dataclass(frozen=True, slots=True)
class BinaryAggregation:
    """See `modeltop.predictions.queries.aggregate.Tallying`."""

    scored: bool
    threshold: float
    predicted: bool
    score_decides: bool
    """Whether the slot tells the prediction, which then need not be read: `DEFAULT_THRESHOLD` is an edge of bins."""

    @classmethod
    def from_log(cls, reading: ResolvedLog) -> BinaryAggregation:
        """What the reading has."""
        return cls(bool(reading.scores), reading.threshold, reading.prediction is not None, reading.score_decides)

    def prepare(self, table: Expression) -> Expression:
        """Rows with what they are grouped by; groups without a prediction are dropped later."""
        import ibis

        score = table[ours.SCORE] if self.scored else ibis.null("float64")
        slot = score_slot(score) if self.scored else ibis.literal(float(NO_SCORE))
        outcome = slot.cast("int16") + table[ours.LABEL].fill_null(UNLABELLED) * self._label_stride
        if not self.score_decides:
            said = table[ours.PREDICTION] if self.predicted else (score >= self.threshold).cast("int8")
            outcome += said * OPEN_SLOTS  # a null prediction makes the whole null
        return table.mutate(s=score, **{OUTCOME: outcome})

    @property
    def _label_stride(self) -> int:
        """What the label is multiplied with: the fewer outcomes there can be, the cheaper is an array of them."""
        return OPEN_SLOTS if self.score_decides else 2 * OPEN_SLOTS

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Label, prediction and slot as one small number: rows find their group the faster, the narrower it is."""
        return {OUTCOME: table[OUTCOME]}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Rows, scores, their squares, and the logarithm of the probability of the label."""
        if not self.scored:
            return {"n": table.count()}
        score = table.s
        # Of the label: the score where it is 1, 1 - score where it is 0; null, and left out of the sum, without one.
        likely = ((1 - table[ours.LABEL]).cast("float64") - score).abs()
        # Not a limit, which costs more, but what keeps 0 from a logarithm; slots of their own tell where it mattered.
        logarithm = (likely + TINY).ln()
        return {"n": table.count(), "s": score.sum(), "ss": (score * score).sum(), "ln": logarithm.sum()}

    def aggregate(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> BinaryCounts:
        """Groups into the cells they belong to."""
        tally = BinaryCounts.empty(cells)
        label, rest = np.divmod(found[OUTCOME], self._label_stride)
        said, open_slot = np.divmod(rest, OPEN_SLOTS)
        slot = np.where(open_slot == LOWEST, 0, np.where(open_slot == HIGHEST, BINS - 1, open_slot))
        outcome = cell * 6 + label * 2 + (slot >= FIRST_POSITIVE_BIN if self.score_decides else said)
        np.add.at(tally.count.reshape(-1), outcome * SLOTS + slot, found["n"])
        if self.scored:
            has = slot != NO_SCORE
            np.add.at(tally.score.reshape(-1), (outcome * SLOTS + slot)[has], found["s"][has])
            np.add.at(tally.score2.reshape(-1), outcome[has], found["ss"][has])
            known = has & (label != UNLABELLED)
            impossible = open_slot == np.where(label == 1, LOWEST, HIGHEST)
            loss = np.where(impossible, found["n"] * -math.log(SMALLEST_PROBABILITY), -found["ln"])
            np.add.at(tally.nll.reshape(-1), ((cell * 2 + label) * SLOTS + slot)[known], loss[known])
        return tally
