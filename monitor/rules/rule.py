"""Which series, which check, how many points: the configured question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Series, SeriesKey, Severity
from modeltop.core.text import format_age, format_exact, format_value
from modeltop.rules.baselines.base import NO_SERIES, Baseline
from modeltop.rules.baselines.past import ROLLING
from modeltop.rules.detectors.base import Detector, QueryContext
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold

TRIAL_POINTS = 8
"""Judged points by which it is decided, once, whether a default limit is this model's level."""
MIN_REACHED = 2
"""How many of them must have reached the limit."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One question asked of every series whose labels match.

    Globs are those of `fnmatch.fnmatchcase`: `*`, `?`, `[abc]`.
    """

    name: str
    detector: Detector
    metric: str
    model: str = "*"
    segment: str = "all"
    confirm: tuple[int, int] = (1, 1)
    """Judged points in a row before it fires as a warning, and as critical; 1 or more each."""
    recover: int = 1
    """Good judged points in a row before it resolves; 1 or more."""
    min_count: int = 0
    """Support under which a point is not judged."""
    max_gap: timedelta | None = None
    """A longer silence between judged points starts the count of `confirm` anew; None: never."""
    window: int | None = None
    """Where `confirm` points among the newest so many judged ones are enough, in a row or not; None: in a row."""
    baseline: Baseline = ROLLING
    """What a check that compares is given to compare with."""
    default: bool = False
    """True for the floors that hold where nothing is configured; they may be left out of a series."""
    override: bool = False
    """True for a limit of the command line: no other rule is then asked about its metric, whatever the segment."""
    runbook: str | None = None
    """Where it is written what to do: a web address or a path; said in every message."""
    receivers: tuple[str, ...] | None = None
    """Who is told, instead of what the routes say; None: as the routes say."""

    def matches(self, key: SeriesKey) -> bool:
        """Whether the rule asks about this series."""
        return (
            fnmatchcase(key.metric, self.metric)
            and fnmatchcase(key.segment, self.segment)
            and fnmatchcase(key.model, self.model)
        )

    def confirm_for(self, level: Severity) -> int:
        """Points in a row that this level waits for."""
        return self.confirm[1] if level is Severity.CRITICAL else self.confirm[0]


def query_context(rule: Rule, others: Mapping[SeriesKey, Series] = NO_SERIES) -> QueryContext:
    """How a rule asks its check; `others` is where a reference that is another series is looked for."""
    return QueryContext(rule.baseline, rule.min_count, others)


def default_rules() -> tuple[Rule, ...]:
    """What holds where no rule is configured: two floors, and that no metric falls lastingly against its own past."""
    floors = (("accuracy", 0.90), ("f1_score", 0.85))
    return (
        *(
            Rule(f"default-{metric}", Threshold(critical=Limit(below=floor)), metric, default=True)
            for metric, floor in floors
        ),
        Rule("default-fall", LastingShift(), "*", min_count=30, default=True),
    )


def limit_rule(metric: str, below: float | None = None, above: float | None = None) -> Rule:
    """The rule that `--below` or `--above` stands for: critical at once, on every model, never left out.

    Args:
        metric: The canonical name, taken as it is written: no glob.
        below: The floor, in the metric's unit.
        above: The ceiling.

    Raises:
        ValueError: As `Limit` does.
    """
    literal = re.sub(r"([*?[])", r"[\1]", metric)
    return Rule(f"limit-{metric}", Threshold(critical=Limit(below, above)), literal, override=True)


def rules_for(rules: Sequence[Rule], key: SeriesKey) -> list[Rule]:
    """The rules that ask about a series, in order; a limit of the command line displaces all others of its metric."""
    limits = [rule for rule in rules if rule.override and fnmatchcase(key.metric, rule.metric)]
    return [rule for rule in limits or rules if rule.matches(key)]


def is_meaningless_for(rule: Rule, series: Series) -> bool:
    """Whether a default asks of a metric, of which neither direction is bad, whether it got worse."""
    return rule.default and series.better is Direction.NEITHER and not isinstance(rule.detector, Threshold)


def skip_reason(rule: Rule, series: Series) -> str | None:
    """Why a default rule is not applied to a series; None if it is.

    It is left out where fewer than two of the first eight judged points reached the limit. Later points change
    nothing, and with fewer than eight the floor holds: a model that is bad from its first day is told of.
    """
    if not (rule.default and isinstance(rule.detector, Threshold)):
        return None
    trial = np.flatnonzero(series.evaluable(rule.min_count))[:TRIAL_POINTS]
    if len(trial) < TRIAL_POINTS:
        return None
    reached = int(np.count_nonzero(~rule.detector.exceeded(series)[trial]))
    if reached >= MIN_REACHED:
        return None
    level = " and ".join(_sides(rule))
    return f"left out: {reached} of its first {TRIAL_POINTS} periods reached {level}; set a rule for it"


def _sides(rule: Rule) -> list[str]:
    _, limit = rule.detector.limits()[-1]
    return [format_value(side) for side in (limit.below, limit.above) if side is not None]


def describe_rule(rule: Rule, metric: Metric) -> str:
    """A rule in one plain sentence; the name of a metric that is not registered is foreign text.

    >>> describe_rule(default_rules()[0], Metric("accuracy"))
    'accuracy below 0.90 is critical'
    """
    name = "any metric" if rule.metric == "*" else metric.name
    parts = [rule.detector.describe(name, format_value, rule.baseline.describe()) + _confirmation(rule)]
    recovery = _recovery(rule)
    if recovery:
        parts.append(f"resolves after {recovery}")
    if rule.min_count > 0:
        parts.append(f"periods with fewer than {format_exact(rule.min_count)} cases are not judged")
    if rule.max_gap is not None and max(rule.confirm) > 1:
        parts.append(f"a silence of more than {format_age(rule.max_gap)} starts the count anew")
    return "; ".join(parts)


def _confirmation(rule: Rule) -> str:
    warns, critical = rule.confirm
    if rule.detector.possible_levels()[0] is not Severity.CRITICAL:
        critical = warns
    if warns == critical:
        return f", {_after(warns, rule.window)}" if warns > 1 else ""
    # What is critical counts towards the warning as well, even where no limit of its own was given to that.
    return f", a warning {_after(warns, rule.window)}, critical {_after(critical, rule.window)}"


def _after(points: int, of: int | None) -> str:
    if points == 1:
        return "at once"
    return f"after {points} periods in a row" if of is None else f"after {points} of the last {of} periods"


def _recovery(rule: Rule) -> str:
    margin = rule.detector.margin
    if rule.recover == 1 and not margin:
        return ""
    good = "one good one" if rule.recover == 1 else f"{rule.recover} good ones in a row"
    return f"{good} at least {format_exact(margin)} back inside" if margin else good
