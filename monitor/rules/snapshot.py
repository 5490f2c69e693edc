"""The snapshot: all data that a screen or a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import takewhile

from modeltop.core.calendar import CalendarEvent
from modeltop.core.distribution import Distributions
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    Incident,
    IncidentStatus,
    Note,
    SharedStart,
    Suppression,
    WatcherHealth,
)
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, History, ModelStatus, RuleStatus, Severity
from modeltop.rules.baselines.past import ROLLING, PastBaseline
from modeltop.rules.label_coverage import LabelCoverage
from modeltop.rules.rule import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of everything at one moment, made by `modeltop.service.pipeline` and never changed afterwards."""

    taken_at: datetime
    """The moment for which rules were evaluated: `now`."""
    clock: datetime
    """The true time of the evaluation; the age of the data counts from it."""
    history: History
    catalog: MetricRegistry
    rules: tuple[Rule, ...]
    alerts: tuple[Alert, ...]
    """Active and pending ones, in the order of `modeltop.rules.priority`; then the past, newest first."""
    rule_statuses: tuple[RuleStatus, ...]
    """One for each pair of rule and series, skipped ones included."""
    model_statuses: tuple[ModelStatus, ...]
    """One per model, worst first: the order of models everywhere."""
    incidents: tuple[Incident, ...] = ()
    """Open ones in the order of models, then resolved ones, newest first."""
    shared_starts: tuple[SharedStart, ...] = ()
    """Where incidents of many models started together, the most models first."""
    notices: tuple[str, ...] = ()
    """Notices about unexpected facts of the evaluation: a sentence each; may contain foreign text."""
    alerting_state: AlertingState = field(default_factory=AlertingState)
    """People's actions and the notifications of receivers."""
    suppressions: Mapping[str, Suppression] = field(default_factory=dict)
    """Suppressions by the id of each active alert that is suppressed now."""
    acknowledgements: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By the id of each active alert that a person has acknowledged, whether or not that stops repeats."""
    label_coverage: Mapping[str, LabelCoverage] = field(default_factory=dict)
    """Missing labels by model; models with enough labels are not in it."""
    missing_values: Mapping[str, str] = field(default_factory=dict)
    """A clause on the metrics without a value in the newest period, by model; may contain foreign text."""
    watcher_health: WatcherHealth | None = None
    """Health of the watcher of this store; None if none has ever run."""
    distributions: Mapping[str, Distributions] = field(default_factory=dict)
    """Distributions behind the newest values, by model; each is read when it is looked up."""
    calendar: tuple[CalendarEvent, ...] = ()
    """Days on which other values are normal: they explain, and change no alert."""
    clock_doubt: str | None = None
    """Why the clock must be wrong, in one clause; then nothing is concluded from missing data. None: it is right."""
    baseline: PastBaseline = ROLLING
    """The earlier periods that the newest one is compared with in the change summary."""

    @property
    def severity(self) -> Severity:
        """The worst severity of any model; at least UNKNOWN if there is none, or the clock must be wrong."""
        severities = [status.severity for status in self.model_statuses]
        severities += [alert.severity for alert in self.alerts if alert.is_active]
        severities += [Severity.UNKNOWN] if self.clock_doubt is not None or not severities else []
        return max(severities)

    def notes_about(self, model: str) -> tuple[Note, ...]:
        """Return people's notes about a model, and the releases of it that the history itself names, oldest first."""
        versions = self.history.versions.get(model, ())[1:]  # when the first one was released is not known
        releases = [Note(model, f"version {name}", "", at, is_release=True) for at, name in versions]
        notes = [note for note in self.alerting_state.notes if fnmatchcase(model, note.model)]
        return tuple(sorted([*notes, *releases], key=lambda note: note.at))

    def incident_of(self, model: str) -> Incident | None:
        """Return the open incident of a model; None if nothing is wrong with it."""
        open_ones = takewhile(lambda incident: incident.status is IncidentStatus.OPEN, self.incidents)
        return next((incident for incident in open_ones if incident.model == model), None)
