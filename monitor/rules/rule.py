"""A rule: which series, which detector, how many points."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase

import numpy as np

from modeltop.core.metrics.names import OFFLINE_SPLITS, SPLITS, is_measured_beside, is_quantity
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import FEATURE_PREFIX, Direction, Series, SeriesKey, Severity
from modeltop.core.text import format_age, format_exact, format_value
from modeltop.rules.baselines.base import NO_SERIES, Baseline
from modeltop.rules.baselines.past import ROLLING
from modeltop.rules.detectors.base import Detector, QueryContext, Unevaluated
from modeltop.rules.detectors.floor import Floor
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold

UNKNOWN_METRIC = "unknown-metric"
"""Name of the default rule on metrics that are not registered, and whose direction is not configured."""
TWO_SIDED_SHIFT = "two-sided-shift"
"""Name of the default rule on metrics of which a nominal value is best."""
_SCOPES = {UNKNOWN_METRIC: "a metric of unknown direction", TWO_SIDED_SHIFT: "a metric with a nominal value"}
COUNTER_POINTS = 11
"""The first evaluable points of a series, by which it is decided, once, whether it only counts periods: as many as the
rule for unknown metrics needs before it evaluates one."""


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
    """The field of `modeltop.rules.defaults.Defaults` that turns a default rule off; None: always on."""
    override: bool = False
    """True for a limit of the command line: no other threshold is then applied to its metric, whatever the segment."""
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
                (fnmatchcase(key.segment, self.segment) and not (self.default and self._leaves_out(key.segment)))
                or key.segment == f"split={self.split}"
                or (self.default and self._is_beside(key.segment))
            )
        )

    def _leaves_out(self, segment: str) -> bool:
        # Training data is not the model in use, and a feature explains what a performance metric shows.
        return is_offline(segment) or (self.metric == "*" and segment.startswith(FEATURE_PREFIX))

    def _is_beside(self, segment: str) -> bool:
        # A floor is one for all classes together: a rare class may always have lain below it.
        is_class_floor = segment.startswith("class=") and isinstance(self.detector, Threshold)
        return is_measured_beside(segment) and not is_class_floor

    def confirm_for(self, level: Severity) -> int:
        """Return the number of breached points that this level waits for."""
        return self.confirm[1] if level is Severity.CRITICAL else self.confirm[0]

    def for_metric(self, metric: Metric) -> Rule:
        """Return the rule with the settings of its detector that hold for a metric."""
        detector = self.detector.for_metric(metric)
        return self if detector is self.detector else replace(self, detector=detector)

    def query_context(self, other_series: Mapping[SeriesKey, Series] = NO_SERIES) -> QueryContext:
        """Return how it applies its detector, among the series that a baseline may be."""
        return QueryContext(self.baseline, self.min_count, other_series)


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
    """Return the rules that apply to a series, in order.

    A limit of the command line replaces all other thresholds of its metric; any configured threshold replaces a
    default limit.

    Args:
        rules: All rules.
        key: The series.
        others: All series: the rules of a metric without a series of all rows apply to each of its segments.
    """
    whole = key._replace(segment="all") if others is not None and stands_alone(key, others) else key
    own = [rule for rule in rules if rule.matches(key) or (whole is not key and rule.matches(whole))]
    if any(rule.override and _is_of(rule, key) for rule in rules):
        return [rule for rule in own if rule.override or not isinstance(rule.detector, Threshold)]
    if any(isinstance(rule.detector, Threshold) and not rule.default for rule in own):
        return [rule for rule in own if not (rule.default and isinstance(rule.detector, Threshold))]
    return own


def _is_of(limit: Rule, key: SeriesKey) -> bool:
    """Return whether a limit of the command line is about a series' metric, and its segment if it names one."""
    is_of_segment = limit.segment == "all" or fnmatchcase(key.segment, limit.segment)
    return fnmatchcase(key.metric, limit.metric) and is_of_segment


def stands_alone(key: SeriesKey, others: Container[SeriesKey]) -> bool:
    """Return whether a segment is of a metric without a series of all rows.

    Training data never represents a model, and neither does one of its features: drift explains, it does not alert.
    """
    if key.segment == "all" or key.segment.startswith(FEATURE_PREFIX) or key._replace(segment="all") in others:
        return False
    return not is_offline(key.segment)


def is_offline(segment: str) -> bool:
    """Return whether a segment is of data that is not the model in use: training or reference data.

    >>> is_offline("split=train"), is_offline("split=val"), is_offline("all")
    (True, False, False)
    """
    parts = (part.rpartition("=")[2].partition("_")[0].lower() for part in segment.split(","))
    return any(SPLITS.get(part) in OFFLINE_SPLITS for part in parts)


def is_meaningless_for(rule: Rule, metric: Metric) -> bool:
    """Return whether it is a default rule that looks for a change which is not for the worse in this metric."""
    if not rule.default or rule.metric != "*":
        return False
    if rule.name == UNKNOWN_METRIC:
        return metric.is_direction_known
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

    A limit is skipped where it lies too near the usual value. The rule for unknown metrics is skipped on quantities and
    counters, which change with the volume.
    """
    reason = unevaluated(rule, series)
    return reason.text if reason and reason.is_final else None


def unevaluated(rule: Rule, series: Series) -> Unevaluated | None:
    """Return why a rule says nothing about the newest value of a series, if not for the lack of history."""
    if rule.name == UNKNOWN_METRIC and rule.default:
        text = _unwatched_reason(rule, series)
        return Unevaluated(text, is_final=True) if text else None
    return rule.detector.unevaluated_reason(series, rule.min_count)


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


def describe_rule(rule: Rule, metric: Metric) -> str:
    """Return a rule in one plain sentence; the name of a metric that is not registered is foreign text.

    >>> describe_rule(limit_rule("accuracy", below=0.9), Metric("accuracy"))
    'accuracy below 0.90 is critical'
    """
    scope = _SCOPES.get(rule.name, "any metric") if rule.default else "any metric"
    name = scope if rule.metric == "*" else metric.name
    clauses = [rule.detector.describe(name, format_value, rule.baseline.describe()) + _confirmation(rule)]
    recovery = _recovery(rule)
    if recovery:
        clauses.append(f"resolves after {recovery}")
    if rule.min_count > 0:
        clauses.append(f"periods with fewer than {format_exact(rule.min_count)} cases are not evaluated")
    if rule.max_gap is not None and max(rule.confirm) > 1:
        clauses.append(f"a gap of more than {format_age(rule.max_gap)} restarts the count")
    return "; ".join(clauses)


def _confirmation(rule: Rule) -> str:
    warning, critical = rule.confirm
    if isinstance(rule.detector, Floor):  # says it itself
        return ""
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
    good = "one good period" if rule.recover == 1 else f"{rule.recover} good periods in a row"
    return f"{good} at least {format_exact(margin)} back inside" if margin else good
