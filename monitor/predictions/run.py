"""One log's way to the store: a batch of cells is measured, a model is gathered, its periods are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.history.store.computed import StagedRun
from modeltop.predictions.aggregates.base import Aggregate, CellBatch
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.collect import (
    ALL,
    PeriodBuffer,
    PeriodCollector,
    PeriodFlags,
    period_flags,
    split_by_model,
    to_columns,
    to_computed_history,
)
from modeltop.predictions.evidence_buffer import DistributionBuffer
from modeltop.predictions.metrics import drift, multiclass
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.metrics.compute import compute_metrics
from modeltop.predictions.metrics.drift import PREDICTION, SCORE
from modeltop.predictions.reference_stats import ReferenceStats
from modeltop.predictions.summary import RunSummary

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times
    from modeltop.predictions.metrics.base import MetricValues

PeriodEnds = Callable[["Times", "Floats"], "Times"]
CLASS, FEATURE = "class", "feature"
MAX_CELLS = 256
"""Cells that are measured at a time."""
OWN_COLUMNS = (f"{FEATURE}={SCORE}", f"{FEATURE}={PREDICTION}")
"""Segments of columns whose change the tallies themselves tell."""


@dataclass(slots=True)
class ModelRun:
    """What one log's run has in hand: the points of one model, and what it has told so far."""

    staged: StagedRun
    ends: PeriodEnds
    now: np.datetime64
    delay: np.timedelta64 | None = None
    cost: Cost | None = None
    per_class: bool = False
    segment_columns: tuple[str, ...] = (ALL,)
    """What the log is cut by: `all`, and the left sides of its segments."""
    reference: ReferenceStats = field(default_factory=ReferenceStats)
    summary: RunSummary = field(default_factory=RunSummary)
    periods: dict[str, PeriodFlags] = field(default_factory=dict)
    """Of the models that are done."""
    distributions: DistributionBuffer = field(default_factory=DistributionBuffer)

    def add_batches(self, batches: Iterable[CellBatch[Aggregate]]) -> None:
        """Measure cells and keep what comes of them; they come ordered by model."""
        gatherer = PeriodCollector()
        for cells in _split_batches(batches):
            found = compute_metrics(cells.aggregate, cost=self.cost) | self.reference.compute_estimates(cells)
            rows = row_counts(cells.aggregate)
            self.summary.add_batch(cells.segment, found, rows)
            parts = list(split_by_model(cells.model, cells.period, cells.segment, rows, to_columns(found)))
            whole = _overall(cells)
            for part in parts:
                mine = _of_model(whole, part.model)
                for one in (part, *self._extra_segments(mine)):
                    self._save(gatherer.add(one))
                self.distributions.add(mine)  # only now is the model before it finished
        self._save(gatherer.flush())

    def _extra_segments(self, cells: CellBatch[Aggregate]) -> Iterator[PeriodBuffer]:
        """Segments that are not cuts of the rows: classes, and the model's own score and prediction."""
        if not len(cells):
            return
        if self.per_class and isinstance(cells.aggregate, MulticlassCounts):
            for name, found in multiclass.compute_per_class(cells.aggregate).items():
                yield to_buffer(cells, f"{CLASS}={name}", found)
        for column in self.reference.drift_columns(str(cells.model[0]), cells.aggregate):
            yield to_buffer(cells, f"{FEATURE}={column.reference.name}", drift.compute_drift(column))

    def _save(self, drafts: Iterable[PeriodBuffer]) -> None:
        for draft in drafts:
            before = self.staged.previous(draft.model)
            known = period_flags(draft, self.ends, now=self.now, delay=self.delay, before=before)
            self.periods[draft.model] = known
            sheet = to_computed_history(draft, known)
            self.staged.stage(sheet, self.segment_columns)
            self.summary.add_model(sheet, known)
            self.distributions.finish_model(sheet, self.reference)

    def add_rows(self, draft: PeriodBuffer, cuts: tuple[str, ...]) -> None:
        """Keep further rows of a model that is done, such as those of its features."""
        known = self.periods.get(draft.model)
        if known is not None:
            self.staged.stage(to_computed_history(draft, known), cuts, OWN_COLUMNS)


def row_counts(tally: Aggregate) -> Floats:
    """Rows of each cell, labelled or not."""
    match tally:
        case BinaryCounts():
            found = tally.count.sum(axis=(1, 2, 3))
        case MulticlassCounts():
            found = tally.confusion.sum(axis=(1, 2))
        case RegressionSums():
            found = tally.count + tally.unlabelled
        case _:
            raise TypeError(f"a {type(tally).__name__} has no rows of its own")
    return np.asarray(found, dtype=np.float64)


def to_buffer(cells: CellBatch[Aggregate], segment: str, found: Mapping[str, MetricValues]) -> PeriodBuffer:
    """Measurements of one model's whole periods, as those of a segment."""
    segments = np.full(len(cells), segment, dtype=object)
    return PeriodBuffer(str(cells.model[0]), cells.period, segments, row_counts(cells.aggregate), to_columns(found))


def _split_batches(batches: Iterable[CellBatch[Aggregate]]) -> Iterator[CellBatch[Aggregate]]:
    """The same cells, fewer at a time: measuring takes several times the memory of what is measured."""
    for cells in batches:
        for begin in range(0, len(cells), MAX_CELLS):
            yield _select(cells, slice(begin, begin + MAX_CELLS))


def _overall(cells: CellBatch[Aggregate]) -> CellBatch[Aggregate]:
    whole = cells.segment == ALL
    return cells if whole.all() else _select(cells, np.flatnonzero(whole))


def _of_model(cells: CellBatch[Aggregate], model: str) -> CellBatch[Aggregate]:
    at = np.flatnonzero(cells.model == model)
    return _select(cells, slice(at[0], at[-1] + 1) if len(at) else slice(0, 0))


def _select(cells: CellBatch[Aggregate], at: np.ndarray | slice) -> CellBatch[Aggregate]:
    return CellBatch(cells.model[at], cells.period[at], cells.segment[at], cells.aggregate.take(at))
