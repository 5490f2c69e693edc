"""How a rule stands on a series now, in words: rules that hold are said too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Alert, RuleStatus, Series, SeriesKey, Severity, State
from modeltop.core.text import format_comparison, format_exact, format_period, format_value, pluralize
from modeltop.rules.baselines.base import NO_SERIES
from modeltop.rules.replay import replay_many
from modeltop.rules.rule import Rule, is_meaningless_for, query_context, rules_for, skip_reason

WORDS = {Severity.OK: "ok", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown", Severity.CRITICAL: "critical"}


def rule_status(
    series: Series,
    rule: Rule,
    episodes: Iterable[Alert],
    metric: Metric,
    others: Mapping[SeriesKey, Series] = NO_SERIES,
) -> RuleStatus:
    """Say how one rule stands on one series.

    Args:
        series: At least one period.
        rule: One that asks about it.
        episodes: The episodes to look among; those of other rules and series are passed over.
        metric: What the values are; its name may be foreign text, and then the sentence has it too.
        others: Where a reference that is another series is looked for: `history.series`.
    """
    why = skip_reason(rule, series)
    if why:
        said = f"{metric.name} {format_value(series.latest)}: {why}"
        return RuleStatus(rule.name, series.key, Severity.OK, said, why)
    open_one = next((one for one in episodes if _is_open(one, rule, series)), None)
    if open_one is None and _plainly_judged(series, rule):
        # Nearly all: say so without a look at what came before.
        return RuleStatus(rule.name, series.key, Severity.OK, f"{metric.name} {_healthy(series, rule)}")
    judged = np.flatnonzero(series.evaluable(rule.min_count))
    said = _newest(series, rule, judged, metric)
    if len(judged):
        now = _state(series[: int(judged[-1]) + 1], rule, open_one, others)
        said = f"{said}; before it {now}" if said else f"{metric.name} {now}"
    severity = open_one.severity if open_one and open_one.is_active else Severity.OK
    return RuleStatus(rule.name, series.key, severity, said)


def _is_open(episode: Alert, rule: Rule, series: Series) -> bool:
    return episode.key == series.key and episode.rule == rule.name and episode.state is not State.RESOLVED


def _newest(series: Series, rule: Rule, judged: np.ndarray, metric: Metric) -> str:
    """Why the newest value is not judged; empty if it is."""
    last = len(series) - 1
    if len(judged) and judged[-1] == last:
        return ""
    value = f"{metric.name} {format_value(series.latest)}"
    if not np.isfinite(series.latest):
        return f"{value}: not judged, as it is not finite"
    if series.provisional is not None and series.provisional[last]:
        return f"{value}: not judged, as its period is not complete"
    cases = format_exact(series.effective_support(last) or 0.0)
    return f"{value} on {cases} cases: not judged, fewer than {rule.min_count}".replace("on 1 cases", "on 1 case")


def _state(past: Series, rule: Rule, episode: Alert | None, others: Mapping[SeriesKey, Series]) -> str:
    """The value of the last point of `past`, which is judged, and how it is seen."""
    value = past.latest
    if episode is None or episode.breach is None:
        return _calm(past, rule)
    word = WORDS[episode.severity]
    since = f"since {format_period(episode.since)}"
    if episode.state is State.RECOVERING:
        good = _good_in_a_row(past, rule, episode.severity, others)
        return f"{format_value(value)}: recovering from {word}, {good} of {rule.recover} good periods, {since}"
    shown, wrong = _wrong(rule, episode)
    if episode.state is State.PENDING:
        needed = max(_needed(rule, episode), episode.periods + 1)
        return f"{shown}: {wrong} for {episode.periods} of {needed} periods, not yet told"
    return f"{shown}: {word}, {wrong} for {pluralize(episode.periods, 'period')}, {since}"


def _plainly_judged(series: Series, rule: Rule) -> bool:
    """Whether the newest point is judged, and more than enough are before it, without a look at all of them."""
    newest = series[-2 * (rule.detector.min_history + 1) :]
    judged = newest.evaluable(rule.min_count)
    return bool(judged[-1]) and int(np.count_nonzero(judged)) > rule.detector.min_history


def _calm(past: Series, rule: Rule) -> str:
    """The value of the last point of `past`, to which nothing objects."""
    if rule.detector.min_history:
        before = int(np.count_nonzero(past.evaluable(rule.min_count))) - 1
        if before < rule.detector.min_history:
            known = f"{pluralize(before, 'earlier period')} of {rule.detector.min_history}"
            return f"{format_value(past.latest)}: too little history, {known}"
    return _healthy(past, rule)


def _healthy(past: Series, rule: Rule) -> str:
    return f"{format_value(past.latest)}: healthy, {rule.detector.describe_normal()}"


def _wrong(rule: Rule, episode: Alert) -> tuple[str, str]:
    """The value, and what is wrong with it, with digits enough to tell the value from the limit."""
    evidence = episode.breach
    assert evidence is not None, "a check that objects says why"
    if evidence.limit is None:
        return format_value(evidence.value), evidence.message
    if not rule.detector.limits():
        shown, _, wrong = evidence.message.partition(" ")
        return shown, wrong
    limit = dict(rule.detector.limits()).get(evidence.severity)
    crossed = limit and limit.crossed_side(evidence.value)
    if crossed:
        shown, sign, side = format_comparison(evidence.value, *crossed).split(" ")
        return shown, f"{'below' if sign == '<' else 'above'} {side}"
    return format_value(
        evidence.value
    ), f"not yet {format_exact(rule.detector.margin)} back inside {format_value(evidence.limit)}"


def _good_in_a_row(past: Series, rule: Rule, level: Severity, others: Mapping[SeriesKey, Series]) -> int:
    """Judged points at the end that lie under `level`, which is active all along."""
    (basis,) = rule.detector.prepare([past], query_context(rule, others))
    wrong = rule.detector.levels(past, basis, level)[past.evaluable(rule.min_count)] >= level
    return int(np.argmax(wrong[::-1]))


def _needed(rule: Rule, episode: Alert) -> int:
    """Points in a row at which people will first be told."""
    return rule.confirm[0] if episode.severity is Severity.WARNING else min(rule.confirm)


BACKLOG_THRESHOLD = 1_500
"""Series, of which following each point by point takes a time that a person would notice."""

AlertsByRule = Mapping[tuple[str, SeriesKey], Sequence[Alert]]
"""By the name of the rule and the series; those without an episode are not in it."""


class _Evaluated(NamedTuple):
    series: Series
    compared_series: tuple[tuple[SeriesKey, Series | None], ...]
    """The other series that its rules compare it with."""
    alerts: tuple[Alert, ...]
    rule_statuses: tuple[RuleStatus, ...]


class Evaluator:
    """Looks at the same rules' series again and again.

    Args:
        rules: All; which of them asks about a series, their labels say.
        catalog: Names the metrics.
    """

    def __init__(self, rules: Sequence[Rule], catalog: MetricRegistry) -> None:
        self._rules, self._catalog = rules, catalog
        self._known: dict[SeriesKey, _Evaluated] = {}
        self.has_backlog = False
        """True where the last look was in a hurry and left something out."""

    def evaluate(self, history: Mapping[SeriesKey, Series], *, defer_slow_detectors: bool = False) -> None:
        """Judge what is new, rule by rule over all series: some rules follow many at once for little more than one.

        Args:
            history: All series.
            defer_slow_detectors: Leave the rules that follow series point by point to the next look, where there are many series:
                what is critical by its limit need not wait for them.
        """
        if self.has_backlog:
            self._known = {}
        new = {
            key: [rule for rule in rules_for(self._rules, key) if not is_meaningless_for(rule, series)]
            for key, series in history.items()
            if not self._is_unchanged(series, history)
        }
        self.has_backlog = defer_slow_detectors and len(new) > BACKLOG_THRESHOLD
        if self.has_backlog:
            new = {key: [rule for rule in rules if not rule.detector.is_sequential] for key, rules in new.items()}
        found = _replayed(new, history)
        judged = {key: self._evaluate_series(rules, history[key], found, history) for key, rules in new.items()}
        self._known = {key: judged.get(key) or self._known[key] for key in history}

    @property
    def alerts(self) -> Iterator[Alert]:
        """Those of the last look, series by series."""
        return (episode for judged in self._known.values() for episode in judged.alerts)

    @property
    def rule_statuses(self) -> tuple[RuleStatus, ...]:
        """Those of the last look, series by series, rule by rule."""
        return tuple(item for judged in self._known.values() for item in judged.rule_statuses)

    def _is_unchanged(self, series: Series, history: Mapping[SeriesKey, Series]) -> bool:
        """Whether neither the series nor those that it is compared with have changed since the last look."""
        known = self._known.get(series.key)
        return (
            known is not None
            and known.series is series
            and all(history.get(key) is one for key, one in known.compared_series)
        )

    def _evaluate_series(
        self, rules: Sequence[Rule], series: Series, found: AlertsByRule, history: Mapping[SeriesKey, Series]
    ) -> _Evaluated:
        metric = self._catalog.get(series.key.metric)
        keys = [key for rule in rules if (key := rule.baseline.other_key(series.key)) is not None]
        episodes = {rule.name: found.get((rule.name, series.key), ()) for rule in rules}
        return _Evaluated(
            series,
            tuple((key, history.get(key)) for key in keys),
            tuple(one for some in episodes.values() for one in some),
            tuple(rule_status(series, rule, episodes[rule.name], metric, history) for rule in rules),
        )


def _replayed(asking: Mapping[SeriesKey, Sequence[Rule]], history: Mapping[SeriesKey, Series]) -> AlertsByRule:
    """The episodes of each rule on each series that it asks about and is applied to."""
    by_rule: dict[str, tuple[Rule, list[Series]]] = {}
    for key, rules in asking.items():
        for rule in rules:
            if not skip_reason(rule, history[key]):
                by_rule.setdefault(rule.name, (rule, []))[1].append(history[key])
    return {
        (name, series.key): episodes
        for name, (rule, many) in by_rule.items()
        for series, episodes in zip(many, replay_many(many, rule, history), strict=True)
        if episodes
    }
