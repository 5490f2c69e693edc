"""The score and the prediction of a model seen as columns, so that they drift as features do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.tallies.bins import BINS, NO_SCORE, edges
from monitor.tallies.feature import FeatureReference, FeatureTally
from monitor.tallies.multiclass import MulticlassTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.tallies.binary import BinaryTally

SCORE, PREDICTION = "score", "prediction"


def score_column(tally: BinaryTally, reference: BinaryTally) -> FeatureTally:
    """The scores of K cells against those of the first cell of the reference; the bins are the tally's own."""
    count, total = _scores(tally)
    seen, sums = _scores(reference)
    rows, mean = seen[0, :BINS].sum(), sums[0].sum() / max(seen[0, :BINS].sum(), 1)
    squares = reference.score2[0].sum()
    deviation = float(np.sqrt(max(squares / rows - mean * mean, 0.0))) if rows else float("nan")
    bins = FeatureReference(SCORE, count=seen[0], edges=edges()[1:-1], total=sums[0], deviation=deviation)
    return FeatureTally(bins, count=count, total=total)


def prediction_column(tally: BinaryTally | MulticlassTally, reference: BinaryTally | MulticlassTally) -> FeatureTally:
    """The predictions of K cells against those of the first cell of the reference; the classes are the categories."""
    count, names = _predictions(tally)
    seen, _ = _predictions(reference)
    return FeatureTally(FeatureReference(PREDICTION, count=seen[0], categories=names), count=count)


def _scores(tally: BinaryTally) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    by = tally.count.sum(axis=(1, 2))
    none = np.zeros((len(by), 1), dtype=np.int64)
    return np.concatenate([by[:, :BINS], none, by[:, NO_SCORE:]], axis=1), tally.score[..., :BINS].sum(axis=(1, 2))


def _predictions(tally: BinaryTally | MulticlassTally) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if isinstance(tally, MulticlassTally):
        by, names = tally.confusion.sum(axis=1), tally.classes
    else:
        by, names = tally.count.sum(axis=(1, 3)), ("0", "1")
    return np.concatenate([by, np.zeros((len(by), 2), dtype=np.int64)], axis=1), names
