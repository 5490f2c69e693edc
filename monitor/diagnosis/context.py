"""The input of a diagnosis: one model of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from modeltop.core.calendar import CalendarEvent
from modeltop.core.diagnosis import ROW_COUNT
from modeltop.core.distribution import Distributions
from modeltop.core.incident import Incident, Note, SharedStart
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Concern, Condition, Series, SeriesKey, Severity, to_datetime, to_datetime64
from modeltop.rules.detectors.limit import Limit

ALL = "all"
CONFIDENCE = "avg_confidence"


@dataclass(frozen=True, slots=True, eq=False)
class ModelContext:
    """The data of one model that a diagnosis uses, as of one moment."""

    model: str
    series: Sequence[Series]
    """Of every metric and segment, in the order of the history."""
    catalog: MetricRegistry = field(default_factory=MetricRegistry)
    alerts: Sequence[Alert] = ()
    """Alerts of this model only, worst first, including resolved ones."""
    severity: Severity = Severity.OK
    """Severity of the model's status: a diagnosis repeats it and never changes it."""
    status_sentence: str = ""
    """The status in a sentence, which is shown if there is nothing to explain."""
    notes: Sequence[Note] = ()
    """Those about this model, and those about everything."""
    calendar: Sequence[CalendarEvent] = ()
    """Days on which other values are normal for this model."""
    distributions: Distributions = field(default_factory=Distributions)
    other_failures_since: Mapping[str, datetime] = field(default_factory=dict)
    """Start of the alerts of other models, by name: many at once have one cause, and it is not in the model."""
    concerns: Sequence[Concern] = ()
    """What is worth a word about series without an active alert, worst first."""
    shared_start: SharedStart | None = None
    """The incidents of other models that started with that of this one; None if none did."""
    incident: Incident | None = None
    """The incident to explain: the open one, or one that ended; None if there is none."""
    is_past: bool = False
    """True if the incident is past its worst, and later periods are left out."""
    evaluated: int = 0
    """Metrics that a rule evaluated."""
    limits: Callable[[SeriesKey], Sequence[Limit]] = lambda _: ()
    """The limits of the rules that are applied to a series."""
    taken_at: datetime | None = None
    """The moment for which rules were evaluated; None: the newest period."""

    @property
    def now(self) -> datetime:
        """Start of the newest period; dates of another year are written with their year."""
        newest = (series.times[-1] for series in self.series if len(series))
        return max(map(to_datetime, newest), default=self.taken_at or datetime.min.replace(tzinfo=UTC))

    def until(self, end: datetime) -> ModelContext:
        """Return the context as it was after the period that starts at `end`: nothing later counts."""
        stop = to_datetime64(end)
        cut = [series[: int(np.searchsorted(series.times, stop, "right"))] for series in self.series]
        return replace(self, series=[series for series in cut if len(series)])

    @property
    def missing_input(self) -> Alert | None:
        """The worst active alert if it is about input that is missing or could not be read: nothing explains that."""
        worst = next((alert for alert in self.alerts if alert.is_active), None)
        if worst is None or worst.condition is Condition.THRESHOLD:
            return None
        if any(alert.is_active and alert.key == worst.key._replace(metric=ROW_COUNT) for alert in self.alerts):
            return None  # no rows of that segment are left, and that can be explained
        return None if worst.is_model_wide and worst.condition is Condition.NO_DATA else worst

    def find_series(self, key: SeriesKey | None) -> Series | None:
        """Return the series of a key; None if there is none."""
        return next((series for series in self.series if series.key == key), None)

    def overall_series(self) -> dict[str, Series]:
        """Return the series over all rows by metric."""
        return {series.key.metric: series for series in self.series if series.key.segment == ALL and len(series)}
