"""How large a drop of a metric must be to matter, whatever its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Floats

EXPLANATORY_FAMILIES = frozenset({"drift", "quality"})
"""Families of metrics that explain, and do not page."""


@dataclass(frozen=True, slots=True)
class Material:
    """The smallest drops that are critical: of a sudden one, and of one that has been active for a while.

    Measured from the level before; where both `absolute` and `fraction` are given, both must be reached.
    """

    absolute: float = 0.0
    """In the metric's unit."""
    fraction: float = 0.0
    """As a fraction of the level."""
    slide: float | None = None
    """The drop at which a sustained one is critical, in the metric's unit; None: as for a sudden one."""
    halved_below: float = 0.0
    """Half of `absolute` is enough where the level lies below this."""

    def sudden(self, level: float) -> float:
        """Return the smallest sudden drop that is critical, from this level."""
        absolute = self.absolute / 2 if abs(level) < self.halved_below else self.absolute
        return max(absolute, self.fraction * abs(level))

    def sustained(self, level: float) -> float:
        """Return the smallest sustained drop that is critical, from this level."""
        return max(self.absolute, self.fraction * abs(level)) if self.slide is None else self.slide

    def slow(self, levels: Floats) -> Floats:
        """Return the smallest slow drops that warn, from levels: a sudden critical one, of an error half of that."""
        absolute = np.where(np.abs(levels) < self.halved_below, self.absolute / 2, self.absolute)
        return np.maximum(absolute, self.fraction / 2 * np.abs(levels))

    @property
    def smallest(self) -> float:
        """The smallest drop that is critical from any level."""
        return self.absolute / 2


SHARE = Material(absolute=0.05, slide=0.15, halved_below=0.10)
BOUNDED_LOSS = Material(absolute=0.05, fraction=1.0, halved_below=0.10)
"""A Brier score that has doubled, and by as much as a share."""
CORRELATION = Material(absolute=0.10, slide=0.15)
"""R², MCC, kappa: 1 is best, and 0 is no better than chance."""
ERROR = Material(fraction=1.0)
"""An error or loss that has doubled."""
SCORE = Material(fraction=0.5)
"""A score without an upper bound that has halved."""


def material_drop(metric: Metric) -> Material | None:
    """Return how large a drop of a metric is critical; None if it warns at most.

    Only metrics that compare predictions with labels are critical by themselves.
    """
    if metric.better is Direction.NEITHER or not metric.needs_labels or metric.family in EXPLANATORY_FAMILIES:
        return None
    return large_drop(metric)


def large_drop(metric: Metric) -> Material:
    """Return how large a drop of a metric of known direction is large, whether it may be critical or not."""
    low, high = metric.bounds
    if low is not None and low >= 0 and high is not None and high <= 1:
        return SHARE
    if low == 0 and high is not None and metric.better is Direction.LOWER:
        return BOUNDED_LOSS
    if high == 1 and metric.better is Direction.HIGHER:
        return CORRELATION
    return ERROR if metric.better is Direction.LOWER else SCORE
