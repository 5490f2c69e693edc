"""Simulated histories with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import History, Series, SeriesKey

MODEL = "model"


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Changepoint, effect size and pattern of a simulated history."""

    scenario: str
    """Name of the simulated scenario."""
    metric: str
    """Metric that drops, or would."""
    segment: str
    """Segment of that metric: `all`, or the only segment that drops."""
    changepoint: int | None
    """Index of the first changed period; None where nothing changes."""
    effect_size: float
    """Size of the complete drop, in standard errors of a healthy period."""
    pattern: Pattern
    mean: float
    """Expected value of the healthy metric."""
    standard_error: float
    """Standard error of the healthy metric over one period."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledHistory:
    """History of one model and its ground truth."""

    truth: GroundTruth
    history: History

    @property
    def target_series(self) -> Series:
        """Series of the metric and segment that drop."""
        return self.history.series[SeriesKey(MODEL, self.truth.metric, self.truth.segment)]
