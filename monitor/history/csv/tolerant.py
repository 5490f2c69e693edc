"""History from CSV text, tolerantly: readable cells are read, others are reported with their line.

A row is lost if its date, its model or the number of its cells is wrong; a bad number loses its cell alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, tzinfo

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv import dialect
from modeltop.history.csv.cells import ColumnReader, Row
from modeltop.history.csv.header import CsvSchema, NoHistory, read_header
from modeltop.history.csv.inference import infer_schema
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.vectorized import ParseResult
from modeltop.history.merge import Block


class TolerantParser:
    """Parser of one file, chunk by chunk; a later chunk continues the earlier ones.

    Args:
        source: The file, as it is named to people.
        model: The model's name if the file has no column for it.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.
    """

    def __init__(self, source: str, model: str, *, catalog: MetricRegistry, zone: tzinfo = UTC) -> None:
        self.model = model
        self.catalog = catalog
        self.zone = zone
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
        self._has_foreign_encoding = False
        self._date_cache: dict[str, int | str] = {}

    def fork(self) -> TolerantParser:
        """Return a copy, to try a chunk that may change."""
        other = copy.copy(self)
        other.problems = self.problems.copy()
        return other

    def set_schema(self, schema: CsvSchema) -> None:
        """Use the schema of a header line that was read elsewhere."""
        self.lines += 1
        self._apply_schema(schema, self.lines)

    def add_result(self, result: ParseResult) -> None:
        """Count the lines and cells that the vectorized reader made of the next lines."""
        self.problems.count_rows(result.line_count, self.lines + 1, self.lines + result.line_count)
        self.lines += result.line_count
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
        line_numbers, rows = self._split(lines[start:], first + start, self.schema)
        if not rows:
            return []
        if self.is_inferred:
            return self._reader(self.schema, self.problems).blocks(self.model, line_numbers, rows)
        return self._read_first(self.schema, line_numbers, rows)

    def _read_first(self, schema: CsvSchema, line_numbers: Sequence[int], rows: Sequence[Row]) -> list[Block]:
        """Return the blocks of a file's first rows: in plain formats if nothing in them is doubtful."""
        if schema.is_dated:
            problems = self.problems.copy()
            blocks = self._reader(schema, problems).blocks(self.model, line_numbers, rows)
            if problems.doubts == self.problems.doubts or not self._infer(rows):
                self.problems, self.is_inferred = problems, True
                return blocks
        else:
            self._infer(rows)
        return self._reader(self.schema or schema, self.problems).blocks(self.model, line_numbers, rows)

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
        inferred = infer_schema(schema, [*rows, *self._rows(self.lookahead)], catalog=self.catalog)
        self._apply_schema(inferred, self._header_line)
        self.is_inferred = True
        return inferred != schema

    def _rows(self, data: bytes) -> list[Row]:
        """Return the cells of lines behind the header, without counting them as read."""
        fork = self.fork()
        return fork._split(dialect.split_lines(data)[0], 1, self.schema)[1] if self.schema else []  # noqa: SLF001  its own class

    def _reader(self, schema: CsvSchema, problems: ProblemCollector) -> ColumnReader:
        zone = schema.zone(self.zone)
        return ColumnReader(schema, problems, catalog=self.catalog, zone=zone, date_cache=self._date_cache)

    def _read_header(self, lines: Sequence[str]) -> int:
        """Read the schema, and return the index of the first line behind the header."""
        for index, line in enumerate(lines):
            bare = line.strip()
            if bare and not (bare.lower().startswith("sep=") and len(bare) <= 5):  # Excel's own hint
                delimiter = dialect.sniff_delimiter(line[: dialect.MAX_LINE])
                try:
                    cells, used = self._read_row(lines, index, delimiter)
                except ValueError as error:
                    raise NoHistory(f"the header cannot be read: {error}") from None
                self._apply_schema(read_header(cells, delimiter, self.catalog), self.lines - len(lines) + index + 1)
                return index + used
        return len(lines)

    def _apply_schema(self, schema: CsvSchema, line: int) -> None:
        if self.schema is not None and schema.date_format is not self.schema.date_format:
            self._date_cache = {}
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

    def _split(self, lines: Sequence[str], first: int, schema: CsvSchema) -> tuple[list[int], list[Row]]:
        line_numbers: list[int] = []
        rows: list[Row] = []
        index, end, delimiter, width = 0, len(lines), schema.delimiter, schema.width
        while index < end:
            line, used = lines[index], 1
            is_plain = '"' not in line and len(line) <= dialect.MAX_CELL
            cells: list[str] = line.rstrip("\r\n").split(delimiter) if is_plain else []
            if len(cells) != width or not cells[schema.date]:
                cells, used = self._read_fitted(lines, index, schema)
            if cells:
                line_numbers.append(first + index)
                rows.append(cells)
            index += used
        return line_numbers, rows

    def _read_fitted(self, lines: Sequence[str], index: int, schema: CsvSchema) -> tuple[list[str], int]:
        """Return the cells of the row that starts on a line, none if it is empty or wrong, and its number of lines."""
        try:
            cells, used = self._read_row(lines, index, schema.delimiter)
            return dialect.fit_to_width(cells, schema.width), used
        except ValueError as error:
            self.problems.row_error(self.lines - len(lines) + index + 1, str(error))
            return [], 1  # the next line may be a good row, whatever this one opened

    def _read_row(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[list[str], int]:
        try:
            return dialect.read_row(lines, index, delimiter)
        except dialect.UnclosedQuote:
            self.is_resumable = self.is_resumable and index + dialect.MAX_ROW_LINES <= len(lines)
            raise
