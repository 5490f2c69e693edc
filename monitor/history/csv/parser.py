"""One CSV file, chunk by chunk: lines become rows, these decide what the columns hold, and the columns are converted.

Readable cells are read, others are reported with their line.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import islice

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FaultReason, ReadFault
from modeltop.history.csv import dialect, in_volume
from modeltop.history.csv.convert import ConvertedRows, Converter
from modeltop.history.csv.header import CsvSchema, name_by_file, note_models, read_header
from modeltop.history.csv.header_search import (
    BYTE_ORDER_MARK,
    MAX_TITLE_LINES,
    FoundHeader,
    find_header,
    is_comment,
    is_frame,
)
from modeltop.history.csv.inference import infer_schema
from modeltop.history.csv.layout import DEFAULT_LAYOUT, Layout
from modeltop.history.csv.problems import DoubtfulCell, ProblemCollector
from modeltop.history.csv.row_identity import NOT_TOLD_APART, find_identity
from modeltop.history.csv.sections import FRAME_LEFT_OUT, TOTAL_LEFT_OUT, Section, follow_header, is_header, is_total
from modeltop.history.csv.table import Cells, CsvTable
from modeltop.history.merge import Block


@dataclass(frozen=True, slots=True)
class PriorKnowledge:
    """What an earlier read of the same file has shown, and a read from its start must know."""

    rows_collide: bool = False
    """True if rows with one date, model, segment and metric have different values."""
    has_misdated_rows: bool = False
    """True if rows have a wrong year."""
    columns: tuple[str, ...] = ()
    """Names of columns that the file's first header lacks and a later one has."""


MIN_PROBED = 5_000
"""Rows from which on a few are tried before all are."""
HEAD_BYTES = 2**18
"""First bytes of a long text, in which its header is searched if they have lines enough."""
_DIGITS = frozenset("0123456789")
"""A date that starts otherwise may be a header, a total or a comment."""
COMMENT_LEFT_OUT = "a comment line is skipped"
NO_DATE_TOGETHER = "date and time cannot be read together: write them in one column, such as 2025-01-09 14:00"
NOTHING_KNOWN = PriorKnowledge()


