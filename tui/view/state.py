"""The state of the screen: the snapshot and the selection."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from modeltop.core.incident import IncidentStatus
from modeltop.core.series import Alert, ModelStatus, RuleStatus, Series, SeriesKey, Severity, State
from modeltop.report.phrases import state_word
from modeltop.rules.rule import Rule, rules_for
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.view.filter import COMPARISON, NEW, STATUS, filter_words
from modeltop_tui.view.styled_text import WORDS

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
    end: float | None = None
    """Right end in seconds since 1970, UTC; None: it follows the newest point."""


ALL_TIME = TimeWindow(inf)


@dataclass(frozen=True, slots=True)
class ChartComparison:
    """What the selected metric of the selected model is compared with in one chart."""

    models: tuple[str, ...] = ()
    """Other models with that metric; empty: all of them."""
    by_segment: bool = False
    """Whether it is compared with the other segments of its model instead."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected model and series, and how lists and chart are shown."""

    model: str | None = None
    key: SeriesKey | None = None
    """The selected series; None if the model has none."""
    on_hidden: bool = False
    """Whether the cursor is on the line that stands for the hidden segments of its metric."""
    unfolded: str = ""
    """The metric of which all segments are listed."""
    filter: str = ""
    problems_only: bool = False
    overlay: bool = False
    comparison: ChartComparison | None = None
    """It replaces the overlay; None without one."""
    one_metric: bool = False
    """Whether one metric is drawn although there is room for all."""
    sort: SortOrder = SortOrder.WORST
    time_window: TimeWindow | None = None
    """The time that the chart shows; None: that which fits the incident."""
    cursor: float | None = None
    """Position of the chart's cursor in seconds since 1970, UTC; None without one."""


@dataclass(frozen=True, slots=True)
class ScreenState:
    """All that the panes are bound to."""

    snapshot: Snapshot | None = None
    selection: Selection = field(default_factory=Selection)
    loading: str = ""
    """The message in place of data while there is none."""
    error: str = ""
    """The reason why the last run failed; may contain foreign text."""
    paused: bool = False
    seen: Mapping[str, str] | None = None
    """`SnapshotIndex.incident_states` as the user last saw them; None before the first snapshot that a user sees."""
    diagnosis: Diagnosis | None = None
    """Diagnosis of the selected model; None until there is one."""
    outlook: TrendOutlook | None = None
    """Pattern and forecast of the selected series; None until they are known."""
    typed: tuple[str, ...] = ()
    """Lines that were typed after `:`, the newest last."""


