"""What a binary tally says of its scores, read from it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.tallies.bins import BINS

if TYPE_CHECKING:
    from monitor.records import Floats
    from monitor.tallies.binary import BinaryTally


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The labelled rows that have a score, over K cells."""

    negatives: Floats
    """By bin, [K, 256]."""
    positives: Floats
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
    def of(cls, tally: BinaryTally) -> Scores:
        """Reads the tally once."""
        count, score = tally.count[..., :BINS], tally.score[..., :BINS]
        by_label = (count[:, :2, 0] + count[:, :2, 1]).astype(np.float64)
        return cls(
            negatives=by_label[:, 0],
            positives=by_label[:, 1],
            score=score[:, 0, 0] + score[:, 0, 1] + score[:, 1, 0] + score[:, 1, 1],
            nll=tally.nll[..., :BINS],
            rows=count.sum(axis=3).astype(np.float64),
            total=score.sum(axis=3),
            squares=tally.score2,
        )

    @property
    def labelled(self) -> Floats:
        """Labelled rows with a score, [K]."""
        found: Floats = self.rows[:, :2].sum(axis=(1, 2))
        return found
