"""The 256 bins of scores, never changed, so that aggregates of any day, machine and engine merge.

192 are equally wide on [1/128, 127/128]; 32 at either end shrink geometrically towards 1e-6, because bins of equal
width are blind where scores crowd. Bins are `[low, high)` up to 127/128, and `(low, high]` above it. An engine bins by
the same arithmetic as `score_bin`, in double precision.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modeltop.core.series import Floats

BINS = 256
NO_SCORE = 256
"""The slot after the last bin: rows without a score."""
SLOTS = 257

TAIL_BINS = 32
"""Bins of each tail."""
LINEAR_BINS = 192
"""Bins between the tails."""
TAIL_EDGE = 1 / 128
"""Upper end of the lower tail."""
MIN_SCORE = 1e-6
"""Probabilities nearer to 0 or 1 than this are also counted in the outermost bins."""
GRID = 4096.0
"""Units of the grid on which the edges of linear bins lie."""
LINEAR_START = 32.0
"""First edge of the linear bins, in units of the grid."""
LINEAR_WIDTH = 21.0
"""Width of a linear bin in units of the grid: `floor((score * GRID - LINEAR_START) / LINEAR_WIDTH)` counts them."""
TAIL_RATE = TAIL_BINS / math.log(TAIL_EDGE / MIN_SCORE)
"""Bins per unit of the natural logarithm: `floor(ln(max(score, MIN_SCORE) / MIN_SCORE) * TAIL_RATE)`, at most 31."""

MIN_PROBABILITY = float(np.finfo(np.float64).eps)
"""A probability of the label below this counts as this in the log-loss, as scikit-learn has it: at most 36.04 nats."""


def score_bin(score: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of each score, 0 to 255 and rising with the score; 256 for NaN. Scores lie within 0 and 1.

    >>> score_bin([0.0, 1e-6, 0.5, 1.0, float("nan")]).tolist()
    [0, 0, 128, 255, 256]
    """
    scores = np.asarray(score, dtype=np.float64)
    scored = np.where(np.isnan(scores), 0.5, scores)
    linear = TAIL_BINS + np.floor((scored * GRID - LINEAR_START) / LINEAR_WIDTH)
    upper = BINS - 1 - _tail_bin(1.0 - scored)
    bins = np.where(scored < TAIL_EDGE, _tail_bin(scored), np.where(scored < 1.0 - TAIL_EDGE, linear, upper))
    return np.where(np.isnan(scores), NO_SCORE, bins).astype(np.int64)


def _tail_bin(distance: Floats) -> Floats:
    """Return the bin by the distance from 0."""
    steps: Floats = np.floor(np.log(np.maximum(distance, MIN_SCORE) / MIN_SCORE) * TAIL_RATE)
    return np.minimum(steps, TAIL_BINS - 1.0)


@cache
def bin_edges() -> Floats:
    """Return the 257 edges, rising from 0 to 1; read-only."""
    tail = MIN_SCORE * np.exp(np.arange(TAIL_BINS + 1) / TAIL_RATE)
    tail[0], tail[-1] = 0.0, TAIL_EDGE
    linear = (LINEAR_START + LINEAR_WIDTH * np.arange(1, LINEAR_BINS)) / GRID
    edges: Floats = np.concatenate([tail, linear, (1.0 - tail)[::-1]])
    edges.setflags(write=False)
    return edges
