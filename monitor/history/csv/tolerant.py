"""History from CSV text, tolerantly: what can be read is kept, what cannot is said with its line.

A row is lost where its date, its model or the number of its cells is wrong; a bad number loses its cell alone.
The csv module splits what is quoted; pandas is not used, so that names stay as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.history.csv import dialect
from modeltop.history.csv.cells import ColumnReader, Row
from modeltop.history.csv.header import CsvSchema, NoHistory, read_header
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.vectorized import ParseResult
from modeltop.history.merge import Block


class TolerantParser:
    """Reads one file, piece by piece; a later piece continues the earlier ones.

    Args:
        source: The file, as it is named to people.
        model: The model's name where the file has no column for it.
        catalog: The metrics, with their bounds and other names.
        zone: Holds for dates that name none.
    """

    def __init__(self, source: str, model: str, *, catalog: MetricRegistry, zone: tzinfo = UTC) -> None:
        self.model = model
        self.catalog = catalog
        self.zone = zone
        self.problems = ProblemCollector(source)
        self.schema: CsvSchema | None = None
        self.lines = 0
        """Lines read so far."""
        self.whole = True
        """False once a quote was taken for a slip: then a later piece could have closed it."""
        self._strange = False
        self._dates: dict[str, int | str] = {}

    def fork(self) -> TolerantParser:
        """The same, to try a piece that may change."""
        other = TolerantParser(self.problems.source, self.model, catalog=self.catalog, zone=self.zone)
        other.problems = self.problems.copy()
        other.schema, other.lines, other.whole = self.schema, self.lines, self.whole
        other._strange, other._dates = self._strange, self._dates
        return other

    def set_schema(self, layout: CsvSchema) -> None:
        """Take the layout of a header line that was read elsewhere."""
        self.lines += 1
        self._apply_schema(layout, self.lines)

    def add_result(self, parsed: ParseResult) -> None:
        """Count what the fast reader made of the next lines."""
        self.problems.merge(parsed.problems, self.lines)
        self.lines += parsed.line_count
        for column, cells in parsed.ok_counts.items():
            self.problems.count_ok(column, cells)

    def feed(self, data: bytes) -> list[Block]:
        """Blocks of the rows in `data`, which holds whole lines (the last may lack its end) of UTF-8.

        Raises:
            NoHistory: If the header has no date column.
            SourceError: If the file is beyond a limit.
        """
        lines, strangers = dialect.split_lines(data)
        first = self.lines + 1
        self.lines += len(lines)
        if strangers and not self._strange:
            self._strange = True
            message = "not UTF-8 from here on: read as Windows-1252, save the file as UTF-8"
            self.problems.note([message], first + strangers[0])
        start = 0 if self.schema else self._read_header(lines)
        if self.schema is None:
            return []
        places, rows = self._split(lines[start:], first + start, self.schema)
        zone = self.schema.zone(self.zone)
        reader = ColumnReader(self.schema, self.problems, catalog=self.catalog, zone=zone, date_cache=self._dates)
        return reader.blocks(self.model, places, rows) if rows else []

    def _read_header(self, lines: Sequence[str]) -> int:
        """Reads the layout; the index of the first line behind the header."""
        for index, line in enumerate(lines):
            bare = line.strip()
            if bare and not (bare.lower().startswith("sep=") and len(bare) <= 5):  # Excel's own hint
                delimiter = dialect.sniff_delimiter(line[: dialect.MAX_LINE])
                try:
                    cells, used = self._quoted(lines, index, delimiter)
                except ValueError as error:
                    raise NoHistory(f"the header cannot be read: {error}") from None
                self._apply_schema(read_header(cells, delimiter, self.catalog), self.lines - len(lines) + index + 1)
                return index + used
        return len(lines)

    def _apply_schema(self, layout: CsvSchema, line: int) -> None:
        self.schema = layout
        self.problems.note(layout.notes, line)
        self.problems.mark_text_column(self._unregistered_columns(layout))

    def _unregistered_columns(self, layout: CsvSchema) -> dict[int, str]:
        """Columns of metrics that nobody has described: they may hold text."""
        return {c.index: c.name for c in layout.numbers if c.metric and self.catalog.get(c.metric) == Metric(c.metric)}

    def _split(self, lines: Sequence[str], first: int, layout: CsvSchema) -> tuple[list[int], list[Row]]:
        """Rows of the right width, and the line on which each begins."""
        places: list[int] = []
        rows: list[Row] = []
        index, end, delimiter, width = 0, len(lines), layout.delimiter, layout.width
        while index < end:
            line, used = lines[index], 1
            plain = '"' not in line and len(line) <= dialect.MAX_CELL
            cells: list[str] = line.rstrip("\r\n").split(delimiter) if plain else []
            if len(cells) != width or not cells[layout.date]:
                cells, used = self._fitted(lines, index, layout)
            if cells:
                places.append(first + index)
                rows.append(cells)
            index += used
        return places, rows

    def _fitted(self, lines: Sequence[str], index: int, layout: CsvSchema) -> tuple[list[str], int]:
        """The cells of the row that begins on a line, none if it is empty or wrong, and how many lines it takes."""
        try:
            cells, used = self._quoted(lines, index, layout.delimiter)
            return dialect.fit_to_width(cells, layout.width), used
        except ValueError as error:
            self.problems.row_error(self.lines - len(lines) + index + 1, str(error))
            return [], 1  # the next line may be a good row, whatever this one opened

    def _quoted(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[list[str], int]:
        """The cells of the row that begins on a line, and the number of lines it takes."""
        try:
            return dialect.read_row(lines, index, delimiter)
        except dialect.UnclosedQuote:
            self.whole = self.whole and index + dialect.MAX_ROW_LINES <= len(lines)
            raise
