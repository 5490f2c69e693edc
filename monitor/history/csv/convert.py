"""Columns of text become times, numbers and names, entire columns at once; what does not convert is explained by row.

A row is lost if its date or its model cannot be read; a bad number loses its cell alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import FaultReason, Flags, Floats, ReadFault, Times, to_datetime
from modeltop.history.csv.cells import (
    COUNT,
    FALSE,
    TRUE,
    are_fractions,
    bounds_message,
    out_of_bounds,
    parse_flag,
)
from modeltop.history.csv.dates import has_impossible_year
from modeltop.history.csv.header import CsvSchema, NumberColumn
from modeltop.history.csv.local_time import may_come_twice, second_occurrences
from modeltop.history.csv.misdated import find_misdated
from modeltop.history.csv.number_formats import RefusedColumnError, to_infinity
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.sections import TOTAL_LEFT_OUT, is_total
from modeltop.history.csv.table import CodedColumn, CsvTable
from modeltop.history.merge import MAX_GROUPS, Block, Indices, join_segments, too_many_groups

ALL_PARTS = frozenset({"", "all", "(all)", "*", "total", "overall", ":table"})
"""Cells of a column of segments in the rows of all segments together, in lower case; `:table` is of Databricks."""

GroupKey = tuple[str, str, str | None]
"""Model, empty if the file has no column for it; segment of the row; and in the long shape the metric as written."""


@dataclass(frozen=True, slots=True, eq=False)
class ConvertedRows:
    """What the rows of a table hold; all arrays have one entry per row."""

    schema: CsvSchema
    lines: Indices
    times: Times
    keys: Sequence[GroupKey]
    """The groups, in the order of their first rows."""
    groups: Indices | None
    """Per row an index into `keys`; None if there is one group."""
    numbers: Mapping[int, Floats]
    """Column → its numbers as written; NaN where there is none."""
    refused: Mapping[int, Flags]
    """Column of values → which are there but could not be read."""
    provisional: Flags | None
    versions: CodedColumn | None = None
    """The version of the model."""

    def part(self, rows: slice) -> ConvertedRows:
        """Return some rows, the first of which is on the first line of its own text."""
        keys, groups = self.keys, None
        if self.groups is not None:
            present, firsts, codes = np.unique(self.groups[rows], return_index=True, return_inverse=True)
            order = np.argsort(firsts)
            keys, groups = [keys[group] for group in present[order]], np.argsort(order)[codes]
        return ConvertedRows(
            self.schema,
            np.arange(1, 1 + rows.stop - rows.start),
            self.times[rows],
            keys,
            groups,
            {index: numbers[rows] for index, numbers in self.numbers.items()},
            {index: flags[rows] for index, flags in self.refused.items()},
            None if self.provisional is None else self.provisional[rows],
            None if self.versions is None else CodedColumn(self.versions.codes[rows], self.versions.cells),
        )

    def blocks(self, model: str) -> list[Block]:
        """Return one block per group and segment of the columns.

        Args:
            model: The model's name if the file has no column for it.

        Raises:
            SourceError: There are more than `MAX_GROUPS`.
        """
        if len(self.keys) > MAX_GROUPS:
            raise SourceError(too_many_groups(len(self.keys)))
        columns = [column for column in self.schema.numbers if column.role != "rows"]
        parts = list(dict.fromkeys(column.part for column in columns)) or [("", "all")]
        return [
            self._block((part[0] or key[0] or model, key[1], key[2]), rows, part)
            for key, rows in zip(self.keys, self._rows_of_groups(), strict=True)
            for part in parts
        ]

    def _rows_of_groups(self) -> list[slice | Indices]:
        if self.groups is None or len(self.keys) == 1:
            return [slice(None)]
        order = np.argsort(self.groups, kind="stable")
        ends = np.cumsum(np.bincount(self.groups, minlength=len(self.keys)))
        return [_slice_if_contiguous(rows) for rows in np.split(order, ends[:-1])]

    def _block(self, key: GroupKey, rows: slice | Indices, part: tuple[str, str]) -> Block:
        model, row_segment, metric = key
        fields: dict[str, dict[str, Floats]] = {"value": {}, "support": {}, "low": {}, "high": {}, "rows": {}}
        refused: dict[str, Flags] = {}
        for column in self.schema.numbers:
            if column.role != "rows" and column.part != part:
                continue
            name, numbers = column.metric or metric or "", self.numbers[column.index][rows]
            numbers = 0.0 - numbers if column.sign < 0 else numbers
            before = fields[column.role].get(name)
            # Of two columns with one part the last cell counts.
            fields[column.role][name] = numbers if before is None else np.where(np.isnan(numbers), before, numbers)
            if column.index in self.refused:
                refused[name] = self.refused[column.index][rows] | refused.get(name, False)
        lost = {name: np.flatnonzero(flags & np.isnan(fields["value"][name])) for name, flags in refused.items()}
        return Block(
            model,
            join_segments(row_segment, part[1]),
            self.times[rows],
            fields["value"],
            fields["support"],
            fields["low"],
            fields["high"],
            next(iter(fields["rows"].values()), None),
            None if self.provisional is None else self.provisional[rows],
            {name: indices for name, indices in lost.items() if len(indices)},
            self.schema.written(part),
            self.lines[rows],
            None if self.versions is None else np.array(self.versions.cells, object)[self.versions.codes[rows]],
        )


def _slice_if_contiguous(rows: Indices) -> slice | Indices:
    is_contiguous = len(rows) and rows[-1] - rows[0] + 1 == len(rows)
    return slice(int(rows[0]), int(rows[-1]) + 1) if is_contiguous else rows  # a slice copies nothing


@dataclass(frozen=True, slots=True)
class Converter:
    """Converter of tables of one schema."""

    schema: CsvSchema
    problems: ProblemCollector
    catalog: MetricRegistry
    zone: tzinfo = UTC
    model: str = ""
    """The model's name if the file has no column for it."""
    has_misdated_rows: bool = False
    """True if rows with a wrong year are to be left out."""

    def convert(self, table: CsvTable) -> ConvertedRows | None:
        """Return what the rows of a table hold; None if none can be read."""
        table, times = self._valid_rows(table)
        if not len(table):
            return None
        keys, groups = self._groups(table)
        times = self._tell_repeated_hours_apart(times, table, groups)
        if self.has_misdated_rows and (lost := self._misdated_rows(times, keys, groups, table.lines)):
            kept = np.ones(len(table), np.bool_)
            kept[lost] = False
            return replace(self, has_misdated_rows=False).convert(table.take(kept))
        numbers, refused = self._numbers(table, keys, groups)
        provisional, version = self._provisional(table), self.schema.version
        named = None if version is None else table.coded(version)
        versions = None if named is None else CodedColumn(named.codes, [cell.strip() for cell in named.cells])
        return ConvertedRows(self.schema, table.lines, times, keys, groups, numbers, refused, provisional, versions)

    def _valid_rows(self, table: CsvTable) -> tuple[CsvTable, Times]:
        """Return the rows with a date and all names, and their dates; the others are reported."""
        times = self.schema.read_dates(table, self.zone)
        lost = np.isnat(times)
        for index in (self.schema.model, self.schema.metric):
            names = None if index is None else table.coded(index)
            if names is not None and (blank := [code for code, cell in enumerate(names.cells) if not cell.strip()]):
                lost |= np.isin(names.codes, blank)
        if not lost.any():
            return table, times
        for row in np.flatnonzero(lost).tolist():
            self._explain_row(table.row(row), int(table.lines[row]), is_dated=not np.isnat(times[row]))
        return table.take(~lost), times[~lost]

    def _explain_row(self, cells: Sequence[str], line: int, *, is_dated: bool) -> None:
        """Report why a row is lost: it has no date, or a name is missing."""
        date = self.schema.date
        if is_dated:
            name = "model" if self.schema.model is not None and not cells[self.schema.model].strip() else "metric"
            self.problems.row_error(line, f"the row names no {name}: fill the cell", date)
        elif is_total(cells, date):
            self.problems.count_note(TOTAL_LEFT_OUT, line)
        else:
            self.problems.doubt(1)
            error = self.schema.date_format.explain(cells[date], self.zone)
            self.problems.row_error(line, error, date, has_impossible_year=has_impossible_year(cells[date]))

    def _tell_repeated_hours_apart(self, times: Times, table: CsvTable, groups: Indices | None) -> Times:
        """Return the times with the second of two equal local ones as what it is, an hour later, and report them."""
        rows = np.flatnonzero(may_come_twice(times, self.zone)).tolist()
        if not rows:
            return times
        texts = table.coded(self.schema.date)
        later = times.copy()
        later[rows] = self.schema.date_format.read([texts[row] for row in rows], self.zone, fold=1)
        twice = later != times
        self.problems.doubt(int(np.count_nonzero(twice)))
        result = times.copy()
        order = np.arange(len(times)) if groups is None else np.argsort(groups, kind="stable")
        ends = np.array([len(times)]) if groups is None else np.cumsum(np.bincount(groups))
        for members in np.split(order, ends[:-1]):
            second = (
                members[second_occurrences(times[members], twice[members])] if twice[members].any() else members[:0]
            )
            result[second] = later[second]
        moments = sorted(to_datetime(moment).astimezone(self.zone) for moment in np.unique(result[result != times]))
        first_of_day = {moment.date(): moment for moment in reversed(moments)}
        self.problems.note(
            f"{moment:%H:%M} came twice on {moment:%Y-%m-%d}, when clocks in {self.zone} were set back: "
            "the order of the rows tells the two apart"
            for moment in reversed(first_of_day.values())
        )
        return result

    def _misdated_rows(
        self, times: Times, keys: Sequence[GroupKey], groups: Indices | None, lines: Indices
    ) -> list[int]:
        """Return the indices of the rows with a wrong year, and report them: the newest of each model as a fault."""
        newest: dict[str, tuple[list[int], str]] = {}
        lost: list[int] = []
        for group, (model, _, _) in enumerate(keys):
            members = np.arange(len(times)) if groups is None else np.flatnonzero(groups == group)
            for found in find_misdated(times[members]):
                rows = members[found.rows].tolist()
                lost += rows
                if found.may_be_newest:
                    newest.setdefault(model, ([], found.description))[0].extend(rows)
                    continue
                for row in rows:
                    self.problems.row_error(int(lines[row]), f"the row is {found.description}", self.schema.date)
        for model, (rows, description) in newest.items():
            subject = "the newest row is" if len(rows) == 1 else f"the newest {len(rows)} rows are"
            fault = ReadFault(FaultReason.ROWS_MISDATED, f"{subject} {description}")
            self.problems.fault(replace(fault, line=int(lines[min(rows)]), models=(model or self.model,)))
        return lost

    def _groups(self, table: CsvTable) -> tuple[list[GroupKey], Indices | None]:
        """Return the distinct groups in the order of their first rows, and per row which; None if there is one."""
        schema = self.schema
        if schema.has_one_series:
            return [("", "all", None)], None
        model, metric = (None if index is None else table.coded(index) for index in (schema.model, schema.metric))
        segments = list(self._segments(table))
        combined = np.zeros(len(table), dtype=np.int64)
        for column in (model, metric, *segments):
            if column is not None:
                combined = combined * len(column.cells) + column.codes
                if len(segments) > 1:  # many columns together have more combinations than a number has values
                    combined = np.unique(combined, return_inverse=True)[1]
        _, first_rows, codes = np.unique(combined, return_index=True, return_inverse=True)
        index: dict[GroupKey, int] = {}
        groups = np.empty(len(first_rows), dtype=np.intp)
        for group in np.argsort(first_rows).tolist():
            row = int(first_rows[group])
            segment = reduce(join_segments, (column[row] for column in segments), "all")
            key = ("" if model is None else _name(model[row]), segment, None if metric is None else _name(metric[row]))
            groups[group] = index.setdefault(key, len(index))
        return list(index), groups[codes] if len(index) > 1 else None

    def _segments(self, table: CsvTable) -> Iterator[CodedColumn]:
        """Yield columns of parts of the segment; that of a column which was found is named by it: `country=DE`."""
        schema = self.schema
        if schema.segment is not None:
            column = table.coded(schema.segment)
            yield CodedColumn(column.codes, [_name(cell) or "all" for cell in column.cells])
        for index in schema.segments:
            column, name = table.coded(index), schema.names[index]
            stripped = [cell.strip() for cell in column.cells]
            parts = ["all" if cell.lower() in ALL_PARTS else f"{name}={cell}" for cell in stripped]
            yield CodedColumn(column.codes, parts)
        if schema.has_days_apart:
            column = table.coded(schema.date)
            yield CodedColumn(column.codes, ["all" if ":" in cell else "period=day" for cell in column.cells])

    def _numbers(
        self, table: CsvTable, keys: Sequence[GroupKey], groups: Indices | None
    ) -> tuple[dict[int, Floats], dict[int, Flags]]:
        """Return the numbers of each column, and which of the values could not be read."""
        numbers: dict[int, Floats] = {}
        refused: dict[int, Flags] = {}
        long = [] if self.schema.metric is None else [self.catalog.as_written(metric or "") for _, _, metric in keys]
        for column in self.schema.numbers:
            values, lost = self._parse_numbers(column, table)
            lost |= self._drop_out_of_bounds(column, values, table.lines, self._bounding_metrics(column, long), groups)
            numbers[column.index] = values
            if column.role == "value" and lost.any():
                refused[column.index] = lost
                rows = np.flatnonzero(lost).tolist()
                last = {column.metric or keys[0 if groups is None else groups[row]][2] or "": row for row in rows}
                for name, row in last.items():
                    message = self._explain(column, str(table.columns[column.index][row]), name)
                    self.problems.refuse(self.catalog.normalize(name).metric, int(table.lines[row]), message)
        return numbers, refused

    def _explain(self, column: NumberColumn, cell: str, name: str) -> str:
        """Return why a cell was refused as the value of a metric, in the long shape of one under its written name."""
        metric = self.catalog.as_written(column.metric_name if column.metric else name)
        try:
            reason = bounds_message(column.format_of(name).parse(cell), metric)
        except ValueError as error:
            reason = str(error)
        return f"column `{column.name[:40]}`: {reason}"

    def _parse_numbers(self, column: NumberColumn, table: CsvTable) -> tuple[Floats, Flags]:
        """Return the numbers of a column, NaN where there is none, and which cells could not be read."""
        numbers = table.columns[column.index]
        if isinstance(numbers, np.ndarray):
            values, lost = to_infinity(numbers), np.zeros(len(table), np.bool_)
        elif column.formats and self.schema.metric is not None:
            values, lost = self._parse_by_metric(column, table, table.coded(self.schema.metric))
        elif column.is_plain:
            values, lost = column.format.read_all(table.text(column.index))
        else:
            texts = table.coded(column.index)
            values, lost = (array[texts.codes] for array in column.format.read_all(texts.cells))
        for row in np.flatnonzero(lost).tolist():
            form = column.format_of(None if self.schema.metric is None else table.coded(self.schema.metric)[row])
            self._explain_refusal(column, str(table.columns[column.index][row]), int(table.lines[row]), form.parse)
        if column.is_count:
            self.problems.doubt(int(np.count_nonzero(are_fractions(values))))
        return values, lost

    def _parse_by_metric(self, column: NumberColumn, table: CsvTable, metrics: CodedColumn) -> tuple[Floats, Flags]:
        """Return the same of a column in which each metric has a format of its own."""
        cells, values, lost = table.text(column.index), np.full(len(table), np.nan), np.zeros(len(table), np.bool_)
        for code, metric in enumerate(metrics.cells):
            rows = np.flatnonzero(metrics.codes == code)
            if len(rows):
                values[rows], lost[rows] = column.format_of(metric).read_all([cells[row] for row in rows.tolist()])
        return values, lost

    def _explain_refusal(self, column: NumberColumn, cell: str, line: int, parse: Callable[[str], object]) -> None:
        """Report why a cell is refused, unless its column is."""
        try:
            parse(cell)
        except RefusedColumnError:
            pass
        except ValueError as error:
            self.problems.doubt(any(map(str.isdigit, cell)))
            self.problems.cell_error(line, f"column `{column.name[:40]}`: {error}", column.index)

    def _bounding_metrics(self, column: NumberColumn, long: Sequence[Metric]) -> Sequence[Metric]:
        """Return the metrics whose bounds hold in a column: at most one, or in the long shape one per group."""
        if column.role in ("low", "high"):
            return []  # an interval may reach beyond the bounds of the value itself
        if column.role == "value":
            return [self.catalog.as_written(column.metric_name)] if column.metric else long
        return [COUNT]

    def _drop_out_of_bounds(
        self,
        column: NumberColumn,
        values: Floats,
        lines: Indices,
        metrics: Sequence[Metric],
        groups: NDArray[Any] | None,
    ) -> Flags:
        """Set the values that cannot be to NaN, each with a problem, and return which these are."""
        if not metrics:
            return np.zeros(len(values), np.bool_)
        groups = groups if len(metrics) > 1 else None
        mask = out_of_bounds(values, metrics, groups)

        def describe(row: int) -> tuple[int, str]:
            metric = metrics[0 if groups is None else int(groups[row])]
            return int(lines[row]), f"column `{column.name[:40]}`: {bounds_message(float(values[row]), metric)}"

        if mask.any():
            count = int(np.count_nonzero(mask))
            self.problems.doubt(count)
            self.problems.count_ok(column.index, count)  # they are numbers
            self.problems.cell_errors(np.flatnonzero(mask).tolist(), describe, column.index, "bounds")
            values[mask] = np.nan
        return mask

    def _provisional(self, table: CsvTable) -> Flags | None:
        index = self.schema.provisional
        if index is None:
            return None
        column, texts = NumberColumn(index, "provisional", "", "provisional"), table.coded(index)
        stripped = [cell.strip().lower() for cell in texts.cells]
        unknown = np.array([cell not in TRUE and cell not in FALSE for cell in stripped])[texts.codes]
        for row in np.flatnonzero(unknown).tolist():
            self._explain_refusal(column, texts[row], int(table.lines[row]), parse_flag)
        flags: Flags = np.array([cell in TRUE for cell in stripped])
        return np.asarray(flags[texts.codes])


def _name(cell: str) -> str:
    """Return a name without the spaces that fill a column of a printed table."""
    return cell.strip(" ") or cell
