"""What a run reports to a person: what was read, what could not be computed and why, what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.estimated import CAVEAT
from modeltop.core.series import to_datetime
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.history.store.computed import CommitResult
from modeltop.predictions.completeness import ALL
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from modeltop.core.series import Floats
    from modeltop.history.store.computed_format import ComputedHistory

MAX_NAMED = 8
"""Metrics, or reasons, that are listed."""
EXPECTED_REASONS = (
    UndefinedReason.DEFINED,
    UndefinedReason.NO_ROWS,
    UndefinedReason.NO_LABELS,
    UndefinedReason.NO_REFERENCE,
)
"""Reasons that the number of unlabelled rows implies, or that hold for all of a run."""


@dataclass(slots=True)
class RunSummary:
    """Counts of one log's run, updated as it goes."""

    rows: float = 0.0
    labelled: float = 0.0
    has_labels: bool = False
    periods: int = 0
    models: list[str] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)
    awaiting_labels: int = 0
    """Periods that have ended and whose labels are still to come."""
    unfinished: int = 0
    """Periods that have not ended."""
    first: np.datetime64 | None = None
    newest: np.datetime64 | None = None
    undefined: Counter[tuple[str, UndefinedReason]] = field(default_factory=Counter)
    """Periods in which a metric is undefined, by metric and reason."""

    def add_batch(self, segments: NDArray[np.object_], metrics: Mapping[str, MetricValues], rows: Floats) -> None:
        """Count a batch of cells; those of the segment `all` count.

        Args:
            segments: Segment of each cell.
            metrics: Metrics of the cells, by name.
            rows: Rows of each cell.
        """
        overall = segments == ALL
        self.rows += float(rows[overall].sum())
        for name, metric in metrics.items():
            for code, periods in zip(*np.unique(metric.undefined_reason[overall], return_counts=True), strict=True):
                if (reason := UndefinedReason(int(code))) not in EXPECTED_REASONS:
                    self.undefined[name, reason] += int(periods)
        coverage = metrics.get("label_coverage")
        if coverage is not None:
            self.has_labels = True
            self.labelled += float(np.nansum(coverage.value[overall] * rows[overall]))

    def add_model(self, history: ComputedHistory) -> None:
        """Count all periods of a model."""
        self.models.append(history.model)
        self.metrics |= {name for name in history.columns if not name.endswith(("_count", "_low", "_high"))}
        overall = history.select(history.segments == ALL)
        if not len(overall):
            return
        self.periods += len(overall)
        self.unfinished += int(overall.provisional.sum())
        self.awaiting_labels += int((overall.incomplete & ~overall.provisional).sum())
        first, newest = overall.times.min(), overall.times.max()
        self.first = first if self.first is None else min(self.first, first)
        self.newest = newest if self.newest is None else max(self.newest, newest)

    @property
    def newest_period(self) -> datetime | None:
        """Start of the newest period; None where there is none."""
        return None if self.newest is None else to_datetime(self.newest)

    def lines(self) -> Iterator[str]:
        """Yield the summary, a sanitized sentence a line."""
        if self.first is None or self.newest is None:
            yield "no rows with a time and a prediction were found: nothing was computed"
            return
        models = sanitize(self.models[0], 60) if len(self.models) == 1 else pluralize(len(self.models), "model")
        span = f"{format_period(to_datetime(self.first))} to {format_period(to_datetime(self.newest))}"
        yield f"{pluralize(self.periods, 'period')} of {models}, {span}, from {self.rows:,.0f} rows"
        missing = self.rows - self.labelled
        if self.has_labels and missing >= 0.5:
            percent = _percent(missing / self.rows)
            yield f"{missing:,.0f} of {self.rows:,.0f} rows ({percent}) have no label that can be used"
        if self.awaiting_labels:
            periods = pluralize(self.awaiting_labels, "period")
            yield f"labels are still to come for {periods}: what rests on them is provisional"
        if self.unfinished:
            yield f"{pluralize(self.unfinished, 'period')} not over yet: provisional"
        if any(name.startswith("estimated_") for name in self.metrics):
            yield f"each estimated metric is {CAVEAT}"
        yield from self._undefined_lines()

    def _undefined_lines(self) -> Iterator[str]:
        names: dict[UndefinedReason, list[str]] = {}
        for name, reason in self.undefined:
            names.setdefault(reason, []).append(name)
        for reason, metrics in list(names.items())[:MAX_NAMED]:
            periods = max(self.undefined[name, reason] for name in metrics)
            listed = ", ".join(metrics[:MAX_NAMED]) + (" and others" if len(metrics) > MAX_NAMED else "")
            yield f"undefined in {pluralize(periods, 'period')}: {listed}: {reason.text}"


def _percent(proportion: float) -> str:
    """Return whole percent, or with two digits that are not 0.

    >>> _percent(0.25), _percent(0.00028)
    ('25 %', '0.028 %')
    """
    return f"{100 * proportion:.0f} %" if proportion >= 0.1 else f"{100 * proportion:.2g} %"


def describe_commit(result: CommitResult, folder: Path) -> str:
    """Return what was written where."""
    path = sanitize(folder)
    if not result.models and not result.distributions:
        return f"nothing has changed: nothing was written in {path}"
    evidence = (
        f", evidence of {result.distributions} in {sanitize(folder / 'evidence')}" if result.distributions else ""
    )
    return f"wrote the periods of {pluralize(result.models, 'model')} in {path}{evidence}"
