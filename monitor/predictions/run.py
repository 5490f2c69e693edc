"""One log's way to the store: a batch of cells is measured, a model is gathered, its periods are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.history.store.computed import Generation
from modeltop.predictions.aggregates.base import Cells, Tally
from modeltop.predictions.aggregates.classification import BinaryTally, MulticlassTally
from modeltop.predictions.aggregates.regression import RegressionTally
from modeltop.predictions.collect import ALL, Draft, Gatherer, Periods, by_model, columns_of, finished, periods_of
from modeltop.predictions.evidence_buffer import Pages
from modeltop.predictions.metrics import drift, multiclass
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.metrics.compute import compute_metrics
from modeltop.predictions.metrics.drift import PREDICTION, SCORE
from modeltop.predictions.reference_stats import References
from modeltop.predictions.summary import Told

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times
    from modeltop.predictions.metrics.base import Measured

Ends = Callable[["Times", "Floats"], "Times"]
CLASS, FEATURE = "class", "feature"
CELLS = 256
"""Cells that are measured at a time."""
OWN_COLUMNS = (f"{FEATURE}={SCORE}", f"{FEATURE}={PREDICTION}")
"""Segments of columns whose change the tallies themselves tell."""


@dataclass(slots=True)
class Work:
    """What one log's run has in hand: the points of one model, and what it has told so far."""

    run: Generation
    ends: Ends
    now: np.datetime64
    delay: np.timedelta64 | None = None
    cost: Cost | None = None
    per_class: bool = False
    cuts: tuple[str, ...] = (ALL,)
    """What the log is cut by: `all`, and the left sides of its segments."""
    references: References = field(default_factory=References)
    told: Told = field(default_factory=Told)
    periods: dict[str, Periods] = field(default_factory=dict)
    """Of the models that are done."""
    pages: Pages = field(default_factory=Pages)

    def classified(self, batches: Iterable[Cells[Tally]]) -> None:
        """Measure cells and keep what comes of them; they come ordered by model."""
        gatherer = Gatherer()
        for cells in _few(batches):
            found = compute_metrics(cells.tally, cost=self.cost) | self.references.estimates(cells)
            rows = rows_of(cells.tally)
            self.told.measured(cells.segment, found, rows)
            parts = list(by_model(cells.model, cells.period, cells.segment, rows, columns_of(found)))
            whole = _whole(cells)
            for part in parts:
                mine = _of(whole, part.model)
                for one in (part, *self._besides(mine)):
                    self._keep(gatherer.add(one))
                self.pages.add(mine)  # only now is the model before it finished
        self._keep(gatherer.rest())

    def _besides(self, cells: Cells[Tally]) -> Iterator[Draft]:
        """Segments that are not cuts of the rows: classes, and the model's own score and prediction."""
        if not len(cells):
            return
        if self.per_class and isinstance(cells.tally, MulticlassTally):
            for name, found in multiclass.classes(cells.tally).items():
                yield draft_of(cells, f"{CLASS}={name}", found)
        for column in self.references.columns(str(cells.model[0]), cells.tally):
            yield draft_of(cells, f"{FEATURE}={column.reference.name}", drift.compute_drift(column))

    def _keep(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            before = self.run.before(draft.model)
            known = periods_of(draft, self.ends, now=self.now, delay=self.delay, before=before)
            self.periods[draft.model] = known
            sheet = finished(draft, known)
            self.run.put(sheet, self.cuts)
            self.told.finished(sheet, known)
            self.pages.finish(sheet, self.references)

    def beside(self, draft: Draft, cuts: tuple[str, ...]) -> None:
        """Keep further rows of a model that is done, such as those of its features."""
        known = self.periods.get(draft.model)
        if known is not None:
            self.run.put(finished(draft, known), cuts, OWN_COLUMNS)


def rows_of(tally: Tally) -> Floats:
    """Rows of each cell, labelled or not."""
    match tally:
        case BinaryTally():
            found = tally.count.sum(axis=(1, 2, 3))
        case MulticlassTally():
            found = tally.confusion.sum(axis=(1, 2))
        case RegressionTally():
            found = tally.count + tally.unlabelled
        case _:
            raise TypeError(f"a {type(tally).__name__} has no rows of its own")
    return np.asarray(found, dtype=np.float64)


def draft_of(cells: Cells[Tally], segment: str, found: Mapping[str, Measured]) -> Draft:
    """Measurements of one model's whole periods, as those of a segment."""
    segments = np.full(len(cells), segment, dtype=object)
    return Draft(str(cells.model[0]), cells.period, segments, rows_of(cells.tally), columns_of(found))


def _few(batches: Iterable[Cells[Tally]]) -> Iterator[Cells[Tally]]:
    """The same cells, fewer at a time: measuring takes several times the memory of what is measured."""
    for cells in batches:
        for begin in range(0, len(cells), CELLS):
            yield _chosen(cells, slice(begin, begin + CELLS))


def _whole(cells: Cells[Tally]) -> Cells[Tally]:
    whole = cells.segment == ALL
    return cells if whole.all() else _chosen(cells, np.flatnonzero(whole))


def _of(cells: Cells[Tally], model: str) -> Cells[Tally]:
    at = np.flatnonzero(cells.model == model)
    return _chosen(cells, slice(at[0], at[-1] + 1) if len(at) else slice(0, 0))


def _chosen(cells: Cells[Tally], at: np.ndarray | slice) -> Cells[Tally]:
    return Cells(cells.model[at], cells.period[at], cells.segment[at], cells.tally.take(at))
