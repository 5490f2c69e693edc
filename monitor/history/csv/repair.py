"""History from CSV text in volume of which a little is wrong: the tolerant reader is asked of the doubtful lines alone.

Every line that is surely plain stays as it is. Every other one is read tolerantly, and written back plain or left out.
What then stands there is read by pandas at once, so that all rows keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE
from modeltop.history.csv import dates, dialect
from modeltop.history.csv.cells import ColumnReader, column_metrics, drop_out_of_bounds, parse_flag
from modeltop.history.csv.header import CsvSchema
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.vectorized import (
    ParsedColumns,
    ParseInput,
    ParseResult,
    RawColumns,
    date_spans,
    read_raw_columns,
    split_by_input,
    text_columns,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Times
    from modeltop.history.csv.vectorized import Codes

    Places = NDArray[np.intp]

MAX_FREE_REPAIRS = 1_000
"""Doubtful lines that are always worth it; of more there must be three plain ones to each."""


class NotRepairable(Exception):  # noqa: N818  no error: the tolerant reader takes all
    """Too much is doubtful, or something that cannot be written plain."""


def repair(text: ParseInput, layout: CsvSchema, *, catalog: MetricRegistry, zone: tzinfo = UTC) -> ParseResult | None:
    """What the tolerant reader would make of a text, complaints included; None where only that reader knows."""
    torn, wrong = ProblemCollector(""), ProblemCollector("")
    try:
        body, places, count = _repaired_text(text.lines, ColumnReader(layout, torn, catalog=catalog, zone=zone))
    except NotRepairable:
        return None
    spans = date_spans(body, layout) if body else None
    dated = None if spans is None else dates.parse_dates_at(body, *spans, zone)
    cells = read_raw_columns(body, layout, with_dates=dated is None) if body else None
    if cells is None or cells.rows != len(places):
        return None
    times, faults = dated or _dates(*cells.names.pop(layout.date), zone)
    if faults:
        told = sorted(faults)
        wrong.cell_errors(told, lambda row: (int(places[row]), faults[row]), layout.date)
        kept = np.delete(np.arange(len(places)), told)
        times, places, cells = times[kept], places[kept], _select_rows(cells, kept)
    columns, good = _validated_columns(times, cells, places, layout, wrong, catalog=catalog)
    parsed = next(split_by_input([text], columns, layout, catalog))
    return None if parsed is None else replace(parsed, line_count=count, ok_counts=good, problems=(torn, wrong))


def _repaired_text(lines: bytes, reader: ColumnReader) -> tuple[bytes, Places, int]:
    """The lines as they are once mended, where each row of them began, and how many they were."""
    sorted_out = _LineIndex(b"\n" + lines, reader.schema, reader.problems)
    sorted_out.scan()
    return *sorted_out.repaired(reader), sorted_out.line_count


@lru_cache(maxsize=64)
def _suspect_pattern(layout: CsvSchema) -> re.Pattern[bytes]:
    """Finds the line end before each line that is not surely plain.

    Such is one with another number of cells than the header's, or with quotes inside of them, or whose date begins with
    no digit, whose name is empty, whose number is none.
    """
    other = b'[^%s"\n\r\0]' % re.escape(layout.delimiter).encode()
    quoted = b'[^"\n\r\0]'
    number = rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
    cells = [b'(?:%s*|"%s*(?:""%s*)*")' % (other, quoted, quoted)] * layout.width
    for index in (layout.model, layout.metric):
        if index is not None:
            cells[index] = b'(?:%s+|"%s+(?:""%s*)*")' % (other, quoted, quoted)
    for column in layout.numbers:
        cells[column.index] = b'(?:%s|"(?:%s)?")?' % (number, number)
    cells[layout.date] = b'(?:\\d%s*|"\\d%s*")' % (other, quoted)
    return re.compile(b"\n(?!%s\r?\n|\\Z)" % re.escape(layout.delimiter).encode().join(cells))


@dataclass(slots=True)
class _LineIndex:
    """The lines of a text, told apart.

    Args:
        body: Begins with a line end, for the first line to stand behind one.
    """

    body: bytes
    schema: CsvSchema
    problems: ProblemCollector
    line_count: int = 0
    """Lines that were passed."""
    _pieces: list[bytes | memoryview] = field(default_factory=list)
    _places: list[Places] = field(default_factory=list)
    _suspect_rows: list[tuple[int, int, list[str]]] = field(default_factory=list)
    """Index of the piece, line and cells of each row that is to be written plain."""

    def scan(self) -> None:
        """Passes all lines. Raises BeyondMending."""
        whole = len(self.body) > 1 and self.body.endswith(b"\n") and dialect.is_utf8(self.body)
        if not whole or _longest(self.body) > dialect.MAX_CELL:
            raise NotRepairable
        doubt, view, start, met = _suspect_pattern(self.schema), memoryview(self.body), 1, 0
        while start < len(self.body):
            found = doubt.search(self.body, start - 1)
            end = found.end() if found else len(self.body)
            lines = self.body.count(b"\n", start, end)
            self._add(view[start:end], np.arange(self.line_count + 1, self.line_count + lines + 1))
            self.line_count += lines
            met += 1
            if met > MAX_FREE_REPAIRS and 4 * met > self.line_count:
                raise NotRepairable
            start = self._skip_suspect(end) if found else end

    def _add(self, piece: bytes | memoryview, places: Places) -> None:
        self._pieces.append(piece)
        self._places.append(places)

    def _skip_suspect(self, start: int) -> int:
        """Reads rows from a line on, until one ends with a line feed; where that is."""
        while True:
            lines = self._window(start)
            used = self._row(lines)
            self.line_count += used
            start += sum(len(line.encode()) for line in lines[:used])
            if self.body[start - 1 : start] == b"\n":
                return start

    def _window(self, start: int) -> list[str]:
        """The line at `start`, and as many as a row may take where it has a quote."""
        end = self.body.find(b"\n", start) + 1
        if self.body.find(b'"', start, end) >= 0:
            for _ in range(dialect.MAX_ROW_LINES - 1):
                end = self.body.find(b"\n", end) + 1 or len(self.body)
        return dialect.split_lines(self.body[start:end])[0]

    def _row(self, lines: Sequence[str]) -> int:
        """Takes the row in that begins the lines; how many it takes."""
        try:
            cells, used = dialect.read_row(lines, 0, self.schema.delimiter)
            cells = dialect.fit_to_width(cells, self.schema.width)
        except ValueError as error:
            if isinstance(error, dialect.UnclosedQuote) and len(lines) < dialect.MAX_ROW_LINES:
                raise NotRepairable from None  # what comes later could close it
            self.problems.row_error(self.line_count + 1, str(error))
            return 1
        if cells:
            self._suspect_rows.append((len(self._pieces), self.line_count + 1, cells))
            self._add(b"", np.empty(0, np.intp))
        return used

    def repaired(self, reader: ColumnReader) -> tuple[bytes, Places]:
        """The text without what is wrong, one row a line, and where each row began. Raises BeyondMending."""
        places, rows = [place for _, place, _ in self._suspect_rows], [row for _, _, row in self._suspect_rows]
        kept, _ = reader.valid_rows(places, rows)
        written = _write_rows([rows[i] for i in kept], [places[i] for i in kept], reader)
        for index, line in zip(kept, written, strict=True):
            slot, place, _ = self._suspect_rows[index]
            self._pieces[slot], self._places[slot] = line, np.array([place], np.intp)
        return b"".join(self._pieces), np.concatenate(self._places)


def _longest(body: bytes) -> int:
    return int(np.diff(np.flatnonzero(np.frombuffer(body, np.uint8) == ord("\n"))).max(initial=0))


def _write_rows(rows: Sequence[Sequence[str]], places: Sequence[int], reader: ColumnReader) -> Iterator[bytes]:
    """Rows as lines; a number that is none becomes an empty cell."""
    layout = reader.schema
    given = list(zip(*rows, strict=True)) or [()] * layout.width
    columns: list[Sequence[str]] = [[""] * len(rows)] * layout.width
    for index in text_columns(layout):
        columns[index] = [_cell(cell, layout.delimiter) for cell in given[index]]
    for column in layout.numbers:
        values = reader.read_numbers(column, given[column.index], places).tolist()
        columns[column.index] = ["" if value != value else repr(value) for value in values]  # noqa: PLR0124  NaN
    return ((layout.delimiter.join(cells) + "\n").encode() for cells in zip(*columns, strict=True))


def _cell(cell: str, delimiter: str) -> str:
    if "\0" in cell:
        raise NotRepairable
    if any(sign in cell for sign in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _dates(codes: Codes, texts: Sequence[str], zone: tzinfo) -> tuple[Times, dict[int, str]]:
    """Per row its date, and which of them are none, and why."""
    stamps = dates.parse_each_date(texts, zone)
    lost = np.flatnonzero(np.array([isinstance(stamp, str) for stamp in stamps], np.bool_)[codes]).tolist()
    times = np.array([0 if isinstance(stamp, str) else stamp for stamp in stamps], np.int64)[codes]
    return times.view(DATETIME_DTYPE), {row: str(stamps[codes[row]]) for row in lost}


def _select_rows(cells: RawColumns, kept: Places) -> RawColumns:
    names = {index: (codes[kept], texts) for index, (codes, texts) in cells.names.items()}
    return RawColumns(names, {index: values[kept] for index, values in cells.numbers.items()}, len(kept))


def _validated_columns(
    times: Times,
    cells: RawColumns,
    places: Places,
    layout: CsvSchema,
    complaints: ProblemCollector,
    *,
    catalog: MetricRegistry,
) -> tuple[ParsedColumns, dict[int, int]]:
    """The columns without what cannot be, and how many numbers each of them had."""
    provisional = None
    if layout.provisional is not None:
        provisional = _flags(*cells.names.pop(layout.provisional), places, complaints, layout.provisional)
    good, numbers = {}, {}
    groups, metrics = cells.names[layout.metric] if layout.metric is not None else (None, [])
    long = [catalog.get(metric) for metric in metrics]
    for column in layout.numbers:
        numbers[column.index] = values = cells.numbers[column.index].copy()  # pandas' own may be read-only
        good[column.index] = int(np.count_nonzero(~np.isnan(values)))
        drop_out_of_bounds(
            column, values, places, complaints, metrics=column_metrics(column, long, catalog), groups=groups
        )
    return ParsedColumns(times, [len(times)], cells.names, numbers, provisional), good


def _flags(codes: Codes, texts: Sequence[str], places: Places, complaints: ProblemCollector, index: int) -> Flags:
    """The provisional column; a cell that says nothing is not provisional."""
    found: list[bool | str] = [_flag(text) for text in texts]
    wrong = np.flatnonzero(np.array([isinstance(one, str) for one in found], np.bool_)[codes]).tolist()
    complaints.cell_errors(wrong, lambda row: (int(places[row]), f"column `provisional`: {found[codes[row]]}"), index)
    flags: Flags = np.array([one is True for one in found], np.bool_)[codes]
    return flags


def _flag(text: str) -> bool | str:
    try:
        return parse_flag(text)
    except ValueError as error:
        return str(error)
