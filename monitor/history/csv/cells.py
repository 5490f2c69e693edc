"""Cells that are numbers or flags."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import DATETIME_DTYPE
from modeltop.core.text import format_exact
from modeltop.history.csv import dates
from modeltop.history.csv.blocks import ColumnRole, ColumnTable, to_blocks
from modeltop.history.csv.header import CsvSchema, NumberColumn
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.merge import Block

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats, Times


NULL_VALUES = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-"})
"""Cells of a number column that say there is no value, in lower case."""
TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"", "false", "f", "no", "n", "0", "0.0"})

COUNT = Metric("count", bounds=(0, None))
"""What a number of rows or cases can be."""

_NUMBER = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse_number(cell: str, *, comma: bool = False) -> float:
    """The number in a cell; NaN where it says that there is none.

    Args:
        cell: As written.
        comma: A comma stands for the decimal point, as where a semicolon stands between the cells.

    Raises:
        ValueError: With the reason and the remedy.

    >>> parse_number("0.95"), parse_number("0,95", comma=True), parse_number(" 1e-3 ")
    (0.95, 0.95, 0.001)
    """
    text = cell.strip(" \t")
    if _NUMBER.fullmatch(text):
        return float(text)
    if comma and _COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if text.lower() in NULL_VALUES:
        return math.nan
    raise ValueError(f"`{cell[:40]}` is no number: {_remedy(text)}")


def _remedy(text: str) -> str:
    if text.endswith("%"):
        return "write a fraction, such as 0.95 for 95%"
    if "," in text:
        return "write a decimal point and no thousands separators"
    return "write one such as 0.95, or leave the cell empty"


def parse_plain_numbers(cells: Sequence[str]) -> Floats | None:
    """All cells at once, None if one of them needs a closer look."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        return None  # float() takes 1_000 and digits of other scripts, pandas does not
    try:
        return np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def parse_flag(cell: str) -> bool:
    """Whether a cell says yes. Raises ValueError with the reason and the remedy."""
    text = cell.strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(f"`{cell[:40]}` is neither true nor false: write one of them")


def out_of_bounds(values: Floats, metric: Metric) -> Flags:
    """True where a value cannot be; infinite values are bounded only where the metric is `COUNT`."""
    low, high = metric.bounds
    wrong: Flags = np.isinf(values) if metric is COUNT else np.zeros(len(values), dtype=np.bool_)
    with np.errstate(invalid="ignore"):  # comparing NaN
        if low is not None:
            wrong |= (values < low) & np.isfinite(values)
        if high is not None:
            wrong |= (values > high) & np.isfinite(values)
    return wrong


def bounds_message(value: float, metric: Metric) -> str:
    """Why a number is refused, and what to write."""
    low, high = metric.bounds
    if metric is COUNT:
        return f"{format_exact(value)} is no count: write a whole number, 0 or more"
    if low is not None and high is not None:
        limits = f"between {format_exact(low)} and {format_exact(high)}"
    else:
        limits = f"{format_exact(low)} or more" if low is not None else f"{format_exact(high or 0.0)} or less"
    if high == 1 and 1 < value <= 100:
        return f"{format_exact(value)} is not {limits}: write a fraction, such as {format_exact(value / 100)}"
    return f"{format_exact(value)} is not {limits}: correct the cell, or rename the column if it is another metric"


DATE_CACHE_SIZE = 100_000
"""Dates kept parsed between two pieces; a fleet repeats the same few thousand."""

UNBOUNDED = Metric("")
"""No bounds."""

