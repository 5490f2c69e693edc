"""All that a diagnosis looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from modeltop.core.distribution import Distributions
from modeltop.core.incident import Note
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Series, Severity
from modeltop.rules.label_coverage import LabelCoverage

ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class ModelContext:
    """One model, as it stands."""

    model: str
    series: Sequence[Series]
    """Of every metric and segment, in the order of the history."""
    taken_at: datetime
    catalog: MetricRegistry = field(default_factory=MetricRegistry)
    alerts: Sequence[Alert] = ()
    """Of this model alone, worst first; the past among them."""
    severity: Severity = Severity.OK
    """That of the model's verdict: a diagnosis repeats it and never changes it."""
    status_sentence: str = ""
    """The verdict's sentence: what is said where nothing is to be explained."""
    label_coverage: LabelCoverage | None = None
    notes: Sequence[Note] = ()
    """Those about this model, and those about everything."""
    distributions: Distributions = field(default_factory=Distributions)
    other_failures_since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when other models are wrong, by their names: many at once have one cause, and it is not in the model."""

    def overall_series(self) -> dict[str, Series]:
        """Metric → its series over all rows."""
        return {one.key.metric: one for one in self.series if one.key.segment == ALL and len(one)}
