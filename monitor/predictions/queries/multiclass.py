"""The query of a model of several classes: rows to groups to counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add, and_

import numpy as np
from numpy.typing import NDArray

from modeltop.predictions import loading
from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG, MulticlassCounts
from modeltop.predictions.aggregates.score_bins import MIN_PROBABILITY, NO_SCORE, SLOTS
from modeltop.predictions.engines.base import Expression
from modeltop.predictions.queries.arrow import Columns
from modeltop.predictions.queries.score_bins import score_bin

PREDICTED, CONFIDENCE, BIN, LOG_LOSS, BRIER = "predicted", "confidence", "bin", "log_loss", "brier_score"
"""Our columns: the index of the predicted class, its score and the bin of that; losses of rows with all scores."""
LOSSES = ("scored", "nll", "nll2", "brier", "brier2")
"""Fields of the counts that are also columns of the result."""


@dataclass(frozen=True, slots=True)
class MulticlassAggregation:
    """The aggregation of a log with several classes."""

    classes: tuple[str, ...]
    scores: int
    """Columns of scores: none, one (of the predicted class), or one a class."""
    predicted: bool
    """Whether the log has a column of predictions; else the class with the highest score is predicted."""

    @property
    def has_class_scores(self) -> bool:
        """Whether each class has a score of its own."""
        return self.scores > 1

    def prepare(self, table: Expression) -> Expression:
        """Return the rows that have a prediction, with its confidence and the losses of the scores."""
        import ibis

        table = table.mutate(**{PREDICTED: table[loading.PREDICTION] if self.predicted else self._argmax(table)})
        table = table.filter(table[PREDICTED].notnull())
        table = table.mutate(**{CONFIDENCE: self._confidence(table)})
        table = table.mutate(**{BIN: score_bin(table[CONFIDENCE]) if self.scores else ibis.literal(NO_SCORE)})
        return self._with_losses(table) if self.has_class_scores else table

    def _class_scores(self, table: Expression) -> list[Expression]:
        return [table[loading.score_column(index)] for index in range(len(self.classes))]

    def _argmax(self, table: Expression) -> Expression:
        """Return the class with the highest score, the first of those with the same."""
        import ibis

        scores = self._class_scores(table)
        highest = ibis.greatest(*scores)
        return ibis.cases(*((score == highest, ibis.literal(index, "int16")) for index, score in enumerate(scores)))

    def _confidence(self, table: Expression) -> Expression:
        import ibis

        if not self.has_class_scores:
            return table[loading.SCORE] if self.scores else ibis.null("float64")
        scores = enumerate(self._class_scores(table))
        return ibis.cases(*((table[PREDICTED] == index, score) for index, score in scores))

    def _with_losses(self, table: Expression) -> Expression:
        """Return the table with log-loss and Brier score of each row that has a label and all scores."""
        import ibis

        scores, label = self._class_scores(table), table[loading.LABEL]
        complete = reduce(and_, [score.notnull() for score in scores]) & label.notnull()
        probability = ibis.cases(*((label == index, score) for index, score in enumerate(scores)))
        loss = -ibis.greatest(probability, MIN_PROBABILITY).ln()
        errors = [score - (label == index).cast("float64") for index, score in enumerate(scores)]
        brier = reduce(add, [error * error for error in errors])
        return table.mutate(**{LOG_LOSS: complete.ifelse(loss, None), BRIER: complete.ifelse(brier, None)})

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Return label, prediction and bin of the confidence."""
        return {loading.LABEL: table[loading.LABEL], PREDICTED: table[PREDICTED], BIN: table[BIN]}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Return the number of rows and the sums of confidences and losses, by name."""
        sums = {"rows": table.count()}
        if self.scores:
            confidence = table[CONFIDENCE]
            sums |= {"confidences": confidence.sum(), "squares": (confidence * confidence).sum()}
        if self.has_class_scores:
            loss, brier = table[LOG_LOSS], table[BRIER]
            sums |= {"scored": loss.count(), "nll": loss.sum(), "nll2": (loss * loss).sum()}
            sums |= {"brier": brier.sum(), "brier2": (brier * brier).sum()}
        return sums

    def class_score_keys(self, table: Expression) -> list[dict[str, Expression]]:
        """Return for each class its outcome and the bin of its score: keys for `add_class_scores`."""
        label, predicted = table[loading.LABEL], table[PREDICTED]
        return [
            {
                loading.LABEL: (label == index).cast("int8").fill_null(UNLABELLED) * 2
                + (predicted == index).cast("int8"),
                BIN: score_bin(score),
            }
            for index, score in enumerate(self._class_scores(table) if self.has_class_scores else ())
        ]

    def aggregate(self, cell: NDArray[np.int64], cells: int, groups: Columns) -> MulticlassCounts:
        """Return the counts of the cells, without those by class score."""
        counts = MulticlassCounts.empty(cells, self.classes, scores=self.has_class_scores)
        label, predicted = groups[loading.LABEL], groups[PREDICTED]
        labelled = label >= 0
        np.add.at(counts.confusion, (cell, np.where(labelled, label, len(self.classes)), predicted), groups["rows"])
        outcome = np.where(labelled, np.where(label == predicted, CORRECT, WRONG), UNLABELLED)
        slot = np.where(groups[BIN] < 0, NO_SCORE, groups[BIN])
        np.add.at(counts.confidence_count, (cell, outcome, slot), groups["rows"])
        if self.scores:
            scored = slot != NO_SCORE
            index = cell[scored], outcome[scored], slot[scored]
            np.add.at(counts.confidence, index, groups["confidences"][scored])
            np.add.at(counts.confidence2, index[:2], groups["squares"][scored])
        if self.has_class_scores:
            for name in LOSSES:
                np.add.at(getattr(counts, name), cell, np.nan_to_num(groups[name]))
        return counts

    @staticmethod
    def add_class_scores(counts: MulticlassCounts, index: int, cell: NDArray[np.int64], groups: Columns) -> None:
        """Add the groups of one class's scores, by `class_score_keys`, to the counts in place."""
        if counts.ranked is None:
            return
        slot = np.where(groups[BIN] < 0, NO_SCORE, groups[BIN])
        flat = ((cell * len(counts.classes) + index) * 6 + groups[loading.LABEL]) * SLOTS + slot
        np.add.at(counts.ranked.reshape(-1), flat, groups["rows"])
