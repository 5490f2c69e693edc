"""One log's way to the store: a batch of cells is measured, a model is gathered, its periods are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from monitor.compute.told import Told
from monitor.measures import multiclass
from monitor.measures.confusion import Cost
from monitor.measures.measure import measure
from monitor.points.finish import ALL, Periods, finished, periods_of
from monitor.points.gather import Draft, Gatherer, by_model, columns_of
from monitor.store.computed import Generation, read
from monitor.tallies.base import Cells, Tally
from monitor.tallies.binary import BinaryTally
from monitor.tallies.multiclass import MulticlassTally
from monitor.tallies.regression import RegressionTally

if TYPE_CHECKING:
    from monitor.measures.base import Measured
    from monitor.records import Floats, Times

Ends = Callable[["Times", "Floats"], "Times"]
CLASS = "class"


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
    told: Told = field(default_factory=Told)
    periods: dict[str, Periods] = field(default_factory=dict)
    """Of the models that are done."""

    def classified(self, batches: Iterable[Cells[Tally]], extra: Callable[[Cells[Tally]], dict[str, Measured]]) -> None:
        """Measure cells and keep what comes of them.

        Args:
            batches: Ordered by model.
            extra: Further measurements of a batch, such as estimates.
        """
        gatherer = Gatherer()
        for cells in batches:
            found = measure(cells.tally, cost=self.cost) | extra(cells)
            rows = rows_of(cells.tally)
            self.told.measured(cells.segment, found, rows)
            parts = list(by_model(cells.model, cells.period, cells.segment, rows, columns_of(found)))
            order = {part.model: place for place, part in enumerate(parts)}
            if self.per_class and isinstance(cells.tally, MulticlassTally):
                parts += _classes(cells, cells.tally)
            for part in sorted(parts, key=lambda part: order[part.model]):
                self._keep(gatherer.add(part))
        self._keep(gatherer.rest())

    def _keep(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            before = read(self.run.folder, draft.model)
            known = periods_of(draft, self.ends, now=self.now, delay=self.delay, before=before)
            self.periods[draft.model] = known
            sheet = finished(draft, known)
            self.run.put(sheet, self.cuts)
            self.told.finished(sheet, known)

    def beside(self, draft: Draft, cuts: tuple[str, ...]) -> None:
        """Keep further rows of a model that is done, such as those of its features."""
        known = self.periods.get(draft.model)
        if known is not None:
            sheet = finished(draft, known)
            self.run.put(sheet, cuts)
            self.told.metrics |= {name for name in sheet.columns if "_" not in name}


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


def _classes(cells: Cells[Tally], tally: MulticlassTally) -> Iterator[Draft]:
    """Each class of each whole period as a segment."""
    at = np.flatnonzero(cells.segment == ALL)
    rows = rows_of(tally)[at]
    for name, found in multiclass.classes(tally.take(at)).items():
        segment = np.full(len(at), f"{CLASS}={name}", dtype=object)
        yield from by_model(cells.model[at], cells.period[at], segment, rows, columns_of(found))


def nothing(_: Cells[Tally]) -> Mapping[str, Measured]:
    """No further measurements."""
    return {}
