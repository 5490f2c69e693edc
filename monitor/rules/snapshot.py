"""What a screen or a report sees, and all that it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from modeltop.core.distribution import Distributions
from modeltop.core.incident import Acknowledgement, AlertingState, Suppression, WatcherHealth
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, History, ModelStatus, RuleStatus
from modeltop.rules.baselines.past import ROLLING, PastBaseline
from modeltop.rules.label_coverage import LabelCoverage
from modeltop.rules.rule import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One look at everything, taken by `modeltop.service.pipeline` and never changed afterwards.

    What a person rarely asks for (the changes of a series) is not in it: it is a pure function of a series,
    `modeltop.rules.change_summary.summary`, computed where it is shown.
    """

    taken_at: datetime
    """The moment for which alerts were judged: `now`."""
    clock: datetime
    """The true time of the look; the age of the data counts from it."""
    history: History
    catalog: MetricRegistry
    rules: tuple[Rule, ...]
    alerts: tuple[Alert, ...]
    """All: those that stand and the pending, in the order of `modeltop.rules.priority`; then the past, newest first."""
    rule_statuses: tuple[RuleStatus, ...]
    """One for each pair of rule and series, those left out included."""
    model_statuses: tuple[ModelStatus, ...]
    """One per model, worst first: the order of models everywhere."""
    notices: tuple[str, ...] = ()
    """How this was judged, where a person could be surprised: a sentence each; foreign text may be in it."""
    alerting_state: AlertingState = field(default_factory=AlertingState)
    """What people did and what receivers were told."""
    suppressions: Mapping[str, Suppression] = field(default_factory=dict)
    """By the id of each standing alert that nobody is told of now."""
    acknowledgements: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By the id of each standing alert that a person has taken; whether repeats stop is thereby said."""
    label_coverage: Mapping[str, LabelCoverage] = field(default_factory=dict)
    """What is missing of the labels, by model; those that have enough are not in it."""
    watcher_health: WatcherHealth | None = None
    """How the watcher of this store is; None where none has ever run."""
    distributions: Mapping[str, Distributions] = field(default_factory=dict)
    """What lies under the newest numbers, by model: read when it is asked for."""
    baseline: PastBaseline = ROLLING
    """With which earlier periods the newest one is compared where its changes are summed up."""
