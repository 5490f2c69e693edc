"""Detectors to compare: the baselines, each check of the product, and the default rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import DATETIME_DTYPE, Series, to_datetime64
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.band import Band
from modeltop.rules.detectors.base import Detector
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.drop import Drop, DropThreshold
from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.detectors.trend import Trend
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule, skip_reason
from tests.benchmarks.detection.baselines import fixed_threshold, three_sigma
from tests.benchmarks.detection.ground_truth import GroundTruth
from tests.benchmarks.detection.metrics import RATIOS, expected_value, standard_error
from tests.benchmarks.detection.populations import Classifier
from tests.benchmarks.detection.simulation import Settings

BatchDetector = Callable[[Sequence[Series], Sequence[GroundTruth]], list[list[int]]]
"""Returns the indices of the periods at which it alerts, for each series."""
ORACLE, DEFAULT_SHIFT, DEFAULT_FLOORS, ALL_DEFAULTS = (
    "oracle CUSUM",
    "default lasting fall",
    "default floors",
    "all defaults",
)


def rule_detector(rules: Sequence[Rule]) -> BatchDetector:
    """Return a detector that alerts when any of the rules fires."""

    def detect(batch: Sequence[Series], _: Sequence[GroundTruth]) -> list[list[int]]:
        indices: list[list[int]] = [[] for _ in batch]
        for rule in rules:
            evaluated = [
                index
                for index, series in enumerate(batch)
                if rule.matches(series.key) and not skip_reason(rule, series)
            ]
            for index, alerts in zip(evaluated, replay([batch[index] for index in evaluated], rule), strict=True):
                fired_at = [to_datetime64(alert.fired) for alert in alerts if alert.fired is not None]
                indices[index] += np.searchsorted(batch[index].times, np.array(fired_at, dtype=DATETIME_DTYPE)).tolist()
        return [sorted(alerts) for alerts in indices]

    return detect


def per_series(detect: Callable[[Series, GroundTruth], list[int]]) -> BatchDetector:
    """Return a detector of many series from a detector of one."""
    return lambda batch, truths: [detect(series, truth) for series, truth in zip(batch, truths, strict=True)]


BASELINES: Mapping[str, BatchDetector] = {
    "naive floor": per_series(fixed_threshold),
    "mean ± 3σ of 30": per_series(three_sigma),
}


@cache
def default_detectors() -> Mapping[str, BatchDetector]:
    """Return the default rules by kind and all together, and each check of the product."""
    rules = default_rules()
    floor_rules = tuple(rule for rule in rules if isinstance(rule.detector, Threshold))
    shift_rules = tuple(rule for rule in rules if rule not in floor_rules)
    return {
        DEFAULT_SHIFT: rule_detector(shift_rules),
        DEFAULT_FLOORS: rule_detector(floor_rules),
        ALL_DEFAULTS: rule_detector(rules),
    } | configured_detectors()


def configured_detectors() -> dict[str, BatchDetector]:
    """Return a detector for each check of the product with plausible parameters, compared with 60 periods before."""
    rules_by_name: dict[str, Rule] = {
        "drop 0.02": _rule_for(Drop(warn=DropThreshold(absolute=0.02))),
        "drop p < 0.01": _rule_for(Drop(warn=DropThreshold(p=0.01))),
        "drop 0.02 and p < 0.01": _rule_for(Drop(warn=DropThreshold(absolute=0.02, p=0.01))),
        "band 3.5": _rule_for(Band(warn=3.5)),
        "band 2, 3 of 5": replace(_rule_for(Band(warn=2.0)), confirm=(3, 3), window=5),
        "shift, slack 0.5": _rule_for(LastingShift(warn=8.0, slack=0.5)),
        "trend": replace(_rule_for(Trend()), recover=7),
        "spike": _rule_for(Outlier()),
    }
    return {name: rule_detector((rule,)) for name, rule in rules_by_name.items()}


def _rule_for(detector: Detector) -> Rule:
    """Return a rule for every series, the segments among them."""
    return Rule("", detector, "*", segment="*", min_count=30)


def assumed_truth(classifier: Classifier, series: Series, settings: Settings) -> GroundTruth:
    """Return the ground truth that a detector may use: the mean, and for a ratio its standard error.

    Args:
        classifier: The classifier with its healthy population.
        series: The series to detect on.
        settings: How it was simulated.
    """
    metric = series.key.metric
    if metric not in RATIOS or series.key.segment != "all":
        before = series.values[: settings.before]
        return GroundTruth("", metric, series.key.segment, None, 0.0, Pattern.STEADY, float(before.mean()), 1.0)
    mean = expected_value(metric, classifier.healthy)
    error = standard_error(metric, classifier.healthy, settings.rows, settings.noise.duplicates)
    return GroundTruth("", metric, "all", None, 0.0, Pattern.STEADY, mean, error)
