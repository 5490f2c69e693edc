"""History from CSV text, tolerantly: readable cells are read, others are reported with their line.

A row is lost if its date, its model or the number of its cells is wrong; a bad number loses its cell alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FaultReason, ReadFault
from modeltop.history.csv import dialect
from modeltop.history.csv.cells import ColumnReader, Row
from modeltop.history.csv.header import CsvSchema, name_by_file, read_header
from modeltop.history.csv.header_search import (
    BYTE_ORDER_MARK,
    FoundHeader,
    find_header,
    find_plain_header,
    is_comment,
    is_frame,
)
from modeltop.history.csv.inference import infer_schema
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.row_identity import NOT_TOLD_APART, find_identity
from modeltop.history.csv.sections import FRAME_LEFT_OUT, TOTAL_LEFT_OUT, Section, follow_header, is_header, is_total
from modeltop.history.csv.vectorized import ParseResult
from modeltop.history.merge import Block


@dataclass(frozen=True, slots=True)
class PriorKnowledge:
    """What an earlier read of the same file has shown, and a read from its start must know."""

    rows_collide: bool = False
    """True if rows with one date, model, segment and metric have different values."""
    has_misdated_rows: bool = False
    """True if rows have a wrong year."""
    has_plain_formats: bool = False
    """True if no cell has another format than the plain ones."""
    columns: tuple[str, ...] = ()
    """Names of columns that the file's first header lacks and a later one has."""


_DIGITS = frozenset("0123456789")
"""A date that begins otherwise may be a header, a total or a comment."""
COMMENT_LEFT_OUT = "a comment line is left out"
NO_DATE_TOGETHER = "date and time cannot be read together: write them in one column, such as 2025-01-09 14:00"
NOTHING_KNOWN = PriorKnowledge()


