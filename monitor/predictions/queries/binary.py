"""The query of a model of two classes: rows to groups to counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modeltop.predictions import loading
from modeltop.predictions.aggregates.classification import UNLABELLED, BinaryCounts
from modeltop.predictions.aggregates.score_bins import BINS, MIN_PROBABILITY, NO_SCORE, SLOTS, score_bin
from modeltop.predictions.engines.base import Expression
from modeltop.predictions.queries.arrow import Columns, column_to_numpy
from modeltop.predictions.queries.score_bins import HIGHEST, LOWEST, OPEN_SLOTS, score_slot
from modeltop.predictions.spec import DEFAULT_THRESHOLD
from modeltop.predictions.windowing import PERIOD_KEY

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME = "outcome"
"""Our column: (label × 2 + prediction) × `OPEN_SLOTS` + slot, with a label of 2 if there is none; label × `OPEN_SLOTS`
+ slot if the slot implies the prediction."""
FIRST_POSITIVE_BIN = int(score_bin(DEFAULT_THRESHOLD))
"""The first bin from the default threshold on."""
TINY = 1e-300
"""Added to a probability before its logarithm; changes no number above 1e-284."""


@dataclass(frozen=True, slots=True)
class BinaryAggregation:
    """The aggregation of a log with two classes."""

    scored: bool
    threshold: float
    predicted: bool
    """Whether the log has a column of predictions; else the score is compared with the threshold."""
    score_decides: bool
    """Whether the slot implies the prediction, which then is not read: `DEFAULT_THRESHOLD` is an edge of bins."""

    def prepare(self, table: Expression) -> Expression:
        """Return the rows with their outcome; groups without a prediction are dropped later."""
        import ibis

        score = table[loading.SCORE] if self.scored else ibis.null("float64")
        slot = score_slot(score) if self.scored else ibis.literal(float(NO_SCORE))
        outcome = slot.cast("int16") + table[loading.LABEL].fill_null(UNLABELLED) * self._label_stride
        if not self.score_decides:
            prediction = table[loading.PREDICTION] if self.predicted else (score >= self.threshold).cast("int8")
            outcome += prediction * OPEN_SLOTS  # null if the prediction is null
        return table.mutate(**{OUTCOME: outcome})

    @property
    def _label_stride(self) -> int:
        """Factor of the label: the fewer outcomes there can be, the cheaper is the engine's array of them."""
        return OPEN_SLOTS if self.score_decides else 2 * OPEN_SLOTS

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Return label, prediction and slot as one small integer: the narrower a key, the faster the grouping."""
        return {OUTCOME: table[OUTCOME]}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Return rows, scores, their squares, and the logarithms of the probability of the label."""
        rows = {"rows": table.count()}
        if not self.scored:
            return rows
        score = table[loading.SCORE]
        # Of the label: the score if it is 1, 1 - score if it is 0; null without a label, and left out of the sum.
        probability = ((1 - table[loading.LABEL]).cast("float64") - score).abs()
        # Cheaper than a lower limit; rows for which it matters are in the slots `LOWEST` and `HIGHEST`.
        logarithm = (probability + TINY).ln()
        return rows | {"scores": score.sum(), "squares": (score * score).sum(), "logarithms": logarithm.sum()}

    def lists(self, table: Expression) -> dict[str, Expression]:
        """Return outcomes and scores as lists: where groups would be of a row or two, a tenth of the cost."""
        return {OUTCOME: table[OUTCOME].collect(), "scores": table[loading.SCORE].fill_null(0.0).collect()}

    def groups_of_rows(self, cells: pa.RecordBatch) -> Columns:
        """Return each row of some cells as a group of its own, from the lists of the cells."""
        outcome, score = (column_to_numpy(cells.column(name).flatten()) for name in (OUTCOME, "scores"))
        sizes = np.diff(column_to_numpy(cells.column(OUTCOME).offsets))
        keys = (loading.MODEL, PERIOD_KEY)
        groups = {name: np.repeat(column_to_numpy(cells.column(name)), sizes) for name in keys}
        logarithm = np.log(np.abs(1.0 - outcome // self._label_stride - score) + TINY)
        sums = {"rows": np.ones_like(outcome), "scores": score, "squares": score * score, "logarithms": logarithm}
        return groups | {OUTCOME: outcome} | sums

    def aggregate(self, cell: NDArray[np.int64], cells: int, groups: Columns) -> BinaryCounts:
        """Return the counts of the cells."""
        counts = BinaryCounts.empty(cells)
        label, rest = np.divmod(groups[OUTCOME], self._label_stride)
        prediction, open_slot = np.divmod(rest, OPEN_SLOTS)
        slot = np.where(open_slot == LOWEST, 0, np.where(open_slot == HIGHEST, BINS - 1, open_slot))
        outcome = cell * 6 + label * 2 + (slot >= FIRST_POSITIVE_BIN if self.score_decides else prediction)
        np.add.at(counts.count.reshape(-1), outcome * SLOTS + slot, groups["rows"])
        if self.scored:
            scored = slot != NO_SCORE
            np.add.at(counts.score.reshape(-1), (outcome * SLOTS + slot)[scored], groups["scores"][scored])
            np.add.at(counts.score2.reshape(-1), outcome[scored], groups["squares"][scored])
            labelled = scored & (label != UNLABELLED)
            impossible = open_slot == np.where(label == 1, LOWEST, HIGHEST)
            loss = np.where(impossible, groups["rows"] * -math.log(MIN_PROBABILITY), -groups["logarithms"])
            np.add.at(counts.nll.reshape(-1), ((cell * 2 + label) * SLOTS + slot)[labelled], loss[labelled])
        return counts
