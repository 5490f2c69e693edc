"""The summary of one log's run, in lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.estimated import CAVEAT
from modeltop.core.metrics.registry import LABEL_COVERAGE
from modeltop.core.series import Times, to_datetime
from modeltop.core.text import format_day, format_percent, pluralize, sanitize
from modeltop.history.store.computed import CommitResult
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.predictions.completeness import ALL
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason
from modeltop.predictions.overlap import KEPT, Note

SHOWN_BOUND = 0.002
"""A metric that bins may have moved by more than this is named in the summary."""
INTERVAL_IS_BOUND = ("expected_calibration_error",)
"""Metrics whose low and high are the bound itself."""
MAX_NAMED = 8
"""Metrics, or reasons, that are listed."""
EXPECTED_REASONS = (
    UndefinedReason.DEFINED,
    UndefinedReason.NO_ROWS,
    UndefinedReason.NO_LABELS,
    UndefinedReason.NO_REFERENCE,
)
"""Reasons that the number of unlabeled rows implies, or that hold for all of a run."""


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
    future_periods: int = 0
    """Periods that are left out because they are in the future."""
    future_rows: float = 0.0
    first_future: np.datetime64 | None = None
    newest_future: np.datetime64 | None = None
    """A period that is in the future, with those before it: then the clock must be wrong, and none is left out."""
    first: np.datetime64 | None = None
    newest: np.datetime64 | None = None
    undefined: Counter[tuple[str, UndefinedReason]] = field(default_factory=Counter)
    """Periods in which a metric is undefined, by metric and reason."""
    stored: dict[Note, list[Times]] = field(default_factory=dict)
    """Stored periods of each model, by what was done with them."""
    bounds: dict[str, float] = field(default_factory=dict)
    """Largest bound of each metric that bins of the score leave inexact: intervals do not include it."""

    def add_batch(self, segments: NDArray[np.object_], metrics: Mapping[str, MetricValues]) -> None:
        """Count the undefined metrics of a batch of cells, by the segment of each; those of the segment `all` count."""
        overall = segments == ALL
        for name, metric in metrics.items():
            for code, periods in zip(*np.unique(metric.undefined_reason[overall], return_counts=True), strict=True):
                if (reason := UndefinedReason(int(code))) not in EXPECTED_REASONS:
                    self.undefined[name, reason] += int(periods)
            if metric.bound is not None and name not in INTERVAL_IS_BOUND and overall.any():
                self.bounds[name] = float(np.fmax.reduce(metric.bound[overall], initial=self.bounds.get(name, 0.0)))

    def add_model(self, history: ComputedHistory) -> None:
        """Count all periods of a model that are not in the future."""
        self.models.append(history.model)
        self.metrics |= {name for name in history.columns if not name.endswith(("_count", "_low", "_high"))}
        overall = history.select(history.segments == ALL)
        if not len(overall):
            return
        self.periods += len(overall)
        self.rows += float(overall.rows.sum())
        if LABEL_COVERAGE in overall.columns:
            self.has_labels = True
            self.labelled += float(np.nansum(overall.columns[LABEL_COVERAGE] * overall.rows))
        self.unfinished += int(overall.provisional.sum())
        self.awaiting_labels += int((overall.incomplete & ~overall.provisional).sum())
        first, newest = overall.times.min(), overall.times.max()
        self.first = first if self.first is None else min(self.first, first)
        self.newest = newest if self.newest is None else max(self.newest, newest)

    def add_future(self, history: ComputedHistory) -> None:
        """Count periods of a model that are left out."""
        overall = history.select(history.segments == ALL)
        self.future_periods += len(overall)
        self.future_rows += float(overall.rows.sum())
        first = history.times.min()
        self.first_future = first if self.first_future is None else min(self.first_future, first)

    @property
    def kept_periods(self) -> int:
        """Number of stored periods of which the log has less."""
        return sum(map(len, self.stored.get(KEPT, ())))

    @property
    def newest_period(self) -> datetime | None:
        """Start of the newest period; None if there is none."""
        return None if self.newest is None else to_datetime(self.newest)

    def lines(self) -> Iterator[str]:
        """Yield the summary, a sanitized sentence a line."""
        if self.first_future is not None:
            rows, periods = pluralize(round(self.future_rows), "row"), pluralize(self.future_periods, "period")
            future = format_day(to_datetime(self.first_future))
            yield f"{rows} of {periods} from {future} on are in the future: skipped; check their dates"
        if self.newest_future is not None:
            future = format_day(to_datetime(self.newest_future))
            yield f"periods up to {future} are in the future: set the clock, then compute again"
        if self.first is None or self.newest is None:
            yield "no rows with a time and a prediction were found: nothing was computed"
            return
        models = sanitize(self.models[0], 60) if len(self.models) == 1 else pluralize(len(self.models), "model")
        first, last = to_datetime(self.first), to_datetime(self.newest)
        span = f"{format_day(first, last)} to {format_day(last)}"
        yield f"{pluralize(self.periods, 'period')} of {models}, {span}, from {self.rows:,.0f} rows"
        for (verb, reason), times in self.stored.items():
            yield f"{verb} {_describe_periods(times)} {reason}"
        missing = self.rows - self.labelled
        if self.has_labels and missing >= 0.5:
            percent = format_percent(missing / self.rows)
            yield f"{missing:,.0f} of {self.rows:,.0f} rows ({percent}) have no label that can be used"
        if self.awaiting_labels:
            periods = pluralize(self.awaiting_labels, "period")
            yield f"labels are pending for {periods}: metrics that need them are provisional"
        if self.unfinished:
            yield f"{pluralize(self.unfinished, 'period')} not over yet: provisional"
        if any(name.startswith("estimated_") for name in self.metrics):
            yield f"each estimated metric is {CAVEAT}"
        if inexact := {name: bound for name, bound in self.bounds.items() if bound > SHOWN_BOUND}:
            listed = ", ".join(f"{name} ±{bound:.3f}" for name, bound in inexact.items())
            yield f"computed from bins of the score, at most so far from the exact value: {listed}"
        yield from self._undefined_lines()

    def _undefined_lines(self) -> Iterator[str]:
        names: dict[UndefinedReason, list[str]] = {}
        for name, reason in self.undefined:
            names.setdefault(reason, []).append(name)
        for reason, metrics in list(names.items())[:MAX_NAMED]:
            periods = max(self.undefined[name, reason] for name in metrics)
            listed = ", ".join(metrics[:MAX_NAMED]) + (" and others" if len(metrics) > MAX_NAMED else "")
            yield f"undefined in {pluralize(periods, 'period')}: {listed}: {reason.text}"


def _describe_periods(times: Sequence[Times]) -> str:
    first, last = (to_datetime(bound) for bound in (min(map(np.min, times)), max(map(np.max, times))))
    models = f" of {len(times)} models" if len(times) > 1 else ""
    span = format_day(first) if first == last else f"{format_day(first, last)} to {format_day(last)}"
    return f"{pluralize(sum(map(len, times)), 'period')}{models}, {span},"


def describe_commit(result: CommitResult, folder: Path, kept: int = 0) -> str:
    """Return a sentence on how many periods were written, and where; the last of a run, which a watcher logs.

    Args:
        result: What was written.
        folder: The store.
        kept: Stored periods of which the run has less.
    """
    path, rest = sanitize(folder), f"; kept {pluralize(kept, 'period')} as stored" if kept else ""
    if not result.models and not result.distributions:
        return f"nothing has changed: nothing was written in {path}{rest}"
    parts = [f"the periods of {pluralize(result.models, 'model')} in {path}"] if result.models else []
    if result.distributions:
        parts.append(f"evidence of {result.distributions} in {sanitize(folder / 'evidence')}")
    return f"wrote {', '.join(parts)}{rest}"