class CsvParser:
    """Parser of one file, chunk by chunk; a later chunk continues the earlier ones.

    Args:
        source: The file, as it is named to people.
        model: The model's name if the file has no column for it.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.
        known: From an earlier read of the same file.
        layout: The configured layout of its columns.
    """

    def __init__(
        self,
        source: str,
        model: str,
        *,
        catalog: MetricRegistry,
        zone: tzinfo = UTC,
        known: PriorKnowledge = NOTHING_KNOWN,
        layout: Layout = DEFAULT_LAYOUT,
    ) -> None:
        self.model = model
        self.catalog = catalog
        self.zone = zone
        self.known = known
        self.layout = layout
        self.problems = ProblemCollector(source)
        self.schema: CsvSchema | None = None
        self.lines = 0
        self.is_resumable = True
        """False after a quote was considered a typo that a later chunk could have closed."""
        self.is_consistent = True
        """False if a later chunk may hold other formats than the first one showed."""
        self.is_inferred = False
        """True once the rows have decided what the columns hold."""
        self.in_volume = False
        """True if so much text is read that pandas is worth its import."""
        self._header_line = 0
        self.has_rows = False
        """False while the header may still turn out to be a title line, or its second row to be missing."""
        self.is_extended = False
        """True if rows were read before a header that adds columns."""
        self.collision = ReadFault(FaultReason.ROWS_COLLIDE, NOT_TOLD_APART)
        """The fault of rows that are not distinguished."""
        self._header_rows: tuple[tuple[str, ...], ...] = ()
        self._first_width = 0
        """Cells of the first header."""
        self._section = Section(0, 0)
        self._columns: tuple[str, ...] = ()
        """Names of the columns of all headers so far."""
        self._has_foreign_encoding = False

    def fork(self) -> CsvParser:
        """Return a copy, to try a chunk that may change."""
        other = copy.copy(self)
        other.problems = copy.deepcopy(self.problems)
        return other

    def set_schema(self, schema: CsvSchema) -> None:
        """Use the schema of a header line that was read elsewhere."""
        self.lines += 1
        self._start(schema, self.lines)

    def feed(self, data: bytes) -> list[Block]:
        """Return the blocks of the rows in `data`: complete lines in UTF-8, except that the last may lack its line end.

        Raises:
            NoHistory: The header has no date column.
            SourceError: The file is beyond a limit.
        """
        if self.schema is None:
            data = data[self._read_header(data) :]
        if self.schema is None or not data:
            return []
        if (sound := self._convert_sound(data, self.schema)) is not None:
            return self.add(sound)
        table = self.split(data)
        if not len(table):
            return []
        self.has_rows = True
        conversion = self._convert(self.schema, table)
        return [] if conversion is None else self._count(conversion)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of all headers so far."""
        return self._columns

    def read_rows(self, data: bytes) -> CsvTable:
        """Return the rows of an entire file as text, without deciding what they hold; raises as `feed` does."""
        body = data[self._read_header(data) :]
        return self.split(body if self.schema else b"")

    def add(self, conversion: ConvertedRows) -> list[Block]:
        """Return the blocks of the next lines of the file, sound ones that were converted with lines counted from 1."""
        if not len(conversion.lines):  # a header alone beside other files
            return []
        shifted = replace(conversion, lines=conversion.lines + self.lines)
        self.lines += len(conversion.lines)
        self.has_rows = self.is_inferred = True
        return self._count(shifted)

    def _count(self, conversion: ConvertedRows) -> list[Block]:
        lines = conversion.lines
        self.problems.count_rows(len(lines), int(lines[0]), int(lines[-1]))
        for column, numbers in conversion.numbers.items():
            self.problems.count_ok(column, int(np.count_nonzero(~np.isnan(numbers))))
        return conversion.blocks(self.model)

    def _convert_sound(self, data: bytes, schema: CsvSchema) -> ConvertedRows | None:
        """Return what lines hold that are sound throughout; None if they might not be, or must decide the columns."""
        is_known = self.is_inferred or self._may_be_plain(schema)
        is_regular = self._section.places is None and len(self._columns) == self._section.width
        if not (self.in_volume and is_known and is_regular and schema.time is None) or self.known.has_misdated_rows:
            return None
        # Between stray quotes only reading row by row finds where to cut.
        if len(data) < in_volume.MIN_BYTES // 4 or b'"' in data:
            return None
        return in_volume.convert_sound([data], schema, catalog=self.catalog, zone=schema.zone(self.zone))[0]

    def _convert(self, schema: CsvSchema, table: CsvTable) -> ConvertedRows | None:
        """Return what rows hold: the first ones in plain formats if nothing in them is doubtful."""
        if not self.is_inferred and self._may_be_plain(schema):
            with contextlib.suppress(DoubtfulCell):
                return self._convert_plain(schema, table)
        if not self.is_inferred:
            self._infer(schema, table)
        schema = self.schema or schema
        return self._converter(schema, self.problems).convert(schema.with_time(table))

    def _may_be_plain(self, schema: CsvSchema) -> bool:
        """Return whether rows in plain formats have nothing to decide."""
        return schema.is_dated and not self.known.rows_collide and self.layout.is_empty

    def _convert_plain(self, schema: CsvSchema, table: CsvTable) -> ConvertedRows | None:
        """Return what rows in plain formats hold; raise DoubtfulCell if a cell may have another one."""
        problems = copy.deepcopy(self.problems)
        problems.allows_doubts = False
        if len(table) > MIN_PROBED:
            first = np.arange(len(table)) < MAX_TITLE_LINES
            self._converter(schema, copy.deepcopy(problems)).convert(table.take(first))
        converted = self._converter(schema, problems).convert(table)
        problems.allows_doubts = self.is_inferred = True
        self.problems = problems
        return converted

    def _converter(self, schema: CsvSchema, problems: ProblemCollector) -> Converter:
        zone, has_misdated_rows = schema.zone(self.zone), self.known.has_misdated_rows
        return Converter(schema, problems, self.catalog, zone, self.model, has_misdated_rows)

    def _infer(self, schema: CsvSchema, table: CsvTable) -> None:
        """Decide by rows what the columns hold, whatever their names say.

        Raises:
            NoHistory: No column holds dates.
            SourceError: The dates can be read in two ways, or in two columns.
        """
        inferred = infer_schema(schema, table, catalog=self.catalog)
        if self.known.rows_collide:
            inferred = self._tell_apart(inferred, table)
        self._apply_schema(inferred, self._header_line)
        self.is_inferred = True

    def _tell_apart(self, schema: CsvSchema, table: CsvTable) -> CsvSchema:
        """Return the schema with a role for the columns that tell colliding rows apart."""
        before = schema.read_dates(table, self.zone)
        found = find_identity(schema, table, before, self.catalog)
        if isinstance(found, ReadFault):
            self.collision = found
            return schema
        if found is schema:
            return schema
        table = found.with_time(table)
        found = infer_schema(found, table, catalog=self.catalog)
        if (np.isnat(found.read_dates(table, self.zone)) & ~np.isnat(before)).any():
            self.collision = ReadFault(FaultReason.ROWS_COLLIDE, NO_DATE_TOGETHER)
            return schema
        return found

    def _read_header(self, data: bytes) -> int:
        """Read the schema, and return the number of bytes up to the first line behind the header."""
        head = data[: data.rfind(b"\n", 0, HEAD_BYTES) + 1]
        has_lines_enough = head.count(b"\n") > (MAX_TITLE_LINES + 2) * dialect.MAX_ROW_LINES
        lines, foreign = dialect.split_lines(head if has_lines_enough else data)
        found, first = find_header(lines, self._read_row, self.catalog), self.lines + 1
        end = len(lines) if found is None else found.end
        self._note_foreign([index for index in foreign if index < end], first)
        self.lines += end
        if found is None:
            return len(data)
        self._begin(found, first + found.line)
        for message, line in found.notes:
            self.problems.note([message], first + line)
        for index, text in enumerate(lines[: found.line]):
            if is_comment(text):
                self.problems.count_note(COMMENT_LEFT_OUT, first + index)
        ends = islice(re.finditer(rb"\r\n?|\n", data), end - 1, None)
        return next((match.end() for match in ends), len(data))

    def _note_foreign(self, lines: Sequence[int], first: int) -> None:
        if lines and not self._has_foreign_encoding:
            self._has_foreign_encoding = True
            message = "not UTF-8 from here on: read as Windows-1252, save the file as UTF-8"
            self.problems.note([message], first + lines[0])

    def _begin(self, found: FoundHeader, line: int) -> None:
        known = [name for name in self.known.columns if name not in found.cells]
        self._header_rows = found.rows
        schema = read_header((*found.cells, *known), found.delimiter, self.catalog, layout=self.layout)
        self._start(schema, line)
        self._first_width = len(found.cells)
        if known:
            date = schema.date if schema.is_dated else None
            self._columns, self._section = follow_header(found.cells, self._columns, date, self.catalog)

    def _start(self, schema: CsvSchema, line: int) -> None:
        self._columns, self._section = schema.names, Section(schema.width, schema.date)
        self._first_width = schema.width
        self._apply_schema(schema, line)

    def _apply_schema(self, schema: CsvSchema, line: int) -> None:
        schema = name_by_file(schema, self.problems.source, self.catalog)
        schema = note_models(schema, self.problems.source, self.catalog)
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

    def split(self, data: bytes) -> CsvTable:
        """Return the rows of text behind the header, line by line, with a cell for each column of the file."""
        lines, foreign = dialect.split_lines(data)
        first = self.lines + 1
        self.lines += len(lines)
        self._note_foreign(foreign, first)
        numbers, rows = self._rows(lines, first)
        if rows and self.schema and len(self._columns) != self.schema.width:
            # Headers among the rows have added columns.
            extended = read_header(self._columns, self.schema.delimiter, self.catalog, layout=self.layout)
            self._apply_schema(extended, self._header_line)
            self.is_extended = self.is_extended or self.has_rows
            self.is_inferred = False
            rows = [[*row, *[""] * (len(self._columns) - len(row))] for row in rows]
        return CsvTable(np.array(numbers, dtype=np.intp), dict(enumerate(zip(*rows, strict=True))))

    def _rows(self, lines: Sequence[str], first: int) -> tuple[list[int], list[Cells]]:
        """Return the rows, each with the number of its first line."""
        numbers: list[int] = []
        rows: list[Cells] = []
        index, end, section = 0, len(lines), self._section
        width, date = section.width, section.date
        delimiter = self.schema.delimiter if self.schema else ","
        while index < end:
            line, used = lines[index], 1
            is_plain = '"' not in line and len(line) <= dialect.MAX_CELL
            cells: Cells = line.rstrip("\r\n").split(delimiter) if is_plain else ()
            if len(cells) != width or cells[date][:1] not in _DIGITS:
                cells, used = self._read_unusual(lines, index, delimiter)
                section = self._section
                width, date = section.width, section.date
            if cells:
                numbers.append(first + index)
                rows.append(section.arrange(cells))
            index += used
        return numbers, rows

    def _read_unusual(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[Cells, int]:
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
