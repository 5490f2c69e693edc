"""Aggregates of models that choose between two classes, or one of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Floats
from modeltop.predictions.aggregates.base import Aggregate
from modeltop.predictions.aggregates.score_bins import SLOTS

WRONG, CORRECT, UNLABELLED = 0, 1, 2
"""Indices on the axis of outcomes; for `ranked`: another class, this class, label not known."""


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCounts(Aggregate):
    """Counts and sums over K cells by label (0, 1, 2: unlabeled), prediction (0, 1) and bin of the score.

    The slot after the last bin holds the rows without a score; the sums are 0 there. Only rows that have a prediction
    are counted. The confidence of a row is its score if 1 is predicted, one minus its score if 0 is.
    """

    count: NDArray[np.int64]
    """Rows, [K, 3, 2, 257]."""
    score: Floats
    """Sum of the scores (the probability of the positive class), [K, 3, 2, 257]."""
    score2: Floats
    """Sum of the squares of the scores, [K, 3, 2]."""
    nll: Floats
    """Sum of -ln of the probability given to the label, at least `MIN_PROBABILITY`; by label, [K, 2, 257]."""

    @classmethod
    def empty(cls, cells: int) -> BinaryCounts:
        """Return the counts of no rows, to be filled in place."""
        return cls(
            count=np.zeros((cells, 3, 2, SLOTS), dtype=np.int64),
            score=np.zeros((cells, 3, 2, SLOTS)),
            score2=np.zeros((cells, 3, 2)),
            nll=np.zeros((cells, 2, SLOTS)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassCounts(Aggregate):
    """Counts and sums over K cells and C classes.

    The confidence of a row is the score of the predicted class: from its own column if there is one score per class,
    else the single score column. Rows without it are in the slot after the last bin.
    """

    classes: tuple[str, ...]
    """Names in the order of the axes, the same for all cells: foreign text."""
    confusion: NDArray[np.int64]
    """Rows by label and prediction, [K, C + 1, C]; the last label is: not known."""
    confidence_count: NDArray[np.int64]
    """Rows by outcome (wrong, correct, unlabeled) and bin of the confidence, [K, 3, 257]."""
    confidence: Floats
    """Sum of the confidences, [K, 3, 257]."""
    confidence2: Floats
    """Sum of their squares, [K, 3]."""
    scored: NDArray[np.int64]
    """Labeled rows that have a score for every class, [K]: the rows of the four sums below."""
    nll: Floats
    """Sum of -ln of the probability given to the label, at least `MIN_PROBABILITY`, [K]."""
    nll2: Floats
    """Sum of the squares of that, [K]."""
    brier: Floats
    """Sum over rows of the squared distance of scores and label, over all classes (0 to 2 a row), [K]."""
    brier2: Floats
    """Sum of the squares of that, [K]."""
    ranked: NDArray[np.int64] | None = None
    """Rows by class, outcome (label another class, this class, not known), prediction (another class, this class) and
    bin of that class's score, [K, C, 3, 2, 257]: `BinaryCounts.count` of each class; None without one score a class."""

    @classmethod
    def empty(cls, cells: int, classes: tuple[str, ...], *, scores: bool) -> MulticlassCounts:
        """Return the counts of no rows, to be filled in place; `scores`: whether there is one a class."""
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
            ranked=np.zeros((cells, size, 3, 2, SLOTS), dtype=np.int64) if scores else None,
        )
