"""Cells of text as numbers, flags and dates, and rows of them as blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, FaultReason, Flags, Floats, ReadFault, Times, to_datetime
from modeltop.core.text import format_exact
from modeltop.history.csv.dates import has_impossible_year
from modeltop.history.csv.header import CsvSchema, NumberColumn
from modeltop.history.csv.local_time import may_come_twice, second_occurrences
from modeltop.history.csv.misdated import find_misdated
from modeltop.history.csv.number_formats import LARGEST, PLAIN, NumberFormat, RefusedColumnError
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.sections import TOTAL_LEFT_OUT, is_total
from modeltop.history.merge import Block, ColumnRole, ColumnTable, GroupKey, join_segments, to_blocks

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"", "false", "f", "no", "n", "0", "0.0"})
ALL_PARTS = frozenset({"", "all", "(all)", "*", "total", "overall"})
"""Cells of a column of segments in the rows of all segments together, in lower case."""

COUNT = Metric("count", bounds=(0, None))
"""Metric name of the columns with row or case counts."""


def parse_number(cell: str) -> float:
    """Return the number in a cell with a decimal point; infinity beyond `LARGEST`, NaN for one of `NULL_VALUES`.

    Raises:
        ValueError: It is no number; the message names the remedy.

    >>> parse_number("0.95"), parse_number(" 1e-3 "), parse_number("1.797e308")
    (0.95, 0.001, inf)
    """
    value = PLAIN.parse(cell)
    return math.copysign(math.inf, value) if abs(value) > LARGEST else value


def parse_plain_numbers(cells: Sequence[str]) -> Floats | None:
    """Return all cells as numbers, in C; None if one of them must be read by itself."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        return None  # float() accepts 1_000 and digits of other scripts, pandas does not
    try:
        return to_infinity(np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64))
    except ValueError:
        return None


def to_infinity(values: Floats) -> Floats:
    """Return the values with infinity for all beyond `LARGEST`."""
    huge = np.abs(values) > LARGEST
    return np.where(huge, np.copysign(np.inf, values), values) if huge.any() else values


def are_fractions(values: Floats) -> Flags:
    """Return which values are no whole numbers: counts with thousands separators, perhaps."""
    mask: Flags = np.isfinite(values) & (values != np.floor(values))
    return mask


def parse_flag(cell: str) -> bool:
    """Return whether a cell is true; an empty one is not.

    Raises:
        ValueError: It is neither true nor false; the message names the remedy.
    """
    text = cell.strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(f"`{cell[:40]}` is neither true nor false: write one of them")


def out_of_bounds(values: Floats, metrics: Sequence[Metric], groups: NDArray[np.integer[Any]] | None = None) -> Flags:
    """Return a mask of the values outside of the bounds of their metrics; infinity is outside of `COUNT` alone.

    Args:
        values: One number per row.
        metrics: One metric, or the metric of each group.
        groups: Per row an index into `metrics`; None for a single metric.
    """
    lows = np.array([-np.inf if metric.bounds[0] is None else metric.bounds[0] for metric in metrics])
    highs = np.array([np.inf if metric.bounds[1] is None else metric.bounds[1] for metric in metrics])
    if groups is not None:
        lows, highs = lows[groups], highs[groups]
    with np.errstate(invalid="ignore"):  # comparing NaN
        mask: Flags = ((values < lows) | (values > highs)) & np.isfinite(values)
    return mask | np.isinf(values) if metrics[0] is COUNT else mask


def bounds_message(value: float, metric: Metric) -> str:
    """Return why a number is refused as the value of a metric, and a valid example."""
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


def add_numbers(numbers: dict[ColumnRole, Floats], column: NumberColumn, values: Floats) -> ColumnRole:
    """Add the values of a column as those of its metric, and return its role; of two columns the last cell counts.

    Args:
        numbers: The dictionary that they are added to.
        column: The column.
        values: The numbers as written.
    """
    if column.sign < 0:
        values = 0.0 - values
    role = (column.metric, column.role, column.segment)
    numbers[role] = values if role not in numbers else np.where(np.isnan(values), numbers[role], values)
    return role


