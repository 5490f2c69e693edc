"""The diagnosis of a model: its patterns, the likely cause, what to do. Explanations never alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from modeltop.core.series import SeriesKey, Severity

ROW_COUNT = "rows"
"""Name under which the number of rows per period is listed with the metrics, although it is not one."""


class Pattern(Enum):
    """The recent pattern of a metric."""

    STEADY = "steady"
    DECLINE = "gradual decline"
    DROP = "sudden drop"
    SPIKE = "spike"
    SEASONAL = "seasonal"
    RECOVERING = "recovering"
    IMPROVING = "improving"
    TOO_LITTLE = "too little data"


@dataclass(frozen=True, slots=True)
class SeriesPattern:
    """The recent pattern of one series, and its change."""

    key: SeriesKey
    pattern: Pattern
    started_at: datetime | None
    """Start of the first period of the change; None if nothing changed."""
    size: float | None
    """After less before, in the metric's unit; for a recovery, the size of the fall; for a season, its range."""
    confidence: float
    """0 to 1: the weight of this model among those that were fitted."""
    no_change_probability: float = 0.0
    """0 to 1: the weight of the fitted models that end where they began."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a significant trend reaches the next limit."""

    slope: float
    """Per day, in the metric's unit."""
    low: float
    """Lower end of the 95 % interval of the slope."""
    high: float
    p: float
    limit: float | None = None
    days: float | None = None
    """Days from the newest period until then; None if no limit lies ahead."""
    soonest: float | None = None
    """The same at the steeper end of the interval of the slope."""
    latest: float | None = None
    """None: possibly never."""


class Cause(Enum):
    """The causes that a diagnosis can name."""

    DATA_DRIFT = "data drift"
    FEATURE_DRIFT = "feature drift"
    CONCEPT_DRIFT = "concept drift"
    LABEL_SHIFT = "label shift"
    UPSTREAM = "broken upstream"
    BUSINESS = "business change"
    OUTAGE = "data outage"
    SEGMENT = "one segment only"
    NOISE = "sample noise"
    SEASON = "seasonal"
    THRESHOLD = "threshold effect"
    CALIBRATION = "calibration"
    UNKNOWN = "not enough to tell"


@dataclass(frozen=True, slots=True)
class CauseHypothesis:
    """One cause, and the evidence for and against it."""

    cause: Cause
    weight: float
    """0 to 1; comparable among the hypotheses of one model only."""
    evidence_for: tuple[str, ...]
    """Evidence for it, a clause each; foreign text in it is sanitized."""
    evidence_against: tuple[str, ...] = ()


class Action(Enum):
    """The next steps that a diagnosis can advise."""

    NOTHING = "nothing to do"
    WAIT = "wait"
    TICKET = "open a ticket"
    FIX_PIPELINE = "fix the pipeline first"
    ROLL_BACK = "roll back"
    RECALIBRATE = "recalibrate"
    MOVE_THRESHOLD = "move the decision threshold"
    RETRAIN = "retrain"
    INVESTIGATE = "look at the evidence"
    CORRECT_INPUT = "correct the input"


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One metric before and after the change began."""

    key: SeriesKey
    before: float
    after: float
    delta: float
    """`after - before`, in the metric's unit."""
    low: float | None
    """Lower end of the 95 % interval of the difference; None if its error is unknown."""
    high: float | None
    z: float
    """The difference in standard errors, 0 if they are unknown: its significance, not its size."""
    direction: str
    """`fell`, `rose`, or `as before`."""
    periods: int = 0

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance."""
        return self.direction != "as before"


@dataclass(frozen=True, slots=True)
class FeatureShift:
    """A column of the log whose distribution has moved away from the reference."""

    feature: str
    """Foreign text; `score` and `prediction` are not features."""
    after: float
    """Distance from the reference after the change began, in the unit of `metric`; Jensen-Shannon is 0 to 1."""
    before: float
    metric: str = "js_distance"
    missing: tuple[float, float] | None = None
    """Missing rate before and after, if it rose; else None."""
    unseen: tuple[float, float] | None = None
    """Proportion of values that the reference never had, before and after, if it rose; else None."""


@dataclass(frozen=True, slots=True)
class SegmentContribution:
    """The contribution of one segment to the change over all rows; those of one segmentation add up to it."""

    segment: str
    """Foreign text."""
    share: tuple[float, float]
    level: tuple[float, float]
    within: float
    """Part of the change because the segment itself changed, at its share after."""
    mix: float
    """Part of the change because its share of the cases changed."""

    @property
    def total(self) -> float:
        """The contribution in the metric's unit."""
        return self.within + self.mix


@dataclass(frozen=True, slots=True)
class ExpectedVsRealized:
    """The metric that the model's scores predict, beside the realized one."""

    expected: BeforeAfter
    """Mean confidence, or an estimated metric."""
    realized: BeforeAfter


class TrendOutlook(NamedTuple):
    """The pattern of one series, and its forecast."""

    series_pattern: SeriesPattern | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The diagnosis of one model, worst metric first; computed for models that alert or are selected."""

    model: str
    severity: Severity
    key: SeriesKey | None
    sentence: str
    series_pattern: SeriesPattern | None
    hypotheses: tuple[CauseHypothesis, ...]
    """Most likely first; never empty if anything is wrong."""
    actions: tuple[Action, ...]
    advice: str
    other_patterns: tuple[SeriesPattern, ...] = ()
    forecast: Forecast | None = None
    metric_changes: tuple[BeforeAfter, ...] = ()
    feature_shifts: tuple[FeatureShift, ...] = ()
    segments: tuple[SegmentContribution, ...] = ()
    """Segments of every segmentation, the largest contribution first."""
    expectations: tuple[ExpectedVsRealized, ...] = ()
    labels_since_change: int | None = None
    """Labeled rows since the change began, for a retraining to learn from; None where unknown."""

    @property
    def cause(self) -> Cause:
        """The most likely cause; `UNKNOWN` if none is likely enough."""
        return self.hypotheses[0].cause if self.hypotheses else Cause.UNKNOWN
