"""Rows of a model that chooses one of several classes → groups → tally."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.predictions import loading as ours
from modeltop.predictions.aggregates.classification import CORRECT, UNLABELLED, WRONG, MulticlassCounts
from modeltop.predictions.aggregates.score_bins import NO_SCORE, SLOTS, SMALLEST_PROBABILITY
from modeltop.predictions.queries.score_bins import score_bin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.engines.base import Expression
    from modeltop.predictions.spec import ResolvedLog

SCORED = ("scored", "nll", "nll2", "brier", "brier2")
WHOLE_ROW = -1
"""In place of a class: the group is of whole rows, not of one class's score."""


@dataclass(frozen=True, slots=True)
class MulticlassAggregation:
    """See `modeltop.predictions.queries.aggregate.Tallying`."""

    classes: tuple[str, ...]
    scores: int
    """Columns of scores: none, one (of the predicted class), or one a class."""
    predicted: bool

    @classmethod
    def from_log(cls, reading: ResolvedLog) -> MulticlassAggregation:
        """What the reading has."""
        return cls(reading.classes, len(reading.scores), reading.prediction is not None)

    @property
    def has_class_scores(self) -> bool:
        """Whether each class has a score of its own."""
        return self.scores > 1

    def prepare(self, table: Expression) -> Expression:
        """Rows that have a prediction, with its confidence and what the scores say of the label."""
        import ibis

        said = table[ours.PREDICTION] if self.predicted else self._argmax(table)
        found = table.mutate(p=said)
        found = found.filter(found.p.notnull())
        found = found.mutate(s=self._confidence(found))
        found = found.mutate(b=score_bin(found.s) if self.scores else ibis.literal(NO_SCORE))
        return self._with_losses(found) if self.has_class_scores else found

    def _columns(self, table: Expression) -> list[Expression]:
        return [table[ours.score_column(place)] for place in range(len(self.classes))]

    def _argmax(self, table: Expression) -> Expression:
        """The class with the highest score, the first of those with the same."""
        import ibis

        columns = self._columns(table)
        best = ibis.greatest(*columns)
        return ibis.cases(*((column == best, ibis.literal(place, "int16")) for place, column in enumerate(columns)))

    def _confidence(self, table: Expression) -> Expression:
        import ibis

        if not self.has_class_scores:
            return table[ours.SCORE] if self.scores else ibis.null("float64")
        return ibis.cases(*((table.p == place, column) for place, column in enumerate(self._columns(table))))

    def _with_losses(self, table: Expression) -> Expression:
        """Log-loss and Brier score of each row that has a label and all scores."""
        import ibis

        columns, label = self._columns(table), table[ours.LABEL]
        whole = reduce(lambda left, right: left & right, [column.notnull() for column in columns]) & label.notnull()
        likely = ibis.cases(*((label == place, column) for place, column in enumerate(columns)))
        loss = -ibis.greatest(likely, SMALLEST_PROBABILITY).ln()
        apart = [column - (label == place).cast("float64") for place, column in enumerate(columns)]
        brier = reduce(add, [one * one for one in apart])
        return table.mutate(l=whole.ifelse(loss, None), q=whole.ifelse(brier, None))

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Label, prediction and bin of the confidence."""
        return {"y": table[ours.LABEL], "p": table.p, "b": table.b}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Rows, confidences, losses."""
        found = {"n": table.count()}
        if self.scores:
            found |= {"s": table.s.sum(), "ss": (table.s * table.s).sum()}
        if self.has_class_scores:
            loss, brier = table.l, table.q
            found |= {"scored": loss.count(), "nll": loss.sum(), "nll2": (loss * loss).sum()}
            found |= {"brier": brier.sum(), "brier2": (brier * brier).sum()}
        return found

    def aggregate(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> MulticlassCounts:
        """Groups into the cells they belong to."""
        size = len(self.classes)
        tally = MulticlassCounts.empty(cells, self.classes, scores=self.has_class_scores)
        known = found["y"] >= 0
        label = np.where(known, found["y"], size)
        np.add.at(tally.confusion, (cell, label, found["p"]), found["n"])
        outcome = np.where(known, np.where(label == found["p"], CORRECT, WRONG), UNLABELLED)
        slot = np.where(found["b"] < 0, NO_SCORE, found["b"])
        np.add.at(tally.confidence_count, (cell, outcome, slot), found["n"])
        if self.scores:
            has = slot != NO_SCORE
            np.add.at(tally.confidence, (cell[has], outcome[has], slot[has]), found["s"][has])
            np.add.at(tally.confidence2, (cell[has], outcome[has]), found["ss"][has])
        if self.has_class_scores:
            for name in SCORED:
                np.add.at(getattr(tally, name), cell, np.nan_to_num(found[name]))
        return tally

    def class_score_keys(self, table: Expression) -> list[dict[str, Expression]]:
        """By class: what its scores are grouped by, for `rank`."""
        label = table[ours.LABEL]
        return [
            {"y": (label == place).cast("int8"), "b": score_bin(column)}
            for place, column in enumerate(self._columns(table) if self.has_class_scores else ())
        ]

    @staticmethod
    def add_class_scores(
        tally: MulticlassCounts, place: int, cell: NDArray[np.int64], found: dict[str, NDArray[Any]]
    ) -> None:
        """Enter the groups of one class's scores."""
        if tally.ranked is None:
            return
        outcome = np.where(found["y"] < 0, UNLABELLED, found["y"])
        slot = np.where(found["b"] < 0, NO_SCORE, found["b"])
        flat = ((cell * len(tally.classes) + place) * 3 + outcome) * SLOTS + slot
        np.add.at(tally.ranked.reshape(-1), flat, found["n"])
