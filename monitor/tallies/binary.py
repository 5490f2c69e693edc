"""The tally of a model that says yes or no, with a score or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.tallies.base import Tally
from monitor.tallies.bins import SLOTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Floats

WRONG, CORRECT, UNLABELLED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class BinaryTally(Tally):
    """Counts and sums over K cells by label (0, 1, 2: unlabelled), prediction (0, 1) and bin of the score.

    The slot after the last bin holds the rows without a score; the sums are 0 there. Only rows that have a prediction
    are counted. The confidence of a row is its score where 1 is predicted, one minus its score where 0 is.
    """

    count: NDArray[np.int64]
    """Rows, [K, 3, 2, 257]."""
    score: Floats
    """Sum of the scores (the probability of the positive class), [K, 3, 2, 257]."""
    score2: Floats
    """Sum of the squares of the scores, [K, 3, 2]."""
    nll: Floats
    """Sum of -ln of the probability given to the label, at least `SMALLEST_PROBABILITY`; by label, [K, 2, 257]."""

    @classmethod
    def empty(cls, cells: int) -> BinaryTally:
        """A tally of no rows, to be filled in place."""
        return cls(
            count=np.zeros((cells, 3, 2, SLOTS), dtype=np.int64),
            score=np.zeros((cells, 3, 2, SLOTS)),
            score2=np.zeros((cells, 3, 2)),
            nll=np.zeros((cells, 2, SLOTS)),
        )
