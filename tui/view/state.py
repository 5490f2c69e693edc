"""The one state of the screen: what was seen, and what is looked at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Change, Episode, Series, SeriesKey, Severity, Standing, State, Verdict
from modeltop.rules.baselines.past import Past
from modeltop.rules.change_summary import summary
from modeltop.rules.rule import Rule, asked
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, Outlook


class Sort(Enum):
    """The order of the models."""

    WORST = "worst first"
    NAME = "by name"
    STALE = "oldest data first"


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the time axis that the chart shows."""

    length: float
    """Seconds."""
    end: float | None = None
    """Right end, UTC, seconds since 1970; None: it follows the newest point."""


@dataclass(frozen=True, slots=True)
class View:
    """What the person looks at."""

    model: str | None = None
    key: SeriesKey | None = None
    """The selected series; None where the model has none."""
    filter: str = ""
    problems_only: bool = False
    overlay: bool = False
    sort: Sort = Sort.WORST
    window: Window | None = None
    """None: all of time."""
    cursor: float | None = None
    """Where the chart's cursor stands, UTC, seconds since 1970; None without one."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the panes are bound to."""

    snapshot: Snapshot | None = None
    view: View = field(default_factory=View)
    loading: str = ""
    """Said in place of data while there is none."""
    trouble: str = ""
    """Why the last look failed; foreign text may be in it."""
    paused: bool = False
    diagnosis: Diagnosis | None = None
    """What was found out about the selected model; None until it is."""
    outlook: Outlook | None = None
    """How the selected series has gone and where that leads; None until it is known."""


class Board:
    """A snapshot's lists, found by model and by series. Made once per snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.verdicts: dict[str, Verdict] = {verdict.model: verdict for verdict in snapshot.verdicts}
        self.series: dict[str, list[Series]] = defaultdict(list)
        for key, series in snapshot.history.series.items():
            self.series[key.model].append(series)
        for model in (*snapshot.history.periods, *self.series):
            self.verdicts.setdefault(model, Verdict(model, Severity.OK, ""))
        self.open: tuple[Episode, ...] = tuple(e for e in snapshot.episodes if e.state is not State.RESOLVED)
        """Standing and pending episodes, worst first."""
        self._by_model: dict[str, list[Episode]] = defaultdict(list)
        self._by_key: dict[SeriesKey, list[Episode]] = defaultdict(list)
        for episode in self.open:
            self._by_model[episode.key.model].append(episode)
            self._by_key[episode.key].append(episode)
        self._standings: dict[SeriesKey, list[Standing]] = defaultdict(list)
        self._standings_of: dict[str, list[Standing]] = defaultdict(list)
        for standing in snapshot.standings:
            self._standings[standing.key].append(standing)
            self._standings_of[standing.key.model].append(standing)
        self.rules: dict[str, Rule] = {rule.name: rule for rule in snapshot.rules}

    def episodes(self, model: str) -> list[Episode]:
        """Open episodes of a model, worst first."""
        return self._by_model.get(model, [])

    def on(self, key: SeriesKey) -> list[Episode]:
        """Open episodes on one series, worst first."""
        return self._by_key.get(key, [])

    def standings(self, key: SeriesKey) -> list[Standing]:
        """How the rules stand on one series."""
        return self._standings.get(key, [])

    def standings_of(self, model: str) -> list[Standing]:
        """How the rules stand on a model."""
        return self._standings_of.get(model, [])

    def severity(self, key: SeriesKey) -> Severity:
        """The worst that stands on a series; pending is not yet standing."""
        return max((e.severity for e in self.on(key) if e.stands), default=Severity.OK)

    def keys(self, model: str | None) -> list[SeriesKey]:
        """The model's series, in the order of its history."""
        return [series.key for series in self.series.get(model or "", [])]

    def asked(self, key: SeriesKey) -> list[Rule]:
        """The rules that judge a series; those left out of it are not among them."""
        out = {standing.rule for standing in self.standings(key) if standing.left_out is not None}
        return [rule for rule in asked(self.snapshot.rules, key) if rule.name not in out]


@lru_cache(maxsize=2)
def board(snapshot: Snapshot) -> Board:
    """The snapshot's board; the last two are kept, for the moment in which one replaces the other."""
    return Board(snapshot)


@lru_cache(maxsize=2)
def _listed(snapshot: Snapshot, needle: str, problems_only: bool, sort: Sort) -> tuple[str, ...]:
    known = board(snapshot)
    models = [
        model
        for model, verdict in known.verdicts.items()
        if needle in model.casefold() and (verdict.severity > Severity.OK or not problems_only)
    ]
    if sort is Sort.NAME:
        models.sort(key=str.casefold)
    elif sort is Sort.STALE:
        periods = snapshot.history.periods
        models.sort(key=lambda model: str(periods[model][-1]) if len(periods.get(model, ())) else "")
    return tuple(models)


def listed(scene: Scene) -> tuple[str, ...]:
    """The models of the list, in its order: those that the filter and `problems only` let through."""
    if scene.snapshot is None:
        return ()
    view = scene.view
    return _listed(scene.snapshot, view.filter.casefold(), view.problems_only, view.sort)


@lru_cache(maxsize=512)
def changes_of(series: Series, metric: Metric, reference: Past) -> tuple[Change, ...]:
    """The change summary, once per series: an unchanged one is the same object in the next snapshot."""
    return summary(series, metric, reference)
