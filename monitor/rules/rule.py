"""A rule: which series, which detector, how many points; and the rules that hold by default."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase

import numpy as np

from modeltop.core.metrics.names import OFFLINE_SPLITS, SPLITS, is_measured_beside, is_quantity
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, RuleStatus, Series, SeriesKey, Severity
from modeltop.core.text import format_age, format_exact, format_value
from modeltop.rules.baselines.base import NO_SERIES, Baseline
from modeltop.rules.baselines.past import ROLLING
from modeltop.rules.detectors.base import Detector, QueryContext
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.threshold import Threshold

TRIAL_POINTS = 8
"""The first evaluable points of a series, by which it is decided, once, whether a default limit suits the model."""
MIN_REACHED = 2
"""How many of them must have reached the limit."""
UNKNOWN_METRIC = "unknown-metric"
UNKNOWN_COLLAPSE = "unknown-metric-collapse"
UNKNOWN_METRIC_RULES = frozenset({UNKNOWN_METRIC, UNKNOWN_COLLAPSE})
"""Names of the default rules on metrics that are not registered, and whose direction is not configured."""
TWO_SIDED_SHIFT = "two-sided-shift"
"""Name of the default rule on metrics of which a nominal value is best."""
_SCOPES = {
    **dict.fromkeys(UNKNOWN_METRIC_RULES, "a metric of unknown direction"),
    TWO_SIDED_SHIFT: "a metric with a nominal value",
}
COLLAPSE = Outlier(warn=10, least=5, outside=True)
"""One period far from all before it. Over 10 robust deviations raise 0.01 alerts in a year of daily values on
independent or seasonal noise and 0.5 on heavy tails (Student's t with 3 degrees of freedom); over 8 raise 0.8."""
COUNTER_POINTS = 11
"""The first evaluable points of a series, by which it is decided, once, whether it only counts periods: as many as the
rules for unknown metrics need before they evaluate one."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """The default rules that apply, by the keys of `[defaults]`; `Rule.switch` is one of them."""

    unknown_metrics: bool = True
    """Watch metrics of unknown direction for a change to either side."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A detector, applied to every series whose key matches, and the number of points it needs to alert.

    Globs are those of `fnmatch.fnmatchcase`: `*`, `?`, `[abc]`.
    """

    name: str
    detector: Detector
    metric: str
    """A glob, like the next two."""
    model: str = "*"
    segment: str = "all"
    split: str | None = None
    """The split of the data that its metric was named with, such as `val`: the segment `split=val` is its as well."""
    confirm: tuple[int, int] = (1, 1)
    """Breached points in a row before it fires as a warning, and as critical; 1 or more each."""
    recover: int = 1
    """Good points in a row before it resolves; 1 or more."""
    min_count: int = 0
    """Support under which a point is not evaluated."""
    max_gap: timedelta | None = None
    """A longer gap between evaluable points restarts the count of `confirm`; None: never."""
    window: int | None = None
    """Number of the newest points among which `confirm` breaches are enough, in a row or not; None: in a row."""
    baseline: Baseline = ROLLING
    """The baseline of a detector that compares with one."""
    default: bool = False
    """True for the rules that apply if none are configured; they may be skipped on a series."""
    switch: str | None = None
    """The field of `Defaults` that turns a default rule off; None: always on."""
    override: bool = False
    """True for a limit of the command line: no other rule is then applied to its metric, whatever the segment."""
    runbook: str | None = None
    """Link to the remedy: a web address or a path; part of every message."""
    receivers: tuple[str, ...] | None = None
    """Who is notified, instead of the routes' receivers; None: by the routes."""

    def matches(self, key: SeriesKey) -> bool:
        """Return whether the rule applies to this series."""
        return (
            fnmatchcase(key.metric, self.metric)
            and fnmatchcase(key.model, self.model)
            and (
                fnmatchcase(key.segment, self.segment)
                or key.segment == f"split={self.split}"
                or (self.default and self._is_beside(key.segment))
            )
        )

    def _is_beside(self, segment: str) -> bool:
        # A floor is one for all classes together: a rare class may always have lain below it.
        is_class_floor = segment.startswith("class=") and isinstance(self.detector, Threshold)
        return is_measured_beside(segment) and not is_class_floor

    def confirm_for(self, level: Severity) -> int:
        """Return the number of breached points that this level waits for."""
        return self.confirm[1] if level is Severity.CRITICAL else self.confirm[0]

    def query_context(self, other_series: Mapping[SeriesKey, Series] = NO_SERIES) -> QueryContext:
        """Return how it applies its detector, among the series that a baseline may be."""
        return QueryContext(self.baseline, self.min_count, other_series)


def default_rules() -> tuple[Rule, ...]:
    """Return the rules that apply if none are configured: two floors, and no sustained change for the worse."""
    floors = (("accuracy", 0.90), ("f1_score", 0.85))
    return (
        *(
            Rule(f"default-{metric}", Threshold(critical=Limit(below=floor)), metric, default=True)
            for metric, floor in floors
        ),
        Rule("default-fall", LastingShift(), "*", min_count=30, default=True),
        *two_sided_rules(),
    )


def two_sided_rules() -> tuple[Rule, ...]:
    """Return the default rules that apply beside configured ones, to metrics for which either direction may be bad.

    Without them a metric of unknown direction could collapse, and the status would be ok.
    """
    shift, switch = LastingShift(outside=True), "unknown_metrics"
    return (
        Rule(UNKNOWN_METRIC, shift, "*", min_count=30, default=True, switch=switch),
        Rule(UNKNOWN_COLLAPSE, COLLAPSE, "*", recover=shift.back, min_count=30, default=True, switch=switch),
        Rule(TWO_SIDED_SHIFT, shift, "*", min_count=30, default=True),
    )


def rules_in_force(configured: Sequence[Rule], defaults: Defaults) -> tuple[Rule, ...]:
    """Return the configured rules and the default ones that apply beside them; if there are none, all default rules."""
    names = {rule.name for rule in configured}
    beside = two_sided_rules() if configured else default_rules()
    is_on = (rule.switch is None or getattr(defaults, rule.switch) for rule in beside)
    return (*configured, *(rule for rule, on in zip(beside, is_on, strict=True) if on and rule.name not in names))


def without_idle(rules: Iterable[Rule], statuses: Iterable[RuleStatus]) -> list[Rule]:
    """Return the rules that people are told of: all but the two-sided default ones where no series is theirs.

    Args:
        rules: The rules in force.
        statuses: How they stand.
    """
    applied = {status.rule for status in statuses}
    return [rule for rule in rules if rule.name in applied or rule not in two_sided_rules()]


def limit_rule(
    metric: str,
    below: float | None = None,
    above: float | None = None,
    *,
    segment: str = "all",
    split: str | None = None,
) -> Rule:
    """Return the rule for `--below` or `--above`: critical at once, on every model, never skipped.

    Args:
        metric: The canonical name, used literally: no glob.
        below: The floor, in the metric's unit.
        above: The ceiling.
        segment: The segment, as it is written; of one other than `all` only the rules of that segment are replaced.
        split: The split of the data that the metric was named with, such as `val`.

    Raises:
        ValueError: Neither limit is given, one is not finite, or the floor lies above the ceiling.
    """
    qualifier = segment if segment != "all" else split
    name = f"limit-{metric}-{qualifier}" if qualifier else f"limit-{metric}"
    literals = (re.sub(r"([*?[])", r"[\1]", text) for text in (metric, segment))
    of_metric, of_segment = literals
    limit = Threshold(critical=Limit(below, above))
    return Rule(name, limit, of_metric, segment=of_segment, split=split, override=True)


def rules_for(rules: Sequence[Rule], key: SeriesKey, others: Container[SeriesKey] | None = None) -> list[Rule]:
    """Return the rules that apply to a series, in order; a command-line limit displaces all others of its metric.

    Args:
        rules: All rules.
        key: The series.
        others: All series: the rules of a metric without a series of all rows apply to each of its segments.
    """
    limits = [
        rule
        for rule in rules
        if rule.override
        and fnmatchcase(key.metric, rule.metric)
        and (rule.segment == "all" or fnmatchcase(key.segment, rule.segment))
    ]
    whole = replace(key, segment="all") if others is not None and stands_alone(key, others) else key
    return [rule for rule in limits or rules if rule.matches(key) or (whole is not key and rule.matches(whole))]


def stands_alone(key: SeriesKey, others: Container[SeriesKey]) -> bool:
    """Return whether a segment is of a metric without a series of all rows.

    Training data never stands for a model, and neither does one of its features: drift explains, it does not alert.
    """
    if key.segment == "all" or key.segment.startswith("feature=") or replace(key, segment="all") in others:
        return False
    parts = (part.rpartition("=")[2].partition("_")[0].lower() for part in key.segment.split(","))
    return not any(SPLITS.get(part) in OFFLINE_SPLITS for part in parts)


def is_meaningless_for(rule: Rule, metric: Metric) -> bool:
    """Return whether it is a default rule that looks for a change which is not for the worse in this metric."""
    if not rule.default or isinstance(rule.detector, Threshold):
        return False
    if rule.name in UNKNOWN_METRIC_RULES:
        return metric.is_direction_known or (rule.name == UNKNOWN_COLLAPSE and not metric.two_sided)
    if rule.name == TWO_SIDED_SHIFT:
        return not (metric.is_direction_known and metric.two_sided)
    return metric.better is Direction.NEITHER


def direction_hint(metric: str, similar: str | None) -> str:
    """Return how to configure the direction of a metric, in one line; both names may be foreign text.

    Args:
        metric: The metric, as written in the data.
        similar: A registered metric that it may be a kind of.

    >>> direction_hint("my kpi", None)
    'direction unknown: in modeltop.toml, under [metrics."my kpi"], set better = "higher" or "lower"'
    """
    kind = f" (it may be a kind of {similar})" if similar else ""
    return f'direction unknown{kind}: in modeltop.toml, under {metric_table(metric)}, set better = "higher" or "lower"'


def metric_table(metric: str) -> str:
    """Return the header of the table in `modeltop.toml` for a metric, whose name may be foreign text.

    >>> metric_table("kpi"), metric_table("my kpi")
    ('[metrics.kpi]', '[metrics."my kpi"]')
    """
    escaped = metric.replace("\\", "\\\\").replace('"', '\\"')
    return f"[metrics.{metric}]" if re.fullmatch(r"[A-Za-z0-9_-]+", metric) else f'[metrics."{escaped}"]'


def skip_reason(rule: Rule, series: Series) -> str | None:
    """Return why a default rule is skipped on a series; None if it is applied.

    A floor is skipped if fewer than two of the first eight evaluable points reached it; with fewer points it applies.
    The rules for unknown metrics are skipped on quantities and counters, which change with the volume.
    """
    if not rule.default:
        return None
    if rule.name in UNKNOWN_METRIC_RULES:
        return _unwatched_reason(rule, series)
    return _unreached_reason(rule, series) if isinstance(rule.detector, Threshold) else None


def _unwatched_reason(rule: Rule, series: Series) -> str | None:
    metric = series.key.metric
    if is_quantity(metric):
        kind = "its name is that of a count, a size or a time"
    elif _is_counter(series, rule.min_count):
        kind = "it counts up by the same number each period"
    else:
        return None
    return f'not evaluated: {kind}; to watch it, set better = "higher" or "lower" under {metric_table(metric)}'


def _is_counter(series: Series, min_count: int) -> bool:
    """Return whether the first evaluable points are whole numbers that rise by the same step, as row numbers do."""
    first = series.values[np.flatnonzero(series.evaluable(min_count))[:COUNTER_POINTS]]
    steps = np.diff(first)
    return len(first) == COUNTER_POINTS and steps[0] > 0 and bool((steps == steps[0]).all() and (first % 1 == 0).all())


def _unreached_reason(rule: Rule, series: Series) -> str | None:
    assert isinstance(rule.detector, Threshold), "the floors are thresholds"
    trial = np.flatnonzero(series.evaluable(rule.min_count))[:TRIAL_POINTS]
    if len(trial) < TRIAL_POINTS:
        return None
    reached = int(np.count_nonzero(~rule.detector.exceeded(series)[trial]))
    if reached >= MIN_REACHED:
        return None
    _, limit = rule.detector.limits()[-1]
    sides = " and ".join(format_value(side) for side in (limit.below, limit.above) if side is not None)
    return f"left out: {reached} of its first {TRIAL_POINTS} periods reached {sides}; set a rule for it"


def describe_rule(rule: Rule, metric: Metric) -> str:
    """Return a rule in one plain sentence; the name of a metric that is not registered is foreign text.

    >>> describe_rule(default_rules()[0], Metric("accuracy"))
    'accuracy below 0.90 is critical'
    """
    scope = _SCOPES.get(rule.name, "any metric") if rule.default else "any metric"
    name = scope if rule.metric == "*" else metric.name
    clauses = [rule.detector.describe(name, format_value, rule.baseline.describe()) + _confirmation(rule)]
    recovery = _recovery(rule)
    if recovery:
        clauses.append(f"resolves after {recovery}")
    if rule.min_count > 0:
        clauses.append(f"periods with fewer than {format_exact(rule.min_count)} cases are not judged")
    if rule.max_gap is not None and max(rule.confirm) > 1:
        clauses.append(f"a silence of more than {format_age(rule.max_gap)} starts the count anew")
    return "; ".join(clauses)


def _confirmation(rule: Rule) -> str:
    warning, critical = rule.confirm
    if rule.detector.critical is None:
        critical = warning
    if warning == critical:
        return f", {_after(warning, rule.window)}" if warning > 1 else ""
    # A critical point counts towards the warning too, even if the warning has no limit of its own.
    return f", a warning {_after(warning, rule.window)}, critical {_after(critical, rule.window)}"


def _after(points: int, window: int | None) -> str:
    if points == 1:
        return "at once"
    return f"after {points} periods in a row" if window is None else f"after {points} of the last {window} periods"


def _recovery(rule: Rule) -> str:
    margin = rule.detector.margin
    if rule.recover == 1 and not margin:
        return ""
    good = "one good one" if rule.recover == 1 else f"{rule.recover} good ones in a row"
    return f"{good} at least {format_exact(margin)} back inside" if margin else good
