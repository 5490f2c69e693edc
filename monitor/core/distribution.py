"""Distributions behind a model's newest metrics: histograms, reliability curves, and rows per segment.

Times are aware UTC; a period of None is the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

OTHER, MISSING = "other", "missing"
"""The last two slots of every histogram: categories that the reference does not have, and missing values."""


class ValueRange(NamedTuple):
    """The finite values of a numeric feature in one period, in its own unit."""

    low: float
    high: float
    """The largest: equal to the smallest if all rows have one value."""
    mean: float
    deviation: float = float("nan")
    """Standard deviation; known of the reference only."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Row counts of one feature in the bins of its reference."""

    feature: str
    slots: tuple[str, ...]
    """The number of a bin, or a category, which is foreign text; then `other` and `missing`."""
    edges: tuple[tuple[float, float], ...] | None
    """Low and high of each bin, infinite at the ends, without those of `other` and `missing`; None for categories."""
    reference: Counts
    """Rows of the reference, shape (slots,)."""
    periods: tuple[datetime, ...]
    """Starts of the newest periods, sorted."""
    counts: Counts
    """Rows of each period, shape (periods, slots)."""
    ranges: Mapping[datetime | None, ValueRange] = field(default_factory=dict)
    """Of a numeric feature, by start of a period; None is the reference. Empty in a file of an older release."""


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityCurve:
    """How often the outcome occurred, by score bins of equal width."""

    name: str
    """`score`, or `confidence` if there are several classes."""
    periods: tuple[datetime | None, ...]
    """Start of each period; None comes first and represents the reference, if there is one; then sorted."""
    rows: Counts
    """Rows with a label, shape (periods, bins)."""
    score: Counts
    """Mean score, same shape; NaN if there are no rows."""
    rate: Counts
    """Rate of the outcome, same shape; NaN if there are no rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """Feature histograms, reliability curve and segment sizes of one model."""

    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    reliability: ReliabilityCurve | None = None
    segments: Mapping[str, Mapping[datetime, float]] = field(default_factory=dict)