DATE_CACHE_SIZE = 100_000
"""Parsed dates that are remembered between two chunks; a fleet repeats the same few thousand."""

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """Reader of rows that have as many cells as the header."""

    schema: CsvSchema
    problems: ProblemCollector
    catalog: MetricRegistry
    zone: tzinfo = UTC
    date_cache: dict[str, int | str] = field(default_factory=dict)
    """Text of a date → microseconds since 1970, or the message that it is refused with."""
    has_misdated_rows: bool = False
    """True if rows with a wrong year are to be left out."""

    def blocks(self, model: str, lines: Sequence[int], rows: Sequence[Row]) -> list[Block]:
        """Return the blocks of some rows.

        Args:
            model: The model's name if the file has no column for it.
            lines: Line number of each row.
            rows: One or more.

        Raises:
            SourceError: They fall into too many groups.
        """
        valid, stamps = self._valid_rows(lines, rows)
        if len(valid) < len(rows):
            lines, rows = [lines[index] for index in valid], [rows[index] for index in valid]
        if not rows:
            return []
        times: Times = np.array(stamps, dtype=np.int64).view(DATETIME_DTYPE)
        columns = list(zip(*rows, strict=True))
        keys, groups = self._groups(model, columns, len(rows))
        times = self._tell_repeated_hours_apart(times, columns[self.schema.date], groups)
        if self.has_misdated_rows and (lost := self._misdated_rows(times, keys, groups, lines)):
            kept = [index for index in range(len(rows)) if index not in lost]
            others = [lines[index] for index in kept], [rows[index] for index in kept]
            return replace(self, has_misdated_rows=False).blocks(model, *others)
        self.problems.count_rows(len(lines), lines[0], lines[-1])
        numbers, refused = self._numbers(columns, lines, keys, groups)
        provisional = self._provisional(columns, lines)
        written, at = self.schema.written, np.array(lines)
        return to_blocks(ColumnTable(times, keys, groups, numbers, provisional, refused, written, at))

    def _tell_repeated_hours_apart(self, times: Times, texts: Row, groups: NDArray[np.intp] | None) -> Times:
        """Return the times with the second of two equal local ones as what it is, an hour later, and report them."""
        rows = np.flatnonzero(may_come_twice(times, self.zone)).tolist()
        if not rows:
            return times
        seconds = self.schema.date_format.parse_each([texts[row] for row in rows], self.zone, fold=1)
        later = times.copy()
        later[rows] = np.array(seconds, np.int64).view(DATETIME_DTYPE)
        twice = later != times
        self.problems.doubts += int(np.count_nonzero(twice))
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
        self, times: Times, keys: Sequence[GroupKey], groups: NDArray[np.intp] | None, lines: Sequence[int]
    ) -> set[int]:
        """Return the indices of the rows with a wrong year, and report them: the newest of each model as a fault."""
        newest: dict[str, tuple[list[int], str]] = {}
        lost: set[int] = set()
        for group, (model, _, _) in enumerate(keys):
            members = np.arange(len(times)) if groups is None else np.flatnonzero(groups == group)
            for found in find_misdated(times[members]):
                rows = members[found.rows].tolist()
                lost.update(rows)
                if found.may_be_newest:
                    newest.setdefault(model, ([], found.description))[0].extend(rows)
                    continue
                for row in rows:
                    self.problems.row_error(lines[row], f"the row is {found.description}", self.schema.date)
        for model, (rows, description) in newest.items():
            subject = "the newest row is" if len(rows) == 1 else f"the newest {len(rows)} rows are"
            fault = ReadFault(FaultReason.ROWS_MISDATED, f"{subject} {description}")
            self.problems.fault(replace(fault, line=lines[min(rows)], models=(model,)))
        return lost

    def _valid_rows(self, lines: Sequence[int], rows: Sequence[Row]) -> tuple[list[int], list[int]]:
        """Return the indices of the rows with a date and all names, and their dates in microseconds."""
        valid, stamps = [], []
        for index, stamp in enumerate(self._parse_dates([row[self.schema.date] for row in rows])):
            error = self._row_error(rows[index], stamp)
            if isinstance(stamp, str) and is_total(rows[index], self.schema.date):
                self.problems.count_note(TOTAL_LEFT_OUT, lines[index])
            elif error is not None:
                self.problems.doubts += isinstance(stamp, str)
                is_slip = isinstance(stamp, str) and has_impossible_year(rows[index][self.schema.date])
                self.problems.row_error(lines[index], error, self.schema.date, has_impossible_year=is_slip)
            elif not isinstance(stamp, str):
                valid.append(index)
                stamps.append(stamp)
        return valid, stamps

    def _parse_dates(self, texts: Sequence[str]) -> list[int | str]:
        cache = self.date_cache
        if len(cache) > DATE_CACHE_SIZE:
            cache.clear()
        new = [text for text in dict.fromkeys(texts) if text not in cache]
        cache.update(zip(new, self.schema.date_format.parse_each(new, self.zone), strict=True))
        return [cache[text] for text in texts]

    def _row_error(self, row: Row, stamp: int | str) -> str | None:
        if isinstance(stamp, str):
            return stamp
        for index in (self.schema.model, self.schema.metric):
            if index is not None and not row[index]:
                name = "model" if index == self.schema.model else "metric"
                return f"the row names no {name}: fill the cell"
        return None

    def _groups(self, model: str, columns: Sequence[Row], size: int) -> tuple[list[GroupKey], NDArray[np.intp] | None]:
        """Return the distinct groups in the order of their first rows, and per row which; None if there is one."""
        schema = self.schema
        if schema.has_one_series:
            return [(model, "all", None)], None
        models = [model] * size if schema.model is None else columns[schema.model]
        segments = self._segments(columns, size)
        metrics: Sequence[str | None] = [None] * size
        if schema.metric is not None:
            metrics = columns[schema.metric]
        index: dict[GroupKey, int] = {}
        groups = [index.setdefault(key, len(index)) for key in zip(models, segments, metrics, strict=True)]
        return list(index), np.array(groups, dtype=np.intp)

    def _segments(self, columns: Sequence[Row], size: int) -> list[str]:
        """Return the segment of each row; that of a column which was found is named by it, such as `country=DE`."""
        schema = self.schema
        segments = ["all"] * size if schema.segment is None else [cell or "all" for cell in columns[schema.segment]]
        for index in schema.segments:
            parts = {
                cell: "all" if cell.strip().lower() in ALL_PARTS else f"{schema.names[index]}={cell.strip()}"
                for cell in dict.fromkeys(columns[index])
            }
            pairs = list(zip(segments, columns[index], strict=True))
            joined = {pair: join_segments(pair[0], parts[pair[1]]) for pair in dict.fromkeys(pairs)}
            segments = [joined[pair] for pair in pairs]
        if schema.has_days_apart:
            dates = zip(segments, columns[schema.date], strict=True)
            segments = [segment if ":" in date else join_segments(segment, "period=day") for segment, date in dates]
        return segments

    def _numbers(
        self, columns: Sequence[Row], lines: Sequence[int], keys: Sequence[GroupKey], groups: NDArray[np.intp] | None
    ) -> tuple[dict[ColumnRole, Floats], dict[ColumnRole, Flags]]:
        """Return the numbers of each role, and which of the values could not be read."""
        numbers: dict[ColumnRole, Floats] = {}
        refused: dict[ColumnRole, Flags] = {}
        long = [] if self.schema.metric is None else [self.catalog.as_written(metric or "") for _, _, metric in keys]
        for column in self.schema.numbers:
            values, lost = self._parse_numbers(column, columns, lines)
            lost |= self._drop_out_of_bounds(column, values, lines, self._bounding_metrics(column, long), groups)
            role = add_numbers(numbers, column, values)
            if column.role == "value" and lost.any():
                refused[role] = lost | refused.get(role, False)
                rows = np.flatnonzero(lost).tolist()
                last = {column.metric or keys[0 if groups is None else groups[row]][2] or "": row for row in rows}
                for name, row in last.items():
                    message = self._explain(column, columns[column.index][row], name)
                    self.problems.refuse(self.catalog.normalize(name).metric, lines[row], message)
        return numbers, {role: lost & np.isnan(numbers[role]) for role, lost in refused.items()}

    def _explain(self, column: NumberColumn, cell: str, name: str) -> str:
        """Return why a cell was refused as the value of a metric, in the long shape of one under its written name."""
        metric = self.catalog.as_written(column.name if column.metric else name)
        try:
            reason = bounds_message(column.formats.get(name, column.format).parse(cell), metric)
        except ValueError as error:
            reason = str(error)
        return f"column `{column.name[:40]}`: {reason}"

    def _parse_numbers(
        self, column: NumberColumn, columns: Sequence[Row], lines: Sequence[int]
    ) -> tuple[Floats, Flags]:
        """Return the numbers of a column, NaN where there is none, and which cells could not be read."""
        cells = columns[column.index]
        values = parse_plain_numbers(cells) if column.format.is_plain and not column.formats else None
        lost = np.zeros(len(cells), np.bool_)
        if values is None:
            forms = self._number_formats(column, columns)
            values = np.full(len(cells), np.nan)
            for form in {id(each): each for each in forms}.values():  # equality is slow
                rows = np.flatnonzero([each is form for each in forms])
                values[rows], refused = form.read_all([cells[row] for row in rows.tolist()])
                lost[rows[refused]] = True
            values = to_infinity(values)
            for row in np.flatnonzero(lost).tolist():
                self._explain_refusal(column, cells[row], lines[row], forms[row].parse)
        self.problems.count_ok(column.index, int(np.count_nonzero(~np.isnan(values))))
        if column.is_count:
            self.problems.doubts += int(np.count_nonzero(are_fractions(values)))
        return values, lost

    def _number_formats(self, column: NumberColumn, columns: Sequence[Row]) -> Sequence[NumberFormat]:
        """Return the format of each row's number."""
        if not column.formats or self.schema.metric is None:
            return [column.format] * len(columns[column.index])
        return [column.formats.get(metric, column.format) for metric in columns[self.schema.metric]]

    def _explain_refusal(self, column: NumberColumn, cell: str, line: int, parse: Callable[[str], object]) -> None:
        """Report why a cell is refused, unless its column is."""
        try:
            parse(cell)
        except RefusedColumnError:
            pass
        except ValueError as error:
            self.problems.doubts += any(map(str.isdigit, cell))
            self.problems.cell_error(line, f"column `{column.name[:40]}`: {error}", column.index)

    def _bounding_metrics(self, column: NumberColumn, long: Sequence[Metric]) -> Sequence[Metric]:
        """Return the metrics whose bounds hold in a column: at most one, or in the long shape one per group."""
        if column.role in ("low", "high"):
            return []  # an interval may reach beyond the bounds of the value itself
        if column.role == "value":
            return [self.catalog.as_written(column.name)] if column.metric else long
        return [COUNT]

    def _drop_out_of_bounds(
        self,
        column: NumberColumn,
        values: Floats,
        lines: Sequence[int],
        metrics: Sequence[Metric],
        groups: NDArray[np.intp] | None,
    ) -> Flags:
        """Set the values that cannot be to NaN, each with a problem, and return which these are."""
        if not metrics:
            return np.zeros(len(values), np.bool_)
        groups = groups if len(metrics) > 1 else None
        mask = out_of_bounds(values, metrics, groups)

        def describe(row: int) -> tuple[int, str]:
            metric = metrics[0 if groups is None else int(groups[row])]
            return lines[row], f"column `{column.name[:40]}`: {bounds_message(float(values[row]), metric)}"

        if mask.any():
            self.problems.doubts += int(np.count_nonzero(mask))
            self.problems.cell_errors(np.flatnonzero(mask).tolist(), describe, column.index, "bounds")
            values[mask] = np.nan
        return mask

    def _provisional(self, columns: Sequence[Row], lines: Sequence[int]) -> Flags | None:
        index = self.schema.provisional
        if index is None:
            return None
        column = NumberColumn(index, "provisional", "", "provisional")
        flags = [cell.strip().lower() for cell in columns[index]]
        for row in [row for row, flag in enumerate(flags) if flag not in TRUE and flag not in FALSE]:
            self._explain_refusal(column, columns[index][row], lines[row], parse_flag)
        return np.array([flag in TRUE for flag in flags], dtype=np.bool_)