class TolerantParser:
    """Parser of one file, chunk by chunk; a later chunk continues the earlier ones.

    Args:
        source: The file, as it is named to people.
        model: The model's name if the file has no column for it.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.
        known: From an earlier read of the same file.
    """

    def __init__(
        self,
        source: str,
        model: str,
        *,
        catalog: MetricRegistry,
        zone: tzinfo = UTC,
        known: PriorKnowledge = NOTHING_KNOWN,
    ) -> None:
        self.model = model
        self.catalog = catalog
        self.zone = zone
        self.known = known
        self.problems = ProblemCollector(source)
        self.schema: CsvSchema | None = None
        self.lines = 0
        self.is_resumable = True
        """False after a quote was considered a typo that a later chunk could have closed."""
        self.is_consistent = True
        """False if a later chunk may hold other formats than the first one showed."""
        self.is_inferred = False
        """True once the rows have decided what the columns hold."""
        self._header_line = 0
        self.lookahead = b""
        """A last line without its end, which is not fed yet, and takes part in that decision."""
        self.has_rows = False
        """False while the header may still turn out to be a title line, or its second row to be missing."""
        self.is_extended = False
        """True if rows were read before a header that adds columns."""
        self.collision = ReadFault(FaultReason.ROWS_COLLIDE, NOT_TOLD_APART)
        """The fault of rows that are not told apart."""
        self._header_rows: tuple[tuple[str, ...], ...] = ()
        self._first_width = 0
        """Cells of the first header."""
        self._section = Section(0, 0)
        self._columns: tuple[str, ...] = ()
        """Names of the columns of all headers so far."""
        self._has_foreign_encoding = False
        self._date_cache: dict[str, int | str] = {}

    def fork(self) -> TolerantParser:
        """Return a copy, to try a chunk that may change."""
        other = copy.copy(self)
        other.problems = self.problems.copy()
        return other

    @property
    def is_regular(self) -> bool:
        """Whether the next rows have the columns of the file in their order."""
        return self._section.places is None and len(self._columns) == self._section.width

    def set_schema(self, schema: CsvSchema) -> None:
        """Use the schema of a header line that was read elsewhere."""
        self.lines += 1
        self._start(schema, self.lines)

    def add_result(self, result: ParseResult) -> None:
        """Count the lines and cells that the vectorized reader made of the next lines."""
        self.problems.count_rows(result.line_count, self.lines + 1, self.lines + result.line_count)
        self.lines += result.line_count
        self.has_rows = self.has_rows or result.line_count > 0
        for column, cells in result.ok_counts.items():
            self.problems.count_ok(column, cells)

    def feed(self, data: bytes) -> list[Block]:
        """Return the blocks of the rows in `data`: complete lines in UTF-8, except that the last may lack its line end.

        Raises:
            NoHistory: The header has no date column.
            SourceError: The file is beyond a limit.
        """
        lines, foreign = dialect.split_lines(data)
        first = self.lines + 1
        self.lines += len(lines)
        if foreign and not self._has_foreign_encoding:
            self._has_foreign_encoding = True
            message = "not UTF-8 from here on: read as Windows-1252, save the file as UTF-8"
            self.problems.note([message], first + foreign[0])
        start = 0 if self.schema else self._read_header(lines)
        if self.schema is None:
            return []
        line_numbers, rows = self._split(lines[start:], first + start, self.schema.delimiter)
        if not rows:
            return []
        rows = self._extend(self.schema, rows)
        self.has_rows = True
        if self.is_inferred:
            return self._blocks(self.schema, self.problems, line_numbers, rows)
        return self._read_first(self.schema, line_numbers, rows)

    def _read_first(self, schema: CsvSchema, line_numbers: Sequence[int], rows: Sequence[Row]) -> list[Block]:
        """Return the blocks of a file's first rows: in plain formats if nothing in them is doubtful."""
        if schema.is_dated and not self.known.rows_collide:
            problems = self.problems.copy()
            blocks = self._blocks(schema, problems, line_numbers, rows)
            if problems.doubts == self.problems.doubts or not self._infer(rows):
                self.problems, self.is_inferred = problems, True
                return blocks
        else:
            self._infer(rows)
        return self._blocks(self.schema or schema, self.problems, line_numbers, rows)

    def infer(self, data: bytes) -> bool:
        """Decide what the columns hold by the rows in `data`, without reading them; return whether that is unusual.

        Raises:
            NoHistory: No column holds dates.
            SourceError: The dates can be read in two ways, or in two columns.
        """
        rows = self._rows(data)
        return bool(rows) and self._infer(rows)

    def _infer(self, rows: Sequence[Row]) -> bool:
        """Decide what the columns hold; return whether it is something else than their names and plain formats."""
        if self.schema is None:
            return False
        schema = self.schema
        rows = [*rows, *self._rows(self.lookahead)]
        inferred = self._with_formats(schema, rows)
        if self.known.rows_collide:
            inferred = self._tell_apart(inferred, rows)
        self._apply_schema(inferred, self._header_line)
        self.is_inferred = True
        return inferred != schema

    def _rows(self, data: bytes) -> list[Row]:
        """Return the cells of lines behind the header, without counting them as read."""
        if self.schema is None:
            return []
        lines, _ = dialect.split_lines(data)
        _, rows = self.fork()._split(lines, 1, self.schema.delimiter)  # noqa: SLF001  its own class
        return [row[: self.schema.width] for row in rows]

    def _blocks(
        self, schema: CsvSchema, problems: ProblemCollector, line_numbers: Sequence[int], rows: Sequence[Row]
    ) -> list[Block]:
        zone = schema.zone(self.zone)
        reader = ColumnReader(schema, problems, catalog=self.catalog, zone=zone, date_cache=self._date_cache)
        reader = replace(reader, has_misdated_rows=self.known.has_misdated_rows)
        return reader.blocks(self.model, line_numbers, schema.with_time(rows))

    def _tell_apart(self, schema: CsvSchema, rows: Sequence[Row]) -> CsvSchema:
        """Return the schema with a role for the columns that tell colliding rows apart."""
        stamps = schema.date_format.parse_each([row[schema.date] for row in rows], schema.zone(self.zone))
        found = find_identity(schema, rows, stamps, self.catalog)
        if isinstance(found, ReadFault):
            self.collision = found
            return schema
        if found is schema:
            return schema
        rows = found.with_time(rows)
        found = self._with_formats(found, rows)
        times = found.date_format.parse_each([row[found.date] for row in rows], found.zone(self.zone))
        if any(isinstance(time, str) > isinstance(stamp, str) for time, stamp in zip(times, stamps, strict=True)):
            self.collision = ReadFault(FaultReason.ROWS_COLLIDE, NO_DATE_TOGETHER)
            return schema
        return found

    def _with_formats(self, schema: CsvSchema, rows: Sequence[Row]) -> CsvSchema:
        is_known = self.known.has_plain_formats and schema.time is None
        return schema if is_known else infer_schema(schema, rows, catalog=self.catalog)

    def read_plain_header(self, data: bytes) -> int:
        """Read the header if it is the first line and the second one is a row; return its bytes, 0 if it is not so."""
        end = data.find(b"\n") + 1
        lines, foreign = dialect.split_lines(data[: data.find(b"\n", end) + 1])
        if len(lines) != 2 or foreign:
            return 0
        found = find_plain_header(lines, dialect.read_row)
        if found is None:
            return 0
        self.lines += 1
        self._begin(found, 1)
        return end

    def _read_header(self, lines: Sequence[str]) -> int:
        """Read the schema, and return the index of the first line behind the header."""
        found = find_header([*lines, *dialect.split_lines(self.lookahead)[0]], self._read_row, self.catalog)
        if found is None or found.end > len(lines):
            return len(lines)
        first = self.lines - len(lines) + 1
        self._begin(found, first + found.line)
        for message, line in found.notes:
            self.problems.note([message], first + line)
        for index, text in enumerate(lines[: found.line]):
            if is_comment(text):
                self.problems.count_note(COMMENT_LEFT_OUT, first + index)
        return found.end

    def _begin(self, found: FoundHeader, line: int) -> None:
        known = [name for name in self.known.columns if name not in found.cells]
        self._header_rows = found.rows
        schema = read_header((*found.cells, *known), found.delimiter, self.catalog)
        self._start(schema, line)
        self._first_width = len(found.cells)
        if known:
            date = schema.date if schema.is_dated else None
            self._columns, self._section = follow_header(found.cells, self._columns, date, self.catalog)

    def _start(self, schema: CsvSchema, line: int) -> None:
        self._columns, self._section = schema.names, Section(schema.width, schema.date)
        self._first_width = schema.width
        self._apply_schema(schema, line)

    def _extend(self, schema: CsvSchema, rows: list[Row]) -> list[Row]:
        """Use the columns that headers among the rows have added, if any; return the rows with a cell for each."""
        if len(self._columns) == schema.width:
            return rows
        self._apply_schema(read_header(self._columns, schema.delimiter, self.catalog), self._header_line)
        self.is_extended = self.is_extended or self.has_rows
        self.is_inferred = False
        return [[*row, *[""] * (len(self._columns) - len(row))] for row in rows]

    def _apply_schema(self, schema: CsvSchema, line: int) -> None:
        if self.schema is not None and schema.date_format is not self.schema.date_format:
            self._date_cache = {}
        schema = name_by_file(schema, self.problems.source, self.catalog)
        self.schema, self._header_line = schema, line
        self.problems.describe_header(schema.notes, schema.faults, line)
        # Columns of metrics without a description may contain text.
        self.problems.mark_text_columns(
            {
                column.index: column.name
                for column in schema.numbers
                if column.metric and not self.catalog.get(column.metric).is_direction_known
            }
        )

    def _split(self, lines: Sequence[str], first: int, delimiter: str) -> tuple[list[int], list[Row]]:
        line_numbers: list[int] = []
        rows: list[Row] = []
        index, end = 0, len(lines)
        section = self._section
        width, date, places = section.width, section.date, section.places
        while index < end:
            line, used = lines[index], 1
            is_plain = '"' not in line and len(line) <= dialect.MAX_CELL
            cells: Sequence[str] = line.rstrip("\r\n").split(delimiter) if is_plain else ()
            if len(cells) != width or cells[date][:1] not in _DIGITS:
                cells, used = self._read_unusual(lines, index, delimiter)
                section = self._section
                width, date, places = section.width, section.date, section.places
            if cells:
                line_numbers.append(first + index)
                rows.append(cells if places is None else section.arrange(cells))
            index += used
        return line_numbers, rows

    def _read_unusual(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[Sequence[str], int]:
        """Return the cells of what starts on a line, none if it is no row, and its number of lines."""
        number = self.lines - len(lines) + index + 1
        if is_frame(lines[index]):
            self.problems.count_note(FRAME_LEFT_OUT, number)
            return (), 1
        try:
            cells, used = self._read_row(lines, index, delimiter)
            cells[0] = cells[0].removeprefix(BYTE_ORDER_MARK)
            if is_comment(lines[index]) and len(cells) != self._section.width:
                self.problems.count_note(COMMENT_LEFT_OUT, number)
            elif len(cells) != self._section.width and is_total(cells, self._section.date):
                self.problems.count_note(TOTAL_LEFT_OUT, number)
            elif not self._follows_header(cells, number):
                return dialect.fit_to_width(cells, self._section.width), used
        except ValueError as error:
            self.problems.row_error(number, str(error))
            return (), 1  # the next line may be a good row, whatever this one opened
        return (), used

    def _follows_header(self, cells: Sequence[str], line: int) -> bool:
        """Return whether a row is a header; the rows below it are then read by it."""
        if self.schema is None or not any(cells):
            return False
        stripped = tuple(cell.strip() for cell in cells)
        if stripped in self._header_rows:
            cells = self.schema.names[: len(cells)] if len(self._header_rows) > 1 else cells
        elif not is_header(cells, self._section, self._columns, self.catalog):
            return False
        date = self.schema.date if self.schema.is_dated else None
        columns, self._section = follow_header(cells, self._columns, date, self.catalog)
        first = tuple(range(self._first_width))
        places = self._section.places or tuple(range(self._section.width))
        same = self._section.width == self._first_width and places[: self._first_width] == first
        self._columns = columns
        message = "the header comes again: it is no row" if same else "another header: the rows below are read by it"
        self.problems.count_note(message, line)
        return True

    def _read_row(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[list[str], int]:
        try:
            return dialect.read_row(lines, index, delimiter)
        except dialect.UnclosedQuote:
            self.is_resumable = self.is_resumable and index + dialect.MAX_ROW_LINES <= len(lines)
            raise