Row = Sequence[str]
Name = tuple[str, str, str | None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """Reads rows that have as many cells as the header."""

    schema: CsvSchema
    problems: ProblemCollector
    catalog: MetricRegistry
    zone: tzinfo = UTC
    date_cache: dict[str, int | str] = field(default_factory=dict)
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
        kept, stamps = self.valid_rows(places, rows)
        if len(kept) < len(rows):
            places, rows = [places[index] for index in kept], [rows[index] for index in kept]
        if not rows:
            return []
        times: Times = np.array(stamps, dtype=np.int64).view(DATETIME_DTYPE)
        columns = list(zip(*rows, strict=True))
        names, groups = self._groups(model, columns, len(rows))
        numbers = self._all_numbers(columns, places, names, groups)
        return to_blocks(ColumnTable(times, names, groups, numbers, self._flags(columns, places)))

    def valid_rows(self, places: Sequence[int], rows: Sequence[Row]) -> tuple[list[int], list[int]]:
        """The indices of the rows that say when and of what, and their dates in microseconds."""
        kept, stamps = [], []
        for index, stamp in enumerate(self._stamps([row[self.schema.date] for row in rows])):
            fault = self._fault(rows[index], stamp)
            if fault is not None:
                self.problems.row_error(places[index], fault, self.schema.date)
            elif not isinstance(stamp, str):
                kept.append(index)
                stamps.append(stamp)
        return kept, stamps

    def _stamps(self, texts: Sequence[str]) -> list[int | str]:
        """Per date its microseconds, or why it is none."""
        known = self.date_cache
        if len(known) > DATE_CACHE_SIZE:
            known.clear()
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(fresh, dates.parse_each_date(fresh, self.zone), strict=True))
        return [known[text] for text in texts]

    def _fault(self, row: Row, stamp: int | str) -> str | None:
        """Why the whole row is lost, or None."""
        if isinstance(stamp, str):
            return stamp
        for role in (self.schema.model, self.schema.metric):
            if role is not None and not row[role]:
                name = "model" if role == self.schema.model else "metric"
                return f"the row names no {name}: fill the cell"
        return None

    def _groups(self, model: str, columns: Sequence[Row], rows: int) -> tuple[list[Name], NDArray[np.intp] | None]:
        """Model, segment and, in the long shape, metric: the distinct ones and per row which."""
        layout = self.schema
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
    ) -> dict[ColumnRole, Floats]:
        found: dict[ColumnRole, Floats] = {}
        long = [] if self.schema.metric is None else [self.catalog.get(metric or "") for _, _, metric in names]
        for column in self.schema.numbers:
            values = self.read_numbers(column, columns[column.index], places)
            drop_out_of_bounds(
                column, values, places, self.problems, metrics=column_metrics(column, long, self.catalog), groups=groups
            )
            part = (column.metric, column.role)
            found[part] = values if part not in found else np.where(np.isnan(values), found[part], values)
        return found

    def read_numbers(self, column: NumberColumn, cells: Row, places: Sequence[int]) -> Floats:
        """The numbers of one column; NaN where there is none."""
        values = parse_plain_numbers(cells)
        if values is None:
            comma = self.schema.delimiter == ";" and column.role not in ("rows", "support")
            read = self._each(column, cells, places, lambda cell: parse_number(cell, comma=comma))
            values = np.array([np.nan if value is None else value for value in read], dtype=np.float64)
        self.problems.count_ok(column.index, int(np.count_nonzero(~np.isnan(values))))
        return values

    def _each(
        self, column: NumberColumn, cells: Row, places: Sequence[int], read: Callable[[str], T]
    ) -> list[T | None]:
        """Every cell by itself; None, and a complaint, where `read` raises."""
        found: list[T | None] = []
        for cell, place in zip(cells, places, strict=True):
            try:
                found.append(read(cell))
            except ValueError as error:
                found.append(None)
                self.problems.row_error(place, f"column `{column.name[:40]}`: {error}", column.index)
        return found

    def _flags(self, columns: Sequence[Row], places: Sequence[int]) -> Flags | None:
        """The provisional column; a cell that says nothing is not provisional."""
        index = self.schema.provisional
        if index is None:
            return None
        column = NumberColumn(index, "provisional", "", "provisional")
        return np.array(
            [bool(value) for value in self._each(column, columns[index], places, parse_flag)], dtype=np.bool_
        )


def column_metrics(column: NumberColumn, long: Sequence[Metric], catalog: MetricRegistry) -> Sequence[Metric]:
    """The metrics whose bounds hold in a column: one, or in the long shape one per group."""
    if column.role in ("low", "high"):
        return [UNBOUNDED]  # an interval may reach beyond what the value itself can be
    if column.role == "value":
        return [catalog.get(column.metric)] if column.metric else long
    return [COUNT]


def drop_out_of_bounds(
    column: NumberColumn,
    values: Floats,
    places: Sequence[int] | NDArray[np.intp],
    complaints: ProblemCollector,
    *,
    metrics: Sequence[Metric],
    groups: NDArray[np.integer[Any]] | None,
) -> None:
    """Empties the cells whose number cannot be."""
    wrong = _out_of_bounds_mask(values, metrics, groups)

    def said(row: int) -> tuple[int, str]:
        metric = metrics[0 if len(metrics) == 1 or groups is None else int(groups[row])]
        message = f"column `{column.name[:40]}`: {bounds_message(float(values[row]), metric)}"
        return int(places[row]), message

    if wrong.any():
        complaints.cell_errors(np.flatnonzero(wrong).tolist(), said, column.index)
        values[wrong] = np.nan


def _canonical(cells: Row, catalog: MetricRegistry) -> list[str]:
    names = {cell: catalog.canonical(cell) for cell in dict.fromkeys(cells)}
    return [names[cell] for cell in cells]


def _out_of_bounds_mask(values: Floats, metrics: Sequence[Metric], groups: NDArray[np.integer[Any]] | None) -> Flags:
    if len(metrics) == 1 or groups is None:
        return out_of_bounds(values, metrics[0])
    lows = np.array([-np.inf if metric.bounds[0] is None else metric.bounds[0] for metric in metrics])[groups]
    highs = np.array([np.inf if metric.bounds[1] is None else metric.bounds[1] for metric in metrics])[groups]
    with np.errstate(invalid="ignore"):  # comparing NaN
        wrong: Flags = ((values < lows) | (values > highs)) & np.isfinite(values)
    return wrong
