"""Rows of a model that says yes or no → groups → tally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.logs import rows as ours
from monitor.logs.bins import bin_of
from monitor.tallies.binary import UNLABELLED, BinaryTally
from monitor.tallies.bins import NO_SCORE, SLOTS, SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.logs.engine import Expression
    from monitor.logs.log import Reading

Arrays = "dict[str, NDArray[Any]]"


@dataclass(frozen=True, slots=True)
class Binary:
    """See `monitor.logs.tallying.Tallying`."""

    scored: bool
    threshold: float
    predicted: bool

    @classmethod
    def of(cls, reading: Reading) -> Binary:
        """What the reading has."""
        return cls(bool(reading.scores), reading.threshold, reading.prediction is not None)

    def prepared(self, table: Expression) -> Expression:
        """Rows with the bin of the score; groups without a prediction are dropped later."""
        import ibis

        score = table[ours.SCORE] if self.scored else ibis.null("float64")
        said = table[ours.PREDICTION] if self.predicted else (score >= self.threshold).cast("int8")
        return table.mutate(p=said, s=score, b=bin_of(score) if self.scored else ibis.literal(NO_SCORE))

    def keys(self, table: Expression) -> dict[str, Expression]:
        """Label, prediction and bin."""
        return {"y": table[ours.LABEL], "p": table.p, "b": table.b}

    def sums(self, table: Expression) -> dict[str, Expression]:
        """Rows, scores, their squares, and the logarithm of the probability of the label."""
        import ibis

        if not self.scored:
            return {"n": table.count()}
        score = table.s
        likely = (1 - table[ours.LABEL] - score).abs()  # of the label: score where it is 1, 1 - score where it is 0
        logarithm = ibis.greatest(likely, SMALLEST_PROBABILITY).ln()
        return {"n": table.count(), "s": score.sum(), "ss": (score * score).sum(), "ln": logarithm.sum()}

    def tally(self, cell: NDArray[np.int64], cells: int, found: dict[str, NDArray[Any]]) -> BinaryTally:
        """Groups into the cells they belong to."""
        tally = BinaryTally.empty(cells)
        label = np.where(found["y"] < 0, UNLABELLED, found["y"])
        slot = np.where(found["b"] < 0, NO_SCORE, found["b"])
        outcome = (cell * 3 + label) * 2 + found["p"]
        np.add.at(tally.count.reshape(-1), outcome * SLOTS + slot, found["n"])
        if self.scored:
            has = slot != NO_SCORE
            np.add.at(tally.score.reshape(-1), (outcome * SLOTS + slot)[has], found["s"][has])
            np.add.at(tally.score2.reshape(-1), outcome[has], found["ss"][has])
            known = has & (label != UNLABELLED)
            np.add.at(tally.nll.reshape(-1), ((cell * 2 + label) * SLOTS + slot)[known], -found["ln"][known])
        return tally
