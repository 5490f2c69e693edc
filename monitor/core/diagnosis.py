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
    """0 to 1: the weight of the fitted models that end where they started."""
    duration: int = 1
    """Periods that a drop took: 1 if it happened from one period to the next."""


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
    at: datetime | None = None
    """When it reaches the limit; None without one."""
    crossed: float | None = None
    """The limit that it has crossed last; None if it has crossed none."""


class Certainty(Enum):
    """The one scale of certainty of a cause, the same on every surface."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNCLEAR = "unclear"


CERTAIN_WEIGHT, LIKELY_WEIGHT, POSSIBLE_WEIGHT = 0.95, 0.6, 0.4
LIKELY_LEAD, POSSIBLE_LEAD = 0.2, 0.1
"""Lead in weight over the next cause without which a cause is not likely, and not even possible."""


def certainty_of(weight: float, rival: float = 0.0) -> Certainty:
    """Return how certain a cause is.

    Args:
        weight: Its weight, 0 to 1.
        rival: The weight of the heaviest other cause.

    >>> certainty_of(0.7, 0.3).value, certainty_of(0.7, 0.55).value, certainty_of(0.45, 0.42).value
    ('likely', 'possible', 'unclear')
    """
    lead = round(weight - rival, 6)
    if weight >= CERTAIN_WEIGHT and rival < POSSIBLE_WEIGHT:
        return Certainty.CERTAIN
    if weight >= LIKELY_WEIGHT and lead >= LIKELY_LEAD:
        return Certainty.LIKELY
    return Certainty.POSSIBLE if weight >= POSSIBLE_WEIGHT and lead >= POSSIBLE_LEAD else Certainty.UNCLEAR


class Cause(Enum):
    """The causes that a diagnosis can name; of equal weight, what is quick to check and reverse is first."""

    OUTAGE = "data outage"
    UPSTREAM = "broken input"
    SHARED = "shared cause"
    INVERTED_SCORES = "inverted scores"
    MISJOINED_LABELS = "misjoined labels"
    MODEL_CHANGE = "model change"
    NOISE = "sampling noise"
    CALENDAR = "calendar effect"
    SEASON = "seasonality"
    BUSINESS = "business change"
    SEGMENT = "one segment"
    FEATURE_DRIFT = "feature drift"
    DATA_DRIFT = "data drift"
    LABEL_SHIFT = "label shift"
    THRESHOLD = "threshold effect"
    CALIBRATION = "miscalibration"
    CONCEPT_DRIFT = "concept drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CauseHypothesis:
    """One cause, and the evidence for and against it."""

    cause: Cause
    weight: float
    """0 to 1; comparable among the hypotheses of one model only."""
    evidence_for: tuple[str, ...]
    """Evidence for it, a clause each; foreign text in it is sanitized."""
    evidence_against: tuple[str, ...] = ()
    certainty: Certainty = Certainty.UNCLEAR
    """By its weight and that of the others."""


class Action(Enum):
    """The next steps that a diagnosis can advise."""

    NOTHING = "no action needed"
    WAIT = "wait for more data"
    TICKET = "open a ticket"
    FIX_PIPELINE = "fix the input pipeline"
    CHECK_SHARED = "check what changed for all of these models"
    CHECK_SCORES = "check the sign and the class order of the scores"
    CHECK_LABELS = "check the join of the labels"
    CHECK_RELEASE = "check which model version is served"
    ROLL_BACK = "roll back"
    RECALIBRATE = "recalibrate the scores"
    MOVE_THRESHOLD = "review the decision threshold"
    RETRAIN = "retrain"
    COMPARE_INPUTS = "compare the inputs with the training data"
    INVESTIGATE = "check what changed when it started"
    CORRECT_INPUT = "correct the input"


MIN_Z = 2.6
"""Standard errors from which a difference is significant: p < 0.01, two-sided."""
SINGLE_PERIOD_MIN_Z = 3.4
"""The same of a single period: it was picked out of many, as one of 60 is beyond 2.6 by chance every other time."""


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One metric before and after the change started."""

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
    periods: int = 0
    """Evaluated periods after."""
    cases: float | None = None
    """Cases of these periods; None where unknown."""

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance: p < 0.01, two-sided."""
        return abs(self.z) >= (SINGLE_PERIOD_MIN_Z if self.periods == 1 else MIN_Z)

    @property
    def direction(self) -> str:
        """`fell` or `rose`; `as before` only where the interval of the difference includes 0."""
        is_known = self.low is not None and self.high is not None
        excludes_zero = (self.low or 0.0) > 0 or (self.high or 0.0) < 0
        has_moved = excludes_zero if is_known else self.is_significant
        return ("rose" if self.delta > 0 else "fell") if has_moved else "as before"


@dataclass(frozen=True, slots=True)
class FeatureShift:
    """A column of the log whose distribution has moved away from the reference."""

    feature: str
    """Foreign text; `score` and `prediction` are not features."""
    after: float
    """Distance from the reference after the change started, in the unit of `metric`; Jensen-Shannon is 0 to 1."""
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


class SegmentShare(NamedTuple):
    """The part of a change that one segment alone makes, while no other changed as much."""

    segment: str
    """Foreign text."""
    ratio: float
    """At most 1."""
    delta: float
    """Its contribution in the metric's unit."""


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
class Verdict:
    """What happened, why, and what to do: a sentence each, of at most `MAX_SENTENCE` cells, sanitized."""

    what: str
    why: str = ""
    do: str = ""

    def __str__(self) -> str:
        return " ".join(sentence for sentence in (self.what, self.why, self.do) if sentence)


MAX_SENTENCE = 75


class Question(NamedTuple):
    """One of the five questions about a model, answered."""

    question: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The diagnosis of one model, worst metric first; computed for models that alert, decline, or are selected."""

    model: str
    severity: Severity
    key: SeriesKey | None
    verdict: Verdict
    series_pattern: SeriesPattern | None
    hypotheses: tuple[CauseHypothesis, ...]
    """Most likely first; never empty if anything is wrong."""
    actions: tuple[Action, ...]
    questions: tuple[Question, ...] = ()
    other_patterns: tuple[SeriesPattern, ...] = ()
    forecast: Forecast | None = None
    metric_changes: tuple[BeforeAfter, ...] = ()
    feature_shifts: tuple[FeatureShift, ...] = ()
    segments: tuple[SegmentContribution, ...] = ()
    """Segments of every segmentation, the largest contribution first."""
    dominant_segment: SegmentShare | None = None
    """The segment that alone makes most of the fall; None if none does."""
    labels_since_change: int | None = None
    """Labeled rows since the change started, for a retraining to learn from; None where unknown."""

    def __str__(self) -> str:
        return f"{self.model}: {self.verdict}"

    @property
    def cause(self) -> Cause:
        """The most likely cause; `UNKNOWN` if none is likely enough."""
        return self.hypotheses[0].cause if self.hypotheses else Cause.UNKNOWN

    @property
    def certainty(self) -> Certainty:
        """How certain the most likely cause is."""
        return self.hypotheses[0].certainty if self.hypotheses else Certainty.UNCLEAR
