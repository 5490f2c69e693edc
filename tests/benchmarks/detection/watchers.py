"""Who watches a series: the rivals, each check with sensible parameters, and the rules that hold by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from monitor.alerts import replays
from monitor.checks.band import Band
from monitor.checks.drop import Drop, Fall
from monitor.checks.shift import Shift
from monitor.checks.threshold import Threshold
from monitor.records import STAMP, Series, to_stamp
from monitor.rules import Rule, default_rules, left_out
from tests.benchmarks.detection.rivals import naive, usual
from tests.benchmarks.detection.truth import Truth

Watcher = Callable[[Sequence[Series], Sequence[Truth]], list[list[int]]]
"""Per series the places of the periods at which it alerts."""
ORACLE, LASTING = "oracle CUSUM", "default lasting fall"


def by_rules(rules: Sequence[Rule]) -> Watcher:
    """Someone who is told by any of these rules."""

    def watch(many: Sequence[Series], _: Sequence[Truth]) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in many]
        for rule in rules:
            asked = [place for place, one in enumerate(many) if rule.matches(one.key) and not left_out(rule, one)]
            for place, episodes in zip(asked, replays([many[place] for place in asked], rule), strict=True):
                moments = [to_stamp(one.fired) for one in episodes if one.fired is not None]
                found[place] += np.searchsorted(many[place].times, np.array(moments, dtype=STAMP)).tolist()
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
    floors = tuple(rule for rule in rules if isinstance(rule.check, Threshold))
    lasting = tuple(rule for rule in rules if rule not in floors)
    return {LASTING: by_rules(lasting), "default floors": by_rules(floors)} | checks()


def checks() -> dict[str, Watcher]:
    """Each check that can be had, with parameters that a person might give it, compared with 60 periods before."""
    asked = {
        "drop 0.02": Rule("", Drop(warn=Fall(absolute=0.02)), "*", min_count=30),
        "drop p < 0.01": Rule("", Drop(warn=Fall(p=0.01)), "*", min_count=30),
        "drop 0.02 and p < 0.01": Rule("", Drop(warn=Fall(absolute=0.02, p=0.01)), "*", min_count=30),
        "band 3.5": Rule("", Band(warn=3.5), "*", min_count=30),
        "band 2, 3 of 5": Rule("", Band(warn=2.0), "*", min_count=30, confirm=(3, 3), of=5),
        "shift, slack 0.5": Rule("", Shift(warn=8.0, slack=0.5), "*", min_count=30),
    }
    return {name: by_rules((rule,)) for name, rule in asked.items()}
