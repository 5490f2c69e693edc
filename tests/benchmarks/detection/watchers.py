"""Who watches a series: the rivals, each check with sensible parameters, and the rules that hold by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from monitor.alerts import replay
from monitor.checks.threshold import Threshold
from monitor.records import Series, to_stamp
from monitor.rules import Rule, default_rules, left_out
from tests.benchmarks.detection.rivals import naive, usual
from tests.benchmarks.detection.truth import Truth

Watcher = Callable[[Series, Truth], list[int]]
ORACLE, LASTING = "oracle CUSUM", "default lasting fall"
RIVALS: Mapping[str, Watcher] = {
    "naive floor": naive,
    "mean ± 3σ of 30": usual,
}


def fired(series: Series, rule: Rule) -> list[int]:
    """Places of the periods at which a rule fired on a series; none where the rule is left out there."""
    if not rule.matches(series.key) or left_out(rule, series):
        return []
    moments = [episode.fired for episode in replay(series, rule) if episode.fired is not None]
    return [int(np.searchsorted(series.times, to_stamp(moment))) for moment in moments]


def by_rules(rules: tuple[Rule, ...]) -> Watcher:
    """Someone who is told by any of these rules."""
    return lambda series, _: sorted(place for rule in rules for place in fired(series, rule))


@cache
def ours() -> Mapping[str, Watcher]:
    """The default rules: each, and all together."""
    rules = default_rules()
    floors = tuple(rule for rule in rules if isinstance(rule.check, Threshold))
    lasting = tuple(rule for rule in rules if rule not in floors)
    return {LASTING: by_rules(lasting), "default floors": by_rules(floors)} | checks()


def checks() -> dict[str, Watcher]:
    """Each check that can be had, with parameters that a person might give it."""
    return {}
