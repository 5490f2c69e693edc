"""What became of a column's values, from its histograms: another unit, or one value and no other."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from monitor.diagnosis.said import name, percent
from monitor.exhibits import MISSING, OTHER, Histogram
from monitor.text import brief

if TYPE_CHECKING:
    from monitor.exhibits import Counts

LEVELS = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"""Quantiles that are compared; the lowest are left out, as a bin there is wide beside its values."""
APART = math.log(1.5)
"""A factor nearer to 1 is drift."""
ALIKE = 0.35
"""How far the logarithms of the factors of all quantiles may lie from each other."""
STUCK, BEFORE = 0.95, 0.6
"""Share of the rows on one value, of late and in the reference."""
ROWS = 30
"""Fewer rows show no shape."""


def odd(histogram: Histogram, since: datetime) -> str | None:
    """What is odd about the values of the periods since then, as a clause; None where nothing is."""
    late = np.array([period >= since for period in histogram.periods], dtype=bool)
    counts = histogram.counts[late].sum(axis=0) if late.any() else np.zeros(len(histogram.slots))
    if counts.sum() < ROWS or histogram.reference.sum() < ROWS:
        return None
    if (value := stuck(histogram, counts)) is not None:
        return f"{name(histogram.feature)} is stuck: {percent(value)} of the rows have one value"
    if (factor := scaled(histogram, counts)) is not None:
        return f"{name(histogram.feature)} is {brief(factor, 2)} times what it was: another unit"
    return None


def stuck(histogram: Histogram, counts: Counts) -> float | None:
    """The share of rows on one value or in one bin, if that is nearly all and was not so in the reference."""
    own = [place for place, slot in enumerate(histogram.slots) if slot not in (OTHER, MISSING)]
    if not own or counts[own].sum() <= 0 or histogram.reference[own].sum() <= 0:
        return None
    share = counts[own] / counts[own].sum()
    top = int(np.argmax(share))
    usual = float(histogram.reference[own][top] / histogram.reference[own].sum())
    return float(share[top]) if share[top] >= STUCK and usual < BEFORE else None


def scaled(histogram: Histogram, counts: Counts) -> float | None:
    """The factor by which all quantiles moved alike; None where they did not, or by too little."""
    if histogram.edges is None or len(histogram.edges) < len(LEVELS):
        return None
    before, after = (_quantiles(histogram, those) for those in (histogram.reference, counts))
    if before is None or after is None or (before <= 0).any() or (after <= 0).any():
        return None
    factors = np.log(after / before)
    factor = float(np.median(factors))
    return math.exp(factor) if abs(factor) >= APART and float(np.ptp(factors)) <= ALIKE else None


def _quantiles(histogram: Histogram, counts: Counts) -> Counts | None:
    """At `LEVELS`, straight within a bin; None where one lies in a bin without an end."""
    assert histogram.edges is not None, "asked of numbers"
    ends = np.array(histogram.edges, dtype=np.float64)
    rows = counts[: len(ends)]
    upto = np.cumsum(rows)
    if upto[-1] <= 0:
        return None
    wanted = LEVELS * upto[-1]
    at = np.searchsorted(upto, wanted)
    low, high = ends[at, 0], ends[at, 1]
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    into = (wanted - (upto[at] - rows[at])) / rows[at]
    found: Counts = low + into * (high - low)
    return found
