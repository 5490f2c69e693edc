"""The rules that hold by default, and which of them hold beside configured ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modeltop.core.diagnosis import ROW_COUNT
from modeltop.core.series import RuleStatus
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.detectors.baseline_drop import BaselineDrop
from modeltop.rules.detectors.confidence import ConfidenceShift
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.drop import Drop, DropThreshold
from modeltop.rules.detectors.floor import Floor
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.volume import VolumeDrop
from modeltop.rules.rule import TWO_SIDED_SHIFT, UNKNOWN_METRIC, Rule

DROP = "baseline-drop"
MIN_COUNT = 30
"""Cases without which a period is not compared with its baseline."""
TWO_SIDED_LIMIT = 4.4
"""Limit of the cumulative sum on either side, so that both together are exceeded by chance as seldom as one."""
SHIFT_BASELINE = 30
"""Periods before a shift of confidence: in fewer no autocorrelation is certain, and a trend is looked for from 8 on."""
CLASS_SHARE_CHANGE = 0.10
"""Trend of the share of a predicted class that warns: it varies more than a mean confidence, and with the inputs."""
CLASS_SHARE_P = 0.0001
"""p-value of such a trend: one of 0.001, asked every day of a year, is met by chance once in ten years."""
MISSING_RISE = 0.20
"""Rise of the share of missing values, or of unseen categories, that is a fault of the data rather than drift."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """The default rules that apply, by the keys of `[defaults]`; `Rule.switch` is one of them."""

    floors: bool = True
    """Limits of accuracy and F1, where no threshold is configured."""
    drop: bool = True
    """A sustained drop below the baseline, or a collapse."""
    declining: bool = True
    """Say that a metric declines inside its limits."""
    confidence: bool = True
    """A model that grows more or less sure of itself."""
    volume: bool = True
    """Fewer rows than normal."""
    quality: bool = True
    """More missing values, or more categories that were never seen."""
    unknown_metrics: bool = True
    """Watch metrics of unknown direction for a change to either side."""


def default_rules() -> tuple[Rule, ...]:
    """Return the rules that apply by default, in order."""
    floors = (("accuracy-floor", "accuracy", 0.90), ("f1-floor", "f1_score", 0.85))
    confidence = (
        ("confidence-shift", "avg_confidence", ConfidenceShift(TWO_SIDED_LIMIT, least=SHIFT_BASELINE)),
        (
            "prediction-shift",
            "positive_rate",
            ConfidenceShift(TWO_SIDED_LIMIT, least=SHIFT_BASELINE, least_change=CLASS_SHARE_CHANGE, p=CLASS_SHARE_P),
        ),
    )
    quality = (("missing-values", "missing_rate"), ("unseen-categories", "unseen_category_rate"))
    rise = Drop(warn=DropThreshold(absolute=MISSING_RISE))
    all_rows = OtherSeriesBaseline(segment="all")
    two_sided = LastingShift(outside=True)
    return (
        *(
            Rule(name, Floor(critical=Limit(below=floor)), metric, confirm=(2, 2), default=True, switch="floors")
            for name, metric, floor in floors
        ),
        Rule(DROP, BaselineDrop(), "*", segment="*", min_count=MIN_COUNT, default=True, switch="drop"),
        *(
            Rule(name, detector, metric, min_count=MIN_COUNT, default=True, switch="confidence")
            for name, metric, detector in confidence
        ),
        Rule("volume-drop", VolumeDrop(), ROW_COUNT, segment="*", baseline=all_rows, default=True, switch="volume"),
        *(
            Rule(name, rise, metric, segment="*", confirm=(2, 2), recover=2, default=True, switch="quality")
            for name, metric in quality
        ),
        Rule(
            UNKNOWN_METRIC,
            BaselineDrop(outside=True),
            "*",
            min_count=MIN_COUNT,
            default=True,
            switch="unknown_metrics",
        ),
        Rule(TWO_SIDED_SHIFT, two_sided, "*", min_count=MIN_COUNT, default=True, switch="drop"),
    )


def rules_in_force(configured: Sequence[Rule], defaults: Defaults) -> tuple[Rule, ...]:
    """Return the configured rules, and the default ones that are neither switched off nor replaced by name."""
    names = {rule.name for rule in configured}
    beside = (rule for rule in default_rules() if rule.switch is None or getattr(defaults, rule.switch))
    return (*configured, *(rule for rule in beside if rule.name not in names))


def without_idle(rules: Iterable[Rule], statuses: Iterable[RuleStatus]) -> list[Rule]:
    """Return the rules that are reported: all but the default ones of which no series is.

    Args:
        rules: The rules in force.
        statuses: Their statuses.
    """
    applied = {status.rule for status in statuses}
    return [rule for rule in rules if rule.name in applied or not rule.default]
