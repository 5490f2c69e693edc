"""Who watches a series: the rivals, each check with sensible parameters, and the rules that hold by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import DATETIME_DTYPE, Series, to_datetime64
from modeltop.rules.detectors.band import Band
from modeltop.rules.detectors.base import Detector
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.drop import Drop, DropThreshold
from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.detectors.trend import Trend
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule, default_rules, skip_reason
from tests.benchmarks.detection.baselines import naive, usual
from tests.benchmarks.detection.ground_truth import Truth
from tests.benchmarks.detection.metrics import RATIOS, level
from tests.benchmarks.detection.oracle import spread
from tests.benchmarks.detection.populations import Classifier
from tests.benchmarks.detection.simulation import Frame

Watcher = Callable[[Sequence[Series], Sequence[Truth]], list[list[int]]]
"""Per series the places of the periods at which it alerts."""
ORACLE, LASTING, FLOORS, DEFAULTS = "oracle CUSUM", "default lasting fall", "default floors", "all defaults"


def by_rules(rules: Sequence[Rule]) -> Watcher:
    """Someone who is told by any of these rules."""

    def watch(many: Sequence[Series], _: Sequence[Truth]) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in many]
        for rule in rules:
            asked = [place for place, one in enumerate(many) if rule.matches(one.key) and not skip_reason(rule, one)]
            for place, episodes in zip(asked, replay([many[place] for place in asked], rule), strict=True):
                moments = [to_datetime64(one.fired) for one in episodes if one.fired is not None]
                found[place] += np.searchsorted(many[place].times, np.array(moments, dtype=DATETIME_DTYPE)).tolist()
        return [sorted(places) for places in found]

    return watch


def one_by_one(alone: Callable[[Series, Truth], list[int]]) -> Watcher:
    """Someone who looks at each series by itself."""
    return lambda many, truths: [alone(series, truth) for series, truth in zip(many, truths, strict=True)]


RIVALS: Mapping[str, Watcher] = {"naive floor": one_by_one(naive), "mean ± 3σ of 30": one_by_one(usual)}


@cache
def ours() -> Mapping[str, Watcher]:
    """The default rules: each, and all together."""
    rules = default_rules()
    floors = tuple(rule for rule in rules if isinstance(rule.detector, Threshold))
    lasting = tuple(rule for rule in rules if rule not in floors)
    return {LASTING: by_rules(lasting), FLOORS: by_rules(floors), DEFAULTS: by_rules(rules)} | checks()


def checks() -> dict[str, Watcher]:
    """Each check that can be had, with parameters that a person might give it, compared with 60 periods before."""
    asked: dict[str, Rule] = {
        "drop 0.02": _asking(Drop(warn=DropThreshold(absolute=0.02))),
        "drop p < 0.01": _asking(Drop(warn=DropThreshold(p=0.01))),
        "drop 0.02 and p < 0.01": _asking(Drop(warn=DropThreshold(absolute=0.02, p=0.01))),
        "band 3.5": _asking(Band(warn=3.5)),
        "band 2, 3 of 5": replace(_asking(Band(warn=2.0)), confirm=(3, 3), window=5),
        "shift, slack 0.5": _asking(LastingShift(warn=8.0, slack=0.5)),
        "trend": replace(_asking(Trend()), recover=7),
        "spike": _asking(Outlier()),
    }
    return {name: by_rules((rule,)) for name, rule in asked.items()}


def _asking(check: Detector) -> Rule:
    """A rule that asks it of every series, the segments among them."""
    return Rule("", check, "*", segment="*", min_count=30)


def usually(classifier: Classifier, series: Series, frame: Frame) -> Truth:
    """What one who looks at a series before anything happens takes for usual; the oracle knows its deviation too."""
    metric = series.key.metric
    if metric not in RATIOS or series.key.segment != "all":
        before = series.values[: frame.before]
        return Truth("", metric, series.key.segment, None, 0.0, Pattern.STEADY, None, float(before.mean()), 1.0)
    mean, chance = level(metric, classifier.healthy), spread(classifier, metric, frame.rows, frame.noise.copies)
    return Truth("", metric, "all", None, 0.0, Pattern.STEADY, None, mean, chance)
