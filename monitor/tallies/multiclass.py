"""The tally of a model that chooses one of several classes."""

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
"""Places on the outcome axis of `confidence_count`; on that of `ranked`: another class, this class, not known."""


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassTally(Tally):
    """Counts and sums over K cells and C classes.

    The confidence of a row is the score of the predicted class: from its own column where there is one score a class,
    else the one score column. Rows without it stand in the slot after the last bin.
    """

    classes: tuple[str, ...]
    """Names in the order of the axes, the same for all cells: foreign text."""
    confusion: NDArray[np.int64]
    """Rows by label and prediction, [K, C + 1, C]; the last label is: not known."""
    confidence_count: NDArray[np.int64]
    """Rows by outcome (wrong, correct, unlabelled) and bin of the confidence, [K, 3, 257]."""
    confidence: Floats
    """Sum of the confidences, [K, 3, 257]."""
    confidence2: Floats
    """Sum of their squares, [K, 3]."""
    scored: NDArray[np.int64]
    """Labelled rows that have a score for every class, [K]: the rows of the four sums below."""
    nll: Floats
    """Sum of -ln of the probability given to the label, at least `SMALLEST_PROBABILITY`, [K]."""
    nll2: Floats
    """Sum of the squares of that, [K]."""
    brier: Floats
    """Sum over rows of the squared distance between scores and label, over all classes (0 to 2 a row), [K]."""
    brier2: Floats
    """Sum of the squares of that, [K]."""
    ranked: NDArray[np.int64] | None = None
    """Rows by class, outcome (label another class, this class, not known) and bin of that class's score,
    [K, C, 3, 257]; None without one score a class."""

    @classmethod
    def empty(cls, cells: int, classes: tuple[str, ...], *, scores: bool) -> MulticlassTally:
        """A tally of no rows, to be filled in place; `scores` if there is one score a class."""
        size = len(classes)
        return cls(
            classes=classes,
            confusion=np.zeros((cells, size + 1, size), dtype=np.int64),
            confidence_count=np.zeros((cells, 3, SLOTS), dtype=np.int64),
            confidence=np.zeros((cells, 3, SLOTS)),
            confidence2=np.zeros((cells, 3)),
            scored=np.zeros(cells, dtype=np.int64),
            nll=np.zeros(cells),
            nll2=np.zeros(cells),
            brier=np.zeros(cells),
            brier2=np.zeros(cells),
            ranked=np.zeros((cells, size, 3, SLOTS), dtype=np.int64) if scores else None,
        )