class SnapshotIndex:
    """The lists of a snapshot by model and by series; built once per snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.model_statuses: dict[str, ModelStatus] = {status.model: status for status in snapshot.model_statuses}
        self.series: dict[str, list[Series]] = defaultdict(list)
        for key, series in snapshot.history.series.items():
            self.series[key.model].append(series)
        for model in (*snapshot.history.periods, *self.series):
            self.model_statuses.setdefault(model, ModelStatus(model, Severity.OK, ""))
        self.open_alerts = tuple(alert for alert in snapshot.alerts if alert.state is not State.RESOLVED)
        """Active and pending alerts, worst first; so are the lists by model and by series."""
        self.alerts_by_model: dict[str, list[Alert]] = defaultdict(list)
        self.alerts_by_key: dict[SeriesKey, list[Alert]] = defaultdict(list)
        for alert in self.open_alerts:
            self.alerts_by_model[alert.key.model].append(alert)
            self.alerts_by_key[alert.key].append(alert)
        self.statuses_by_key: dict[SeriesKey, list[RuleStatus]] = defaultdict(list)
        self.statuses_by_model: dict[str, list[RuleStatus]] = defaultdict(list)
        for status in snapshot.rule_statuses:
            self.statuses_by_key[status.key].append(status)
            self.statuses_by_model[status.key.model].append(status)
        self.incidents = {one.model: one for one in snapshot.incidents if one.status is IncidentStatus.OPEN}
        self.rules: dict[str, Rule] = {rule.name: rule for rule in snapshot.rules}
        self.state_counts = Counter(map(self.model_state, self.model_statuses))
        """Number of models by severity and the word for it."""
        self.incident_states = {
            model: f"{self.model_state(model)[1]} {incident.id}"
            for model, incident in self.incidents.items()
            if model in snapshot.history.periods
        }
        """State and id of the open incident of each model that has one; an input that cannot be read is no model."""

    def model_state(self, model: str) -> tuple[Severity, str]:
        """Return the severity of a model and the word for its state."""
        severity = self.model_statuses[model].severity
        return severity, state_word(severity, self.incidents.get(model))

    def changed_models(self, seen: Mapping[str, str] | None) -> frozenset[str]:
        """Return the models with another incident, or another state of it, than the user last saw."""
        return frozenset(
            model
            for model, _ in self.incident_states.items() ^ (self.incident_states if seen is None else seen).items()
        )

    def matches(self, model: str, word: str) -> bool:
        """Return whether a model matches a word of a filter: by its state, its newest values, or a part of its name."""
        if word.startswith(STATUS):
            severity, state = self.model_state(model)
            wanted = word.removeprefix(STATUS).replace(" ", "")
            return any(one.replace(" ", "").startswith(wanted) for one in (state, WORDS[severity]))
        if (match := COMPARISON.fullmatch(word)) is not None:
            limit, sign = float(match["value"]), 1.0 if match["sign"] == "<" else -1.0
            named = [one for one in self.series[model] if one.key.metric.casefold().startswith(match["metric"])]
            return any(sign * float(one.values[-1]) < sign * limit for one in named if one.key.segment == "all")
        return word in model.casefold()

    def severity(self, key: SeriesKey) -> Severity:
        """Return the worst severity of the active alerts on a series; pending ones do not count."""
        return max((alert.severity for alert in self.alerts_by_key[key] if alert.is_active), default=Severity.OK)

    def series_keys(self, model: str | None) -> list[SeriesKey]:
        """Return the series of a model, in the order of its history."""
        return [series.key for series in self.series.get(model or "", [])]

    def rules_for(self, key: SeriesKey) -> list[Rule]:
        """Return the rules that evaluate a series, without those that skip it."""
        skipped = {status.rule for status in self.statuses_by_key[key] if status.skip_reason is not None}
        return [
            rule
            for rule in rules_for(self.snapshot.rules, key, self.snapshot.history.series)
            if rule.name not in skipped
        ]


@lru_cache(maxsize=2)
def snapshot_index(snapshot: Snapshot) -> SnapshotIndex:
    """Return the index of a snapshot; the last two are cached, for the moment in which one replaces the other."""
    return SnapshotIndex(snapshot)


class ModelList(NamedTuple):
    """The models that are listed."""

    models: tuple[str, ...]
    has_match: bool
    """Whether the filter matches any of them; one that does not hides none, so that no problem is out of sight."""


@lru_cache(maxsize=2)
def _model_list(
    snapshot: Snapshot, words: str, changed: frozenset[str], problems_only: bool, sort: SortOrder
) -> ModelList:
    index = snapshot_index(snapshot)
    shown = (status for status in index.model_statuses.values() if status.severity > Severity.OK or not problems_only)
    models = [status.model for status in shown]
    if sort is SortOrder.NAME:
        models.sort(key=str.casefold)
    elif sort is SortOrder.STALE:
        periods = snapshot.history.periods
        models.sort(key=lambda model: str(periods[model][-1]) if len(periods.get(model, ())) else "")
    matching = models
    for word, excludes in filter_words(words):
        named = changed if word == NEW else frozenset[str]()
        matching = [one for one in matching if (one in named or index.matches(one, word)) is not excludes]
    return ModelList(tuple(matching or models), bool(matching))


def model_list(state: ScreenState) -> ModelList:
    """Return the models that pass the filter and `problems_only`, in the order of the list."""
    if state.snapshot is None:
        return ModelList((), has_match=False)
    selection = state.selection
    changed = snapshot_index(state.snapshot).changed_models(state.seen) if selection.filter else frozenset[str]()
    return _model_list(state.snapshot, selection.filter, changed, selection.problems_only, selection.sort)


def visible_models(state: ScreenState) -> tuple[str, ...]:
    """Return the models of the list, in its order."""
    return model_list(state).models
