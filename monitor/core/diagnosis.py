"""What is found out about a model: its course, the likely cause, what to do. Explanations never alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from modeltop.core.series import SeriesKey, Severity

ROW_COUNT = "rows"
"""What a reading of the number of rows a period calls it, which is no metric."""


class Pattern(Enum):
    """The recent course of a metric, by its name."""

    STEADY = "steady"
    DECLINE = "gradual decline"
    DROP = "sudden drop"
    SPIKE = "spike"
    SEASONAL = "seasonal"
    RECOVERING = "recovering"
    IMPROVING = "improving"
    TOO_LITTLE = "too little data"


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one description of a course fits."""

    name: str
    """`level`, `line`, `step`, `bend` (a level, then a slope), `ramp` (a slope between two levels), `return` (a step
    and back), `spike` (one period), `burst` (two or three), or two of these: `two steps`, `two bends`,
    `two ramps` (a slope that grows steeper or flatter before it ends), `step and bend`, `bend and step`."""
    weighted_rss: float
    """Weighted sum of squared residuals in standard errors; smaller is better."""
    bic: float
    """Bayesian information criterion (Schwarz 1978), the search for places allowed for: the smallest is preferred."""


@dataclass(frozen=True, slots=True)
class SeriesPattern:
    """How a metric has gone of late."""

    key: SeriesKey
    pattern: Pattern
    started_at: datetime | None
    """Start of the first period of the change; None where nothing changed."""
    size: float | None
    """What it changed by, in the metric's unit: after less before, and of what recovers or has come back the way
    away; of a season, from its lowest to its highest; None where nothing changed."""
    confidence: float
    """0 to 1: the weight of this description among those that were tried."""
    fits: tuple[Fit, ...] = ()
    """All that were tried, best first."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where the level of a series changed."""

    at: datetime
    """Start of the first period after it."""
    before: float
    after: float
    p: float
    """How likely chance alone makes as large a change, 0 to 1, the search among all places allowed for."""


@dataclass(frozen=True, slots=True)
class Spike:
    """A few periods apart from all around them."""

    at: datetime
    """Start of its first period."""
    periods: int
    size: float
    """How far the furthest lies from its neighbours, in the metric's unit: above 0 if it is higher."""
    p: float
    """How likely chance alone makes one as far out anywhere in the series."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a trend leads: only where it is significant."""

    slope: float
    """Per day, in the metric's unit."""
    low: float
    """95 % interval of the slope."""
    high: float
    p: float
    limit: float | None = None
    """The limit that will be crossed."""
    days: float | None = None
    """Days from the newest period until then; None where no limit lies ahead."""
    soonest: float | None = None
    latest: float | None = None
    """None: maybe never."""


class Cause(Enum):
    """Why a model got worse."""

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
    """One cause that was weighed."""

    cause: Cause
    weight: float
    """0 to 1; comparable among the findings of one model only."""
    evidence_for: tuple[str, ...]
    """Evidence for it, a clause each; foreign text in it is made safe."""
    evidence_against: tuple[str, ...] = ()


class Action(Enum):
    """What to do next."""

    NOTHING = "nothing to do"
    WAIT = "wait"
    TICKET = "open a ticket"
    FIX_PIPELINE = "fix the pipeline first"
    ROLL_BACK = "roll back"
    RECALIBRATE = "recalibrate"
    MOVE_THRESHOLD = "move the decision threshold"
    RETRAIN = "retrain"
    INVESTIGATE = "look at the evidence"


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One metric before and after the change began: a row of the evidence."""

    key: SeriesKey
    before: float
    after: float
    delta: float
    """`after - before`, in the metric's unit."""
    low: float | None
    """95 % interval of the difference; None where nothing says how much may be chance."""
    high: float | None
    z: float
    """The difference in standard errors, 0 where they are unknown: how surely it moved, not how far."""
    direction: str
    """`fell`, `rose`, or `as before`."""
    periods: int = 0
    """Periods after."""

    @property
    def is_significant(self) -> bool:
        """Whether it is more than chance."""
        return self.direction != "as before"


@dataclass(frozen=True, slots=True)
class FeatureShift:
    """A column of the log whose values are spread otherwise than in the reference."""

    feature: str
    """Foreign text; `score` and `prediction` are not features."""
    after: float
    """Jensen-Shannon distance from the reference after the change began, 0 to 1; or what `metric` says."""
    before: float
    """The same before it."""
    metric: str = "js_distance"
    missing: tuple[float, float] | None = None
    """Missing rate before and after, where it rose."""
    unseen: tuple[float, float] | None = None
    """Share of values that the reference never had, before and after, where it rose."""


@dataclass(frozen=True, slots=True)
class SegmentContribution:
    """What one segment adds to the change of the whole; those of one cut sum up to it."""

    segment: str
    """Foreign text."""
    share: tuple[float, float]
    """Of the cases, before and after."""
    level: tuple[float, float]
    """The metric, before and after."""
    within: float
    """Of the change of the whole: because the segment itself changed, at its share after."""
    mix: float
    """Because it became more or less of the whole."""

    @property
    def total(self) -> float:
        """What it adds, in the metric's unit."""
        return self.within + self.mix


@dataclass(frozen=True, slots=True)
class ExpectedVsRealized:
    """What the model expected of itself, beside what came true."""

    expected: BeforeAfter
    """Mean confidence, or an estimated metric."""
    realized: BeforeAfter


class TrendOutlook(NamedTuple):
    """How one series has gone, and where that leads."""

    series_pattern: SeriesPattern | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is to be known of one model, worst metric first; computed for models that alert or are selected."""

    model: str
    severity: Severity
    key: SeriesKey | None
    """The series that it is about."""
    sentence: str
    """What, since when, how much, why, and what now: one sentence."""
    series_pattern: SeriesPattern | None
    hypotheses: tuple[CauseHypothesis, ...]
    """Weighed causes, likeliest first; never empty where anything is wrong."""
    actions: tuple[Action, ...]
    advice: str
    """The next step in a sentence, with numbers where they are known."""
    other_patterns: tuple[SeriesPattern, ...] = ()
    """Those of the model's other metrics that are not steady."""
    forecast: Forecast | None = None
    metric_changes: tuple[BeforeAfter, ...] = ()
    """The metrics over all rows, the one it is about first."""
    feature_shifts: tuple[FeatureShift, ...] = ()
    """Columns that moved, furthest first."""
    segments: tuple[SegmentContribution, ...] = ()
    """Of every cut, the largest part in the change first."""
    expectations: tuple[ExpectedVsRealized, ...] = ()
    """Confidence and accuracy; estimated and realised."""
    labels_since_change: int | None = None
    """Labelled rows since the change began: what a retraining could learn from; None where unknown."""

    @property
    def cause(self) -> Cause:
        """The likeliest."""
        return self.hypotheses[0].cause if self.hypotheses else Cause.UNKNOWN
