"""Judges all series by all rules, and remembers what it found: what did not change is not judged anew. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.alerts import replays
from monitor.metrics.base import Catalog
from monitor.records import Episode, Series, SeriesKey, Standing
from monitor.rules import Rule, asked, left_out, senseless
from monitor.standings import standing

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
