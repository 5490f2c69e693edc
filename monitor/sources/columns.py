"""Cells, column by column: dates, names, numbers and flags, with what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from monitor.metrics.base import Catalog, Metric
from monitor.records import STAMP
from monitor.sources import dates
from monitor.sources.base import Block
from monitor.sources.cells import COUNT, bounds_message, flag, number, out_of_bounds, plain_numbers
from monitor.sources.complaints import Complaints
from monitor.sources.header import Column, Layout
from monitor.sources.table import Part, Table, blocks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Flags, Floats, Times

REMEMBERED_DATES = 100_000
"""Dates kept parsed between two pieces; a fleet repeats the same few thousand."""

ANYTHING = Metric("")
"""No bounds."""

Row = Sequence[str]
Name = tuple[str, str, str | None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """Reads rows that have as many cells as the header."""

    layout: Layout
    complaints: Complaints
    catalog: Catalog
    zone: tzinfo = UTC
    known: dict[str, int | str] = field(default_factory=dict)
    """Dates met before, in microseconds, or why they are none."""

    def blocks(self, model: str, places: Sequence[int], rows: Sequence[Row]) -> list[Block]:
        """The blocks of `rows`.

        Args:
            model: The model's name where there is no column for it.
            places: The line of each row.
            rows: Not empty.

        Raises:
            SourceError: If they fall into too many groups.
        """
        kept, stamps = self.kept(places, rows)
        if len(kept) < len(rows):
            places, rows = [places[index] for index in kept], [rows[index] for index in kept]
        if not rows:
            return []
        times: Times = np.array(stamps, dtype=np.int64).view(STAMP)
        columns = list(zip(*rows, strict=True))
        names, groups = self._groups(model, columns, len(rows))
        numbers = self._all_numbers(columns, places, names, groups)
        return blocks_of(Table(times, names, groups, numbers, self._flags(columns, places)))

    def kept(self, places: Sequence[int], rows: Sequence[Row]) -> tuple[list[int], list[int]]:
        """The indices of the rows that say when and of what, and their dates in microseconds."""
        kept, stamps = [], []
        for index, stamp in enumerate(self._stamps([row[self.layout.date] for row in rows])):
            fault = self._fault(rows[index], stamp)
            if fault is not None:
                self.complaints.bad(places[index], fault, self.layout.date)
            elif not isinstance(stamp, str):
                kept.append(index)
                stamps.append(stamp)
        return kept, stamps

    def _stamps(self, texts: Sequence[str]) -> list[int | str]:
        """Per date its microseconds, or why it is none."""
        known = self.known
        if len(known) > REMEMBERED_DATES:
            known.clear()
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(fresh, dates.each(fresh, self.zone), strict=True))
        return [known[text] for text in texts]

    def _fault(self, row: Row, stamp: int | str) -> str | None:
        """Why the whole row is lost, or None."""
        if isinstance(stamp, str):
            return stamp
        for role in (self.layout.model, self.layout.metric):
            if role is not None and not row[role]:
                name = "model" if role == self.layout.model else "metric"
                return f"the row names no {name}: fill the cell"
        return None

    def _groups(self, model: str, columns: Sequence[Row], rows: int) -> tuple[list[Name], NDArray[np.intp] | None]:
        """Model, segment and, in the long shape, metric: the distinct ones and per row which."""
        layout = self.layout
        if layout.model is None and layout.segment is None and layout.metric is None:
            return [(model, "all", None)], None
        models = [model] * rows if layout.model is None else columns[layout.model]
        segments = ["all"] * rows if layout.segment is None else [cell or "all" for cell in columns[layout.segment]]
        metrics: Sequence[str | None] = [None] * rows
        if layout.metric is not None:
            metrics = _canonical(columns[layout.metric], self.catalog)
        index: dict[Name, int] = {}
        groups = [index.setdefault(name, len(index)) for name in zip(models, segments, metrics, strict=True)]
        return list(index), np.array(groups, dtype=np.intp)

    def _all_numbers(
        self, columns: Sequence[Row], places: Sequence[int], names: Sequence[Name], groups: NDArray[np.intp] | None
    ) -> dict[Part, Floats]:
        found: dict[Part, Floats] = {}
        long = [] if self.layout.metric is None else [self.catalog.of(metric or "") for _, _, metric in names]
        for column in self.layout.numbers:
            values = self.numbers(column, columns[column.index], places)
            bound(column, values, places, self.complaints, metrics=limits(column, long, self.catalog), groups=groups)
            part = (column.metric, column.part)
            found[part] = values if part not in found else np.where(np.isnan(values), found[part], values)
        return found

    def numbers(self, column: Column, cells: Row, places: Sequence[int]) -> Floats:
        """The numbers of one column; NaN where there is none."""
        values = plain_numbers(cells)
        if values is None:
            comma = self.layout.delimiter == ";" and column.part not in ("rows", "support")
            read = self._each(column, cells, places, lambda cell: number(cell, comma=comma))
            values = np.array([np.nan if value is None else value for value in read], dtype=np.float64)
        self.complaints.good(column.index, int(np.count_nonzero(~np.isnan(values))))
        return values

    def _each(self, column: Column, cells: Row, places: Sequence[int], read: Callable[[str], T]) -> list[T | None]:
        """Every cell by itself; None, and a complaint, where `read` raises."""
        found: list[T | None] = []
        for cell, place in zip(cells, places, strict=True):
            try:
                found.append(read(cell))
            except ValueError as error:
                found.append(None)
                self.complaints.bad(place, f"column `{column.name[:40]}`: {error}", column.index)
        return found

    def _flags(self, columns: Sequence[Row], places: Sequence[int]) -> Flags | None:
        """The provisional column; a cell that says nothing is not provisional."""
        index = self.layout.provisional
        if index is None:
            return None
        column = Column(index, "provisional", "", "provisional")
        return np.array([bool(value) for value in self._each(column, columns[index], places, flag)], dtype=np.bool_)


def limits(column: Column, long: Sequence[Metric], catalog: Catalog) -> Sequence[Metric]:
    """The metrics whose bounds hold in a column: one, or in the long shape one per group."""
    if column.part in ("low", "high"):
        return [ANYTHING]  # an interval may reach beyond what the value itself can be
    if column.part == "value":
        return [catalog.of(column.metric)] if column.metric else long
    return [COUNT]


def bound(
    column: Column,
    values: Floats,
    places: Sequence[int] | NDArray[np.intp],
    complaints: Complaints,
    *,
    metrics: Sequence[Metric],
    groups: NDArray[np.integer[Any]] | None,
) -> None:
    """Empties the cells whose number cannot be."""
    wrong = _wrong(values, metrics, groups)

    def said(row: int) -> tuple[int, str]:
        metric = metrics[0 if len(metrics) == 1 or groups is None else int(groups[row])]
        message = f"column `{column.name[:40]}`: {bounds_message(float(values[row]), metric)}"
        return int(places[row]), message

    if wrong.any():
        complaints.bad_each(np.flatnonzero(wrong).tolist(), said, column.index)
        values[wrong] = np.nan


def _canonical(cells: Row, catalog: Catalog) -> list[str]:
    names = {cell: catalog.canonical(cell) for cell in dict.fromkeys(cells)}
    return [names[cell] for cell in cells]


def _wrong(values: Floats, metrics: Sequence[Metric], groups: NDArray[np.integer[Any]] | None) -> Flags:
    if len(metrics) == 1 or groups is None:
        return out_of_bounds(values, metrics[0])
    lows = np.array([-np.inf if metric.bounds[0] is None else metric.bounds[0] for metric in metrics])[groups]
    highs = np.array([np.inf if metric.bounds[1] is None else metric.bounds[1] for metric in metrics])[groups]
    with np.errstate(invalid="ignore"):  # comparing NaN
        wrong: Flags = ((values < lows) | (values > highs)) & np.isfinite(values)
    return wrong
