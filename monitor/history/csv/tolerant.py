"""History from CSV text, tolerantly: what can be read is kept, what cannot is said with its line.

A row is lost where its date, its model or the number of its cells is wrong; a bad number loses its cell alone.
The csv module splits what is quoted; pandas is not used, so that names stay as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo

from modeltop.core.metrics.registry import Catalog, Metric
from modeltop.history.csv import dialect
from modeltop.history.csv.cells import ColumnReader, Row
from modeltop.history.csv.header import Layout, NoHistory, read_header
from modeltop.history.csv.problems import Complaints
from modeltop.history.csv.vectorized import Parsed
from modeltop.history.merge import Block


class Parser:
    """Reads one file, piece by piece; a later piece continues the earlier ones.

    Args:
        source: The file, as it is named to people.
        model: The model's name where the file has no column for it.
        catalog: The metrics, with their bounds and other names.
        zone: Holds for dates that name none.
    """

    def __init__(self, source: str, model: str, *, catalog: Catalog, zone: tzinfo = UTC) -> None:
        self.model = model
        self.catalog = catalog
        self.zone = zone
        self.complaints = Complaints(source)
        self.layout: Layout | None = None
        self.lines = 0
        """Lines read so far."""
        self.whole = True
        """False once a quote was taken for a slip: then a later piece could have closed it."""
        self._strange = False
        self._dates: dict[str, int | str] = {}

    def fork(self) -> Parser:
        """The same, to try a piece that may change."""
        other = Parser(self.complaints.source, self.model, catalog=self.catalog, zone=self.zone)
        other.complaints = self.complaints.copy()
        other.layout, other.lines, other.whole = self.layout, self.lines, self.whole
        other._strange, other._dates = self._strange, self._dates
        return other

    def begin(self, layout: Layout) -> None:
        """Take the layout of a header line that was read elsewhere."""
        self.lines += 1
        self._take_layout(layout, self.lines)

    def adopt(self, parsed: Parsed) -> None:
        """Count what the fast reader made of the next lines."""
        self.complaints.absorb(parsed.complaints, self.lines)
        self.lines += parsed.lines
        for column, cells in parsed.good.items():
            self.complaints.good(column, cells)

    def feed(self, data: bytes) -> list[Block]:
        """Blocks of the rows in `data`, which holds whole lines (the last may lack its end) of UTF-8.

        Raises:
            NoHistory: If the header has no date column.
            SourceError: If the file is beyond a limit.
        """
        lines, strangers = dialect.lines_of(data)
        first = self.lines + 1
        self.lines += len(lines)
        if strangers and not self._strange:
            self._strange = True
            message = "not UTF-8 from here on: read as Windows-1252, save the file as UTF-8"
            self.complaints.remark([message], first + strangers[0])
        start = 0 if self.layout else self._read_header(lines)
        if self.layout is None:
            return []
        places, rows = self._split(lines[start:], first + start, self.layout)
        zone = self.layout.zone(self.zone)
        reader = ColumnReader(self.layout, self.complaints, catalog=self.catalog, zone=zone, known=self._dates)
        return reader.blocks(self.model, places, rows) if rows else []

    def _read_header(self, lines: Sequence[str]) -> int:
        """Reads the layout; the index of the first line behind the header."""
        for index, line in enumerate(lines):
            bare = line.strip()
            if bare and not (bare.lower().startswith("sep=") and len(bare) <= 5):  # Excel's own hint
                delimiter = dialect.delimiter_of(line[: dialect.MAX_LINE])
                try:
                    cells, used = self._quoted(lines, index, delimiter)
                except ValueError as error:
                    raise NoHistory(f"the header cannot be read: {error}") from None
                self._take_layout(read_header(cells, delimiter, self.catalog), self.lines - len(lines) + index + 1)
                return index + used
        return len(lines)

    def _take_layout(self, layout: Layout, line: int) -> None:
        self.layout = layout
        self.complaints.remark(layout.remarks, line)
        self.complaints.may_be_text(self._unknown(layout))

    def _unknown(self, layout: Layout) -> dict[int, str]:
        """Columns of metrics that nobody has described: they may hold text."""
        return {c.index: c.name for c in layout.numbers if c.metric and self.catalog.of(c.metric) == Metric(c.metric)}

    def _split(self, lines: Sequence[str], first: int, layout: Layout) -> tuple[list[int], list[Row]]:
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

    def _fitted(self, lines: Sequence[str], index: int, layout: Layout) -> tuple[list[str], int]:
        """The cells of the row that begins on a line, none if it is empty or wrong, and how many lines it takes."""
        try:
            cells, used = self._quoted(lines, index, layout.delimiter)
            return dialect.fitted(cells, layout.width), used
        except ValueError as error:
            self.complaints.bad(self.lines - len(lines) + index + 1, str(error))
            return [], 1  # the next line may be a good row, whatever this one opened

    def _quoted(self, lines: Sequence[str], index: int, delimiter: str) -> tuple[list[str], int]:
        """The cells of the row that begins on a line, and the number of lines it takes."""
        try:
            return dialect.row_at(lines, index, delimiter)
        except dialect.OpenQuote:
            self.whole = self.whole and index + dialect.MAX_ROW_LINES <= len(lines)
            raise
