"""Evaluation of all rules over history: alerts, and the status of each rule on each series, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Alert, Concern, Direction, RuleStatus, Series, SeriesKey, Severity, State
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_comparison, format_day, format_exact, format_value, pluralize
from modeltop.rules.baselines.base import NO_SERIES
from modeltop.rules.concerns import find_concerns
from modeltop.rules.defaults import DROP
from modeltop.rules.detectors.base import Detector
from modeltop.rules.detectors.material import material_drop
from modeltop.rules.replay import replay
from modeltop.rules.rule import (
    UNKNOWN_METRIC,
    Rule,
    direction_hint,
    is_meaningless_for,
    rules_for,
    skip_reason,
    stands_alone,
    unevaluated,
)
from modeltop.rules.volume_series import VolumeSeries

FALLS = {"drop below": "rise above", "decline": "rise"}
"""Words of `Detector.describe_normal` for what is bad, and those for a metric of which less is better."""


def rule_status(
    series: Series,
    rule: Rule,
    alerts: Iterable[Alert],
    metric: Metric,
    other_series: Mapping[SeriesKey, Series] = NO_SERIES,
) -> RuleStatus:
    """Return the status of one rule on one series; rules that pass have a status too.

    Args:
        series: At least one period.
        rule: A rule that applies to it.
        alerts: The alerts to search; those of other rules and series are ignored.
        metric: The metric of the values; its name may be foreign text, and then the sentence contains it too.
        other_series: The series among which a baseline that is another series is found: `history.series`.
    """
    own = (alert for alert in alerts if alert.key == series.key and alert.rule == rule.name)
    alert = next((alert for alert in own if alert.state is not State.RESOLVED), None)
    if alert is None and (status := _unevaluated_status(series, rule, metric)):
        return status
    if alert is None and _is_plainly_evaluated(series, rule):
        # Nearly all cases end here, without looking at earlier points.
        return RuleStatus(rule.name, series.key, Severity.OK, f"{metric.name} {_describe_healthy(series, rule)}")
    evaluable = np.flatnonzero(series.evaluable(rule.min_count))
    sentence = _describe_unevaluated(series, rule, evaluable, metric)
    if len(evaluable):
        state = _describe_state(series[: int(evaluable[-1]) + 1], rule, alert, other_series)
        sentence = f"{sentence}; before it {state}" if sentence else f"{metric.name} {state}"
    severity = alert.severity if alert and alert.is_active else Severity.OK
    if severity and rule.name == UNKNOWN_METRIC:
        sentence = f"{sentence}; {direction_hint(metric.name, None)}"
    is_evaluated = len(evaluable) > rule.detector.min_history
    return RuleStatus(rule.name, series.key, severity, sentence, is_evaluated=is_evaluated)


def _unevaluated_status(series: Series, rule: Rule, metric: Metric) -> RuleStatus | None:
    """Return the status of a rule that is skipped on a series, or waits for more history; None if it is applied."""
    reason = unevaluated(rule, series)
    if reason is None:
        return None
    severity = Severity.UNKNOWN if reason.is_suspect else Severity.OK
    sentence = f"{metric.name} {series.format(series.latest)}: {reason.text}"
    skipped = reason.text if reason.is_final else None
    return RuleStatus(rule.name, series.key, severity, sentence, skipped, is_evaluated=False)


def _describe_unevaluated(series: Series, rule: Rule, evaluable: np.ndarray, metric: Metric) -> str:
    """Return why the newest value is not evaluated; empty if it is."""
    last = len(series) - 1
    if len(evaluable) and evaluable[-1] == last:
        return ""
    value = f"{metric.name} {series.format(series.latest)}"
    if not np.isfinite(series.latest):
        return f"{value}: not evaluated (not finite)"
    if series.provisional is not None and series.provisional[last]:
        return f"{value}: not evaluated (period not complete)"
    support = pluralize(int(series.effective_support()[last]), "case")
    return f"{value}: only {support} (min {max(rule.min_count, 1)}): not evaluated"


def _describe_state(past: Series, rule: Rule, alert: Alert | None, other_series: Mapping[SeriesKey, Series]) -> str:
    """Return the value of the last point of `past`, which is evaluable, and its status."""
    if alert is None or alert.breach is None:
        return _describe_no_alert(past, rule)
    word = alert.severity.name.lower()
    since = f"since {format_day(alert.since, past.newest)}"
    if alert.state is State.RECOVERING:
        good = _count_good_points(past, rule, alert.severity, other_series)
        needed = max(rule.recover, rule.detector.good_periods)
        return f"{past.format(past.latest)}: recovering from {word}, {good} of {needed} good periods, {since}"
    value, breach = _describe_breach(rule, alert, past)
    if alert.state is State.PENDING:
        # A critical point counts towards the warning as well, whichever is confirmed first.
        needed = rule.confirm[0] if alert.severity is Severity.WARNING else min(rule.confirm)
        return f"{value}: {breach} for {alert.periods} of {max(needed, alert.periods + 1)} periods, not confirmed"
    return f"{value}: {word}, {breach} for {pluralize(alert.periods, period_unit(past))}, {since}"


def _is_plainly_evaluated(series: Series, rule: Rule) -> bool:
    """Return whether the newest point is evaluated, and history is long enough, without a look at all of it."""
    evaluable = series.evaluable(rule.min_count)[-2 * (rule.detector.min_history + 1) :]
    return bool(evaluable[-1]) and int(np.count_nonzero(evaluable)) > rule.detector.min_history


def _describe_no_alert(past: Series, rule: Rule) -> str:
    if rule.detector.min_history:
        before = int(np.count_nonzero(past.evaluable(rule.min_count))) - 1
        if before < rule.detector.min_history:
            needed = pluralize(rule.detector.min_history, "earlier period")
            return f"{past.format(past.latest)}: needs {needed}, has {before}"
    return _describe_healthy(past, rule)


def _describe_healthy(past: Series, rule: Rule) -> str:
    text = rule.detector.describe_normal()
    for falls, rises in FALLS.items() if past.better is Direction.LOWER else ():
        text = text.replace(falls, rises)
    return f"{past.format(past.latest)}: ok, {text}"


def _describe_breach(rule: Rule, alert: Alert, past: Series) -> tuple[str, str]:
    """Return the value and its problem, with enough digits to distinguish the value from the limit."""
    breach = alert.breach
    assert breach is not None, "a rule on a value has a breach"
    if breach.limit is None:
        return past.format(breach.value), breach.message
    if not rule.detector.limits():
        value, _, message = breach.message.partition(", " if breach.is_baseline else " ")
        return value, message
    limit = dict(rule.detector.limits()).get(breach.severity)
    crossed = limit and limit.crossed_side(breach.value)
    if crossed:
        value, sign, side = format_comparison(breach.value, *crossed, past.digits).split(" ")
        return value, f"{'below' if sign == '<' else 'above'} {side}"
    margin = format_exact(rule.detector.margin)
    return past.format(breach.value), f"not yet {margin} back inside {format_value(breach.limit)}"


def _count_good_points(past: Series, rule: Rule, level: Severity, other_series: Mapping[SeriesKey, Series]) -> int:
    """Count the evaluable points at the end that lie under `level`, which is active all along."""
    (scan,) = rule.detector.prepare([past], rule.query_context(other_series))
    assert scan is not None, "there was a breach"
    breached = scan.levels_while(level)[past.evaluable(rule.min_count)] >= level
    return int(np.argmax(breached[::-1]))


BACKLOG_THRESHOLD = 1_500
"""Number of new series from which sequential detectors take noticeably long."""

AlertsByRule = Mapping[tuple[str, SeriesKey], Sequence[Alert]]
"""Alerts by the name of the rule and the series; pairs without an alert are left out."""


class _Evaluated(NamedTuple):
    series: Series
    compared_series: tuple[tuple[SeriesKey, Series | None], ...]
    """The other series that its rules compare it with."""
    stands_alone: bool
    """True if there is no series of all rows, so that its rules are applied to this one."""
    alerts: tuple[Alert, ...]
    rule_statuses: tuple[RuleStatus, ...]


class Evaluator:
    """Repeated evaluation of the same rules that only costs time for new data.

    Args:
        rules: All rules; their globs select the series they apply to.
        catalog: Names the metrics.
        declining: Whether declines inside the limits are among the concerns.
    """

    def __init__(self, rules: Sequence[Rule], catalog: MetricRegistry, *, declining: bool = True) -> None:
        self._rules, self._catalog, self._declining = rules, catalog, declining
        self._evaluated: dict[SeriesKey, _Evaluated] = {}
        self._concerns: dict[SeriesKey, tuple[Concern, ...]] = {}
        self._volume = VolumeSeries()
        self._volumes: Mapping[SeriesKey, Series] = {}
        self._names_models = any(rule.model != "*" for rule in rules)
        self._rules_by_kind: dict[tuple[str, str, str, bool], list[Rule]] = {}
        self._known_rules: dict[tuple[str, Detector], Rule] = {}
        self.has_backlog = False
        """True if the last evaluation left the sequential detectors out."""

    def evaluate(self, history: Mapping[SeriesKey, Series], *, defer_slow_detectors: bool = False) -> None:
        """Evaluate new data, rule by rule over all series: some detectors process many series at the cost of one.

        `defer_slow_detectors` leaves sequential detectors to the next evaluation if there are many series.
        """
        if self.has_backlog:
            self._evaluated = {}
        self._volumes = self._volume.update(history)
        history = {**history, **self._volumes}
        new = {
            key: self._rules_for(key, history)
            for key, series in history.items()
            if not self._is_unchanged(series, history)
        }
        self.has_backlog = defer_slow_detectors and len(new) > BACKLOG_THRESHOLD
        if self.has_backlog:
            new = {key: [rule for rule in rules if not rule.detector.is_sequential] for key, rules in new.items()}
        alerts = _replay_all(new, history)
        evaluated = {key: self._evaluate_series(rules, history[key], alerts, history) for key, rules in new.items()}
        self._evaluated = {key: evaluated.get(key) or self._evaluated[key] for key in history}
        self._update_concerns({} if self.has_backlog else new, history)

    def _rules_for(self, key: SeriesKey, history: Mapping[SeriesKey, Series]) -> list[Rule]:
        is_alone = stands_alone(key, history)
        model = key.model if self._names_models else "*"
        known = self._rules_by_kind.get((model, key.metric, key.segment, is_alone))
        if known is None:
            known = self._rules_of(key, history)
            self._rules_by_kind[model, key.metric, key.segment, is_alone] = known
        return known

    def _rules_of(self, key: SeriesKey, history: Mapping[SeriesKey, Series]) -> list[Rule]:
        """Return the rules that apply to a series, with the settings for its metric."""
        metric = self._catalog.get(key.metric)
        rules = [rule.for_metric(metric) for rule in rules_for(self._rules, key, history)]
        if key in self._volumes:  # row counts are nobody's metric: only rules that name them are about them
            rules = [rule for rule in rules if rule.metric == key.metric]
        # Equal rules are one, so that their series are evaluated together.
        return [
            self._known_rules.setdefault((rule.name, rule.detector), rule)
            for rule in rules
            if not is_meaningless_for(rule, metric)
        ]

    def _update_concerns(self, new: Mapping[SeriesKey, Sequence[Rule]], history: Mapping[SeriesKey, Series]) -> None:
        kept = {key: concerns for key, concerns in self._concerns.items() if key in history and key not in new}
        series = [history[key] for key in new if key not in self._volumes]
        earlier = {
            key: alerts
            for key in new
            if (alerts := [alert for alert in self._evaluated[key].alerts if alert.resolved and alert.rule == DROP])
        }
        found = find_concerns(series, new, self._catalog, declining=self._declining, earlier=earlier)
        self._concerns = kept | found

    @property
    def alerts(self) -> Iterator[Alert]:
        """Alerts of the last evaluation, series by series."""
        return (alert for evaluated in self._evaluated.values() for alert in evaluated.alerts)

    @property
    def rule_statuses(self) -> tuple[RuleStatus, ...]:
        """Statuses of the last evaluation, series by series, rule by rule."""
        hidden = self._volumes.keys() - self.volumes_with_alerts.keys()
        return tuple(
            status
            for key, evaluated in self._evaluated.items()
            if key not in hidden
            for status in evaluated.rule_statuses
        )

    @property
    def volumes_with_alerts(self) -> dict[SeriesKey, Series]:
        """The series of row counts that have, or had, an alert: the others are not worth a line anywhere."""
        return {key: series for key, series in self._volumes.items() if self._evaluated[key].alerts}

    @property
    def concerns(self) -> dict[str, tuple[Concern, ...]]:
        """By model, the concerns about series without an active alert."""
        alerting = {alert.key for alert in self.alerts if alert.is_active}
        found: dict[str, tuple[Concern, ...]] = {}
        for key, concerns in self._concerns.items():
            if key not in alerting:
                found[key.model] = (*found.get(key.model, ()), *concerns)
        return {model: tuple(sorted(concerns, key=self._is_explanatory)) for model, concerns in found.items()}

    def _is_explanatory(self, concern: Concern) -> bool:
        return material_drop(self._catalog.get(concern.key.metric)) is None

    def _is_unchanged(self, series: Series, history: Mapping[SeriesKey, Series]) -> bool:
        """Return whether neither the series nor those that it is compared with have changed."""
        last = self._evaluated.get(series.key)
        if last is None or last.series is not series or last.stands_alone != stands_alone(series.key, history):
            return False
        return all(history.get(key) is other for key, other in last.compared_series)

    def _evaluate_series(
        self, rules: Sequence[Rule], series: Series, alerts: AlertsByRule, history: Mapping[SeriesKey, Series]
    ) -> _Evaluated:
        metric = self._catalog.get(series.key.metric)
        keys = [key for rule in rules if (key := rule.baseline.other_key(series.key)) is not None]
        by_rule = {rule.name: alerts.get((rule.name, series.key), ()) for rule in rules}
        return _Evaluated(
            series,
            tuple((key, history.get(key)) for key in keys),
            stands_alone(series.key, history),
            tuple(alert for of_rule in by_rule.values() for alert in of_rule),
            tuple(rule_status(series, rule, by_rule[rule.name], metric, history) for rule in rules),
        )


def _replay_all(rules_by_key: Mapping[SeriesKey, Sequence[Rule]], history: Mapping[SeriesKey, Series]) -> AlertsByRule:
    """Return the alerts of each rule on each series that it applies to and is not skipped on."""
    batches: dict[int, tuple[Rule, list[Series]]] = {}
    for key, rules in rules_by_key.items():
        for rule in rules:
            if rule.name != UNKNOWN_METRIC or not skip_reason(rule, history[key]):
                batches.setdefault(id(rule), (rule, []))[1].append(history[key])
    return {
        (rule.name, series.key): alerts
        for rule, batch in batches.values()
        for series, alerts in zip(batch, replay(batch, rule, history), strict=True)
        if alerts
    }
