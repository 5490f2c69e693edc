"""The one state of the screen: what was seen, and what is looked at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Alert, Comparison, ModelStatus, RuleStatus, Series, SeriesKey, Severity, State
from modeltop.rules.baselines.past import PastBaseline
from modeltop.rules.change_summary import change_summary
from modeltop.rules.rule import Rule, rules_for
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, TrendOutlook


class SortOrder(Enum):
    """The order of the models."""

    WORST = "worst first"
    NAME = "by name"
    STALE = "oldest data first"


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The part of the time axis that the chart shows."""

    length: float
    """Seconds."""
    end: float | None = None
    """Right end, UTC, seconds since 1970; None: it follows the newest point."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the person looks at."""

    model: str | None = None
    key: SeriesKey | None = None
    """The selected series; None where the model has none."""
    filter: str = ""
    problems_only: bool = False
    overlay: bool = False
    sort: SortOrder = SortOrder.WORST
    time_window: TimeWindow | None = None
    """None: all of time."""
    cursor: float | None = None
    """Where the chart's cursor stands, UTC, seconds since 1970; None without one."""


@dataclass(frozen=True, slots=True)
class ScreenState:
    """Everything that the panes are bound to."""

    snapshot: Snapshot | None = None
    selection: Selection = field(default_factory=Selection)
    loading: str = ""
    """Said in place of data while there is none."""
    error: str = ""
    """Why the last look failed; foreign text may be in it."""
    paused: bool = False
    diagnosis: Diagnosis | None = None
    """What was found out about the selected model; None until it is."""
    outlook: TrendOutlook | None = None
    """How the selected series has gone and where that leads; None until it is known."""


class SnapshotIndex:
    """A snapshot's lists, found by model and by series. Made once per snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.model_statuses: dict[str, ModelStatus] = {verdict.model: verdict for verdict in snapshot.model_statuses}
        self.series: dict[str, list[Series]] = defaultdict(list)
        for key, series in snapshot.history.series.items():
            self.series[key.model].append(series)
        for model in (*snapshot.history.periods, *self.series):
            self.model_statuses.setdefault(model, ModelStatus(model, Severity.OK, ""))
        self.open_alerts: tuple[Alert, ...] = tuple(e for e in snapshot.alerts if e.state is not State.RESOLVED)
        """Standing and pending episodes, worst first."""
        self._by_model: dict[str, list[Alert]] = defaultdict(list)
        self._by_key: dict[SeriesKey, list[Alert]] = defaultdict(list)
        for episode in self.open_alerts:
            self._by_model[episode.key.model].append(episode)
            self._by_key[episode.key].append(episode)
        self._standings: dict[SeriesKey, list[RuleStatus]] = defaultdict(list)
        self._standings_of: dict[str, list[RuleStatus]] = defaultdict(list)
        for standing in snapshot.rule_statuses:
            self._standings[standing.key].append(standing)
            self._standings_of[standing.key.model].append(standing)
        self.rules: dict[str, Rule] = {rule.name: rule for rule in snapshot.rules}

    def alerts(self, model: str) -> list[Alert]:
        """Open episodes of a model, worst first."""
        return self._by_model.get(model, [])

    def alerts_on(self, key: SeriesKey) -> list[Alert]:
        """Open episodes on one series, worst first."""
        return self._by_key.get(key, [])

    def rule_statuses(self, key: SeriesKey) -> list[RuleStatus]:
        """How the rules stand on one series."""
        return self._standings.get(key, [])

    def model_rule_statuses(self, model: str) -> list[RuleStatus]:
        """How the rules stand on a model."""
        return self._standings_of.get(model, [])

    def severity(self, key: SeriesKey) -> Severity:
        """The worst that stands on a series; pending is not yet standing."""
        return max((e.severity for e in self.alerts_on(key) if e.is_active), default=Severity.OK)

    def series_keys(self, model: str | None) -> list[SeriesKey]:
        """The model's series, in the order of its history."""
        return [series.key for series in self.series.get(model or "", [])]

    def rules_for(self, key: SeriesKey) -> list[Rule]:
        """The rules that judge a series; those left out of it are not among them."""
        out = {standing.rule for standing in self.rule_statuses(key) if standing.skip_reason is not None}
        return [rule for rule in rules_for(self.snapshot.rules, key) if rule.name not in out]


@lru_cache(maxsize=2)
def snapshot_index(snapshot: Snapshot) -> SnapshotIndex:
    """The snapshot's board; the last two are kept, for the moment in which one replaces the other."""
    return SnapshotIndex(snapshot)


@lru_cache(maxsize=2)
def _listed(snapshot: Snapshot, needle: str, problems_only: bool, sort: SortOrder) -> tuple[str, ...]:
    known = snapshot_index(snapshot)
    models = [
        model
        for model, verdict in known.model_statuses.items()
        if needle in model.casefold() and (verdict.severity > Severity.OK or not problems_only)
    ]
    if sort is SortOrder.NAME:
        models.sort(key=str.casefold)
    elif sort is SortOrder.STALE:
        periods = snapshot.history.periods
        models.sort(key=lambda model: str(periods[model][-1]) if len(periods.get(model, ())) else "")
    return tuple(models)


def visible_models(scene: ScreenState) -> tuple[str, ...]:
    """The models of the list, in its order: those that the filter and `problems only` let through."""
    if scene.snapshot is None:
        return ()
    view = scene.selection
    return _listed(scene.snapshot, view.filter.casefold(), view.problems_only, view.sort)


@lru_cache(maxsize=512)
def cached_changes(series: Series, metric: Metric, reference: PastBaseline) -> tuple[Comparison, ...]:
    """The change summary, once per series: an unchanged one is the same object in the next snapshot."""
    return change_summary(series, metric, reference)
