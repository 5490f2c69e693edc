"""What a binary tally says of its scores, read from it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.tallies.bins import BINS, NO_SCORE

if TYPE_CHECKING:
    from monitor.records import Floats
    from monitor.tallies.binary import BinaryTally


def decisions(tally: BinaryTally) -> Floats:
    """Rows by label (0, 1, unlabelled) and prediction, with a score or without, [K, 3, 2]."""
    found: Floats = tally.count.sum(axis=3).astype(np.float64)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The labelled rows that have a score, over K cells."""

    count: Floats
    """By label and bin, [K, 2, 256]."""
    score: Floats
    """Sum of the scores by bin, [K, 256]."""
    nll: Floats
    """Sum of -ln of the probability of the label, by label and bin, [K, 2, 256]."""
    rows: Floats
    """By label (0, 1, unlabelled) and prediction, all with a score, [K, 3, 2]."""
    total: Floats
    """Sum of the scores by label and prediction, [K, 3, 2]."""
    squares: Floats
    """Sum of their squares, likewise."""

    @classmethod
    def of(cls, tally: BinaryTally, decided: Floats | None = None) -> Scores:
        """Of a tally; `decided` if its rows by label and prediction have been summed already."""
        count, score = tally.count[..., :BINS], tally.score[..., :BINS]
        every = decisions(tally) if decided is None else decided
        return cls(
            count=np.add(count[:, :2, 0], count[:, :2, 1], dtype=np.float64),
            score=score[:, 0, 0] + score[:, 0, 1] + score[:, 1, 0] + score[:, 1, 1],
            nll=tally.nll[..., :BINS],
            rows=every - tally.count[..., NO_SCORE],
            total=tally.score.sum(axis=3),
            squares=tally.score2,
        )

    @property
    def negatives(self) -> Floats:
        """By bin, [K, 256]."""
        return self.count[:, 0]

    @property
    def positives(self) -> Floats:
        """By bin, [K, 256]."""
        return self.count[:, 1]

    @property
    def labelled(self) -> Floats:
        """Labelled rows with a score, [K]."""
        found: Floats = self.rows[:, :2].sum(axis=(1, 2))
        return found
