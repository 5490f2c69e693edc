"""What lies under a model's newest numbers, as it was read: histograms, curves, and rows a segment.

`compute` writes it beside the history; a diagnosis weighs it and the screen draws it. Times are aware UTC; a period of
None is the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

OTHER, MISSING = "other", "missing"
"""The last two slots of every histogram: categories that the reference has not, and empty cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Rows of one feature by the bins of its reference."""

    feature: str
    """Foreign text."""
    slots: tuple[str, ...]
    """The number of a bin, or a category, which is foreign text; then `other` and `missing`."""
    edges: tuple[tuple[float, float], ...] | None
    """Low and high of each bin, infinite at the ends, without those of `other` and `missing`; None for categories."""
    reference: Counts
    """Rows by slot."""
    periods: tuple[datetime, ...]
    """The newest, sorted."""
    counts: Counts
    """Shape (periods, slots)."""


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityCurve:
    """How often what was scored came true, by groups of equal width of the score."""

    name: str
    """`score`, or `confidence` where there are several classes."""
    periods: tuple[datetime | None, ...]
    """None first where the reference is known; then the newest, sorted."""
    rows: Counts
    """Rows with a label; shape (periods, groups); 0 where there are none."""
    score: Counts
    """Mean score; NaN where there are no rows."""
    rate: Counts
    """Share that came true; NaN where there are no rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """All that is kept of one model."""

    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    """By feature, in the order of the file."""
    reliability: ReliabilityCurve | None = None
    segments: Mapping[str, Mapping[datetime, float]] = field(default_factory=dict)
    """Rows by segment and period; `all` among them."""
