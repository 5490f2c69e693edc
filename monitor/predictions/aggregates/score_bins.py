"""The 256 bins of scores: fixed for ever, so that tallies of any day, machine and engine merge.

192 are equally wide on [1/128, 127/128]; 32 at either end shrink geometrically towards 1e-6, because bins of equal
width are blind where scores crowd. Bins are half-open, `[low, high)`, up to 127/128, and `(low, high]` above it, where
they mirror the lower tail.

An engine bins by the same arithmetic as `bin_of`, in double precision. The linear part is exact on every machine; in
the tails two logarithms that differ in their last bit disagree only on a score within one ulp of an irrational edge.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from modeltop.core.series import Floats

BINS = 256
NO_SCORE = 256
"""The slot after the last bin: rows without a score."""
SLOTS = 257

TAIL = 32
"""Bins of each tail."""
LINEAR = 192
TAIL_STARTS = 1 / 128
SMALLEST = 1e-6
"""The outermost bins also take all that is nearer to 0 or 1 than this."""
FINEST = 4096.0
"""A linear bin is 21/4096 wide: `floor((score * FINEST - 32) / 21)` counts from the first of them."""
STEPS = 21.0
FIRST_STEP = 32.0
TAIL_RATE = TAIL / math.log(TAIL_STARTS / SMALLEST)
"""Bins per unit of the natural logarithm: `floor(ln(max(score, SMALLEST) / SMALLEST) * TAIL_RATE)`, at most 31."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""A probability of the label below this counts as this in the log-loss, as scikit-learn has it: at most 36.04 nats."""


def score_bin(score: ArrayLike) -> NDArray[np.int64]:
    """The bin of each score, 0 to 255 and rising with the score; 256 for NaN. Scores lie within 0 and 1.

    >>> score_bin([0.0, 1e-6, 0.5, 1.0, float("nan")]).tolist()
    [0, 0, 128, 255, 256]
    """
    scores = np.asarray(score, dtype=np.float64)
    known = np.where(np.isnan(scores), 0.5, scores)
    linear = TAIL + np.floor((known * FINEST - FIRST_STEP) / STEPS)
    upper = BINS - 1 - _tail_bin(1.0 - known)
    found = np.where(known < TAIL_STARTS, _tail_bin(known), np.where(known < 1.0 - TAIL_STARTS, linear, upper))
    return np.where(np.isnan(scores), NO_SCORE, found).astype(np.int64)


def _tail_bin(distance: Floats) -> Floats:
    """The bin by the distance from 0."""
    steps: Floats = np.floor(np.log(np.maximum(distance, SMALLEST) / SMALLEST) * TAIL_RATE)
    return np.minimum(steps, TAIL - 1.0)


@cache
def bin_edges() -> Floats:
    """The 257 edges, rising from 0 to 1; read-only.

    >>> [round(float(bin_edges()[at]), 6) for at in (0, 1, 32, 128, 224, 256)]
    [0.0, 1e-06, 0.007812, 0.5, 0.992188, 1.0]
    """
    tail = SMALLEST * np.exp(np.arange(TAIL + 1) / TAIL_RATE)
    tail[0], tail[-1] = 0.0, TAIL_STARTS
    linear = (FIRST_STEP + STEPS * np.arange(1, LINEAR)) / FINEST
    found: Floats = np.concatenate([tail, linear, (1.0 - tail)[::-1]])
    found.setflags(write=False)
    return found
