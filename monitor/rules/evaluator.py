"""How a rule stands on a series now, in words: rules that hold are said too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from modeltop.core.metrics.registry import Catalog, Metric
from modeltop.core.series import Episode, Series, SeriesKey, Severity, Standing, State
from modeltop.core.text import brief, comparison, day, plain, plural
from modeltop.rules.baselines.base import NOTHING
from modeltop.rules.replay import replays
from modeltop.rules.rule import Rule, asked, asking, left_out, senseless

WORDS = {Severity.OK: "ok", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown", Severity.CRITICAL: "critical"}


def standing(
    series: Series,
    rule: Rule,
    episodes: Iterable[Episode],
    metric: Metric,
    others: Mapping[SeriesKey, Series] = NOTHING,
) -> Standing:
    """Say how one rule stands on one series.

    Args:
        series: At least one period.
        rule: One that asks about it.
        episodes: The episodes to look among; those of other rules and series are passed over.
        metric: What the values are; its name may be foreign text, and then the sentence has it too.
        others: Where a reference that is another series is looked for: `history.series`.
    """
    why = left_out(rule, series)
    if why:
        said = f"{metric.name} {brief(series.latest)}: {why}"
        return Standing(rule.name, series.key, Severity.OK, said, why)
    open_one = next((one for one in episodes if _is_open(one, rule, series)), None)
    if open_one is None and _plainly_judged(series, rule):
        # Nearly all: say so without a look at what came before.
        return Standing(rule.name, series.key, Severity.OK, f"{metric.name} {_healthy(series, rule)}")
    judged = np.flatnonzero(series.judged(rule.min_count))
    said = _newest(series, rule, judged, metric)
    if len(judged):
        now = _state(series[: int(judged[-1]) + 1], rule, open_one, others)
        said = f"{said}; before it {now}" if said else f"{metric.name} {now}"
    severity = open_one.severity if open_one and open_one.stands else Severity.OK
    return Standing(rule.name, series.key, severity, said)


def _is_open(episode: Episode, rule: Rule, series: Series) -> bool:
    return episode.key == series.key and episode.rule == rule.name and episode.state is not State.RESOLVED


def _newest(series: Series, rule: Rule, judged: np.ndarray, metric: Metric) -> str:
    """Why the newest value is not judged; empty if it is."""
    last = len(series) - 1
    if len(judged) and judged[-1] == last:
        return ""
    value = f"{metric.name} {brief(series.latest)}"
    if not np.isfinite(series.latest):
        return f"{value}: not judged, as it is not finite"
    if series.provisional is not None and series.provisional[last]:
        return f"{value}: not judged, as its period is not complete"
    cases = plain(series.count(last) or 0.0)
    return f"{value} on {cases} cases: not judged, fewer than {rule.min_count}".replace("on 1 cases", "on 1 case")


def _state(past: Series, rule: Rule, episode: Episode | None, others: Mapping[SeriesKey, Series]) -> str:
    """The value of the last point of `past`, which is judged, and how it is seen."""
    value = past.latest
    if episode is None or episode.evidence is None:
        return _calm(past, rule)
    word = WORDS[episode.severity]
    since = f"since {day(episode.since)}"
    if episode.state is State.RECOVERING:
        good = _good_in_a_row(past, rule, episode.severity, others)
        return f"{brief(value)}: recovering from {word}, {good} of {rule.recover} good periods, {since}"
    shown, wrong = _wrong(rule, episode)
    if episode.state is State.PENDING:
        needed = max(_needed(rule, episode), episode.periods + 1)
        return f"{shown}: {wrong} for {episode.periods} of {needed} periods, not yet told"
    return f"{shown}: {word}, {wrong} for {plural(episode.periods, 'period')}, {since}"


def _plainly_judged(series: Series, rule: Rule) -> bool:
    """Whether the newest point is judged, and more than enough are before it, without a look at all of them."""
    newest = series[-2 * (rule.check.history + 1) :]
    judged = newest.judged(rule.min_count)
    return bool(judged[-1]) and int(np.count_nonzero(judged)) > rule.check.history


def _calm(past: Series, rule: Rule) -> str:
    """The value of the last point of `past`, to which nothing objects."""
    if rule.check.history:
        before = int(np.count_nonzero(past.judged(rule.min_count))) - 1
        if before < rule.check.history:
            known = f"{plural(before, 'earlier period')} of {rule.check.history}"
            return f"{brief(past.latest)}: too little history, {known}"
    return _healthy(past, rule)


def _healthy(past: Series, rule: Rule) -> str:
    return f"{brief(past.latest)}: healthy, {rule.check.inside()}"


def _wrong(rule: Rule, episode: Episode) -> tuple[str, str]:
    """The value, and what is wrong with it, with digits enough to tell the value from the limit."""
    evidence = episode.evidence
    assert evidence is not None, "a check that objects says why"
    if evidence.limit is None:
        return brief(evidence.value), evidence.message
    if not rule.check.limits():
        shown, _, wrong = evidence.message.partition(" ")
        return shown, wrong
    limit = dict(rule.check.limits()).get(evidence.severity)
    crossed = limit and limit.crossed(evidence.value)
    if crossed:
        shown, sign, side = comparison(evidence.value, *crossed).split(" ")
        return shown, f"{'below' if sign == '<' else 'above'} {side}"
    return brief(evidence.value), f"not yet {plain(rule.check.margin)} back inside {brief(evidence.limit)}"


def _good_in_a_row(past: Series, rule: Rule, level: Severity, others: Mapping[SeriesKey, Series]) -> int:
    """Judged points at the end that lie under `level`, which is active all along."""
    (basis,) = rule.check.bases([past], asking(rule, others))
    wrong = rule.check.levels(past, basis, level)[past.judged(rule.min_count)] >= level
    return int(np.argmax(wrong[::-1]))


def _needed(rule: Rule, episode: Episode) -> int:
    """Points in a row at which people will first be told."""
    return rule.confirm[0] if episode.severity is Severity.WARNING else min(rule.confirm)


MANY = 1_500
"""Series, of which following each point by point takes a time that a person would notice."""

Found = Mapping[tuple[str, SeriesKey], Sequence[Episode]]
"""By the name of the rule and the series; those without an episode are not in it."""


class _Judged(NamedTuple):
    series: Series
    compared: tuple[tuple[SeriesKey, Series | None], ...]
    """The other series that its rules compare it with."""
    episodes: tuple[Episode, ...]
    standings: tuple[Standing, ...]


class Judge:
    """Looks at the same rules' series again and again.

    Args:
        rules: All; which of them asks about a series, their labels say.
        catalog: Names the metrics.
    """

    def __init__(self, rules: Sequence[Rule], catalog: Catalog) -> None:
        self._rules, self._catalog = rules, catalog
        self._known: dict[SeriesKey, _Judged] = {}
        self.behind = False
        """True where the last look was in a hurry and left something out."""

    def look(self, history: Mapping[SeriesKey, Series], *, hurry: bool = False) -> None:
        """Judge what is new, rule by rule over all series: some rules follow many at once for little more than one.

        Args:
            history: All series.
            hurry: Leave the rules that follow series point by point to the next look, where there are many series:
                what is critical by its limit need not wait for them.
        """
        if self.behind:
            self._known = {}
        new = {
            key: [rule for rule in asked(self._rules, key) if not senseless(rule, series)]
            for key, series in history.items()
            if not self._stands(series, history)
        }
        self.behind = hurry and len(new) > MANY
        if self.behind:
            new = {key: [rule for rule in rules if not rule.check.follows] for key, rules in new.items()}
        found = _replayed(new, history)
        judged = {key: self._judged(rules, history[key], found, history) for key, rules in new.items()}
        self._known = {key: judged.get(key) or self._known[key] for key in history}

    @property
    def episodes(self) -> Iterator[Episode]:
        """Those of the last look, series by series."""
        return (episode for judged in self._known.values() for episode in judged.episodes)

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Those of the last look, series by series, rule by rule."""
        return tuple(item for judged in self._known.values() for item in judged.standings)

    def _stands(self, series: Series, history: Mapping[SeriesKey, Series]) -> bool:
        """Whether neither the series nor those that it is compared with have changed since the last look."""
        known = self._known.get(series.key)
        return (
            known is not None and known.series is series and all(history.get(key) is one for key, one in known.compared)
        )

    def _judged(
        self, rules: Sequence[Rule], series: Series, found: Found, history: Mapping[SeriesKey, Series]
    ) -> _Judged:
        metric = self._catalog.of(series.key.metric)
        keys = [key for rule in rules if (key := rule.reference.other(series.key)) is not None]
        episodes = {rule.name: found.get((rule.name, series.key), ()) for rule in rules}
        return _Judged(
            series,
            tuple((key, history.get(key)) for key in keys),
            tuple(one for some in episodes.values() for one in some),
            tuple(standing(series, rule, episodes[rule.name], metric, history) for rule in rules),
        )


def _replayed(asking: Mapping[SeriesKey, Sequence[Rule]], history: Mapping[SeriesKey, Series]) -> Found:
    """The episodes of each rule on each series that it asks about and is applied to."""
    by_rule: dict[str, tuple[Rule, list[Series]]] = {}
    for key, rules in asking.items():
        for rule in rules:
            if not left_out(rule, history[key]):
                by_rule.setdefault(rule.name, (rule, []))[1].append(history[key])
    return {
        (name, series.key): episodes
        for name, (rule, many) in by_rule.items()
        for series, episodes in zip(many, replays(many, rule, history), strict=True)
        if episodes
    }
