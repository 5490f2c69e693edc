"""Where the header of a file is: below comment and title lines, in one row or two, above a row of units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from modeltop.core.metrics.names import name_key
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import pluralize
from modeltop.history.csv import dialect
from modeltop.history.csv.date_formats import MONTH, WEEKDAY
from modeltop.history.csv.header import NoHistory, find_date_column

MAX_TITLE_LINES = 30
"""Lines, comments and empty ones aside, among which the header is searched; below more it is no table."""
MAX_VALUE = 60
"""Characters of a number or a date; a longer cell is text."""
COMMENT = "#"
BYTE_ORDER_MARK = "\ufeff"

_VALUE = re.compile(
    r"[+-]?[\d.,]*\d[\d.,]*(?:e[+-]?\d+)?\s*%?|true|false|[+-]?inf(?:inity)?|nan"
    rf"|{WEEKDAY}(?:\d{{1,4}}[-./]\d{{1,2}}\b.*|(?:\d{{1,2}}\.?[ /-]*)?{MONTH}[ ,/-]*'?\d.*)"
    r"|\d{4}-?[WQ]\d.*|\d{1,2}:\d{2}.*",
    re.ASCII | re.IGNORECASE,
)

_RULE = re.compile(r"[\s|+,;:=-]*(?:-{3}|={3})[\s|+,;:=-]*")
_ROW_COUNT = re.compile(
    r"\(?\d+ rows?(?: in set(?: \([\d.]+ \w+\))?| affected| selected)?\)?[.,]?|only showing top \d+ rows?",
    re.IGNORECASE,
)
"""What psql, mysql, sqlcmd and Spark write below a table."""

_ALONE = frozenset({"date", "timestamp", "time", "ds", "day", "model", "segment"})
"""Names of what a row is of, which are no part of a metric, whatever is above or below them."""
ReadRow = Callable[[Sequence[str], int, str], tuple[list[str], int]]
"""Returns the cells of the row that starts on a line, and its number of lines; raises ValueError if it cannot."""


@dataclass(frozen=True, slots=True)
class FoundHeader:
    """The header of a file."""

    cells: tuple[str, ...]
    """The names; those of two header rows joined."""
    delimiter: str
    line: int
    """Index of its first line."""
    end: int
    """Index of the first line behind it and behind a row of units."""
    rows: tuple[tuple[str, ...], ...]
    """The rows it consists of, as written: they may come again."""
    notes: tuple[tuple[str, int], ...] = ()
    """Messages, each with the index of its line."""


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    end: int
    cells: tuple[str, ...]
    """Without blanks around them; those of a comment without its mark."""
    delimiter: str
    is_comment: bool

    @property
    def is_text(self) -> bool:
        """Whether it may be a row of names: no cell is a number or a date."""
        return not any(map(is_value, self.cells))

    @property
    def is_data(self) -> bool:
        """Whether most cells are values: a title has a word for each."""
        return 2 * sum(map(is_value, self.cells)) > self.filled

    @property
    def filled(self) -> int:
        return sum(1 for cell in self.cells if cell)

    @property
    def may_be_header(self) -> bool:
        return self.filled > 1 or len(self.cells) == 1

    def fits(self, other: _Row) -> bool:
        return len(self.cells) == len(other.cells) and self.delimiter == other.delimiter


def is_value(cell: str) -> bool:
    """Return whether a cell looks like a number, a flag or a date, not like a name.

    >>> [is_value(cell) for cell in ("0.95", "12,5 %", "2025-W03", "Jan 5, 2025", "7d_accuracy", "F1", "")]
    [True, True, True, True, False, False, False]
    """
    return len(cell) <= MAX_VALUE and bool(_VALUE.fullmatch(cell.strip()))


def names_columns(cells: Sequence[str]) -> bool:
    """Return whether a row is a header by itself: one name is that of a date column, and no cell is a date.

    >>> names_columns(["date", "accuracy"]), names_columns(["Date", "2025-01-01"]), names_columns(["a", "b"])
    (True, False, False)
    """
    if find_date_column([cell.strip() for cell in cells]) is None:
        return False
    return not any(is_value(cell) and not cell.strip().isdecimal() for cell in cells)


def is_comment(line: str) -> bool:
    """Return whether a line is a comment."""
    return line.lstrip(" \t" + BYTE_ORDER_MARK).startswith(COMMENT)


def is_frame(line: str) -> bool:
    """Return whether a line belongs to the frame in which a database prints a table: a rule, or the number of rows.

    >>> [is_frame(line) for line in ("+-----+----+", "|---|:--|", "(60 rows)", "2025-01-01,---", "-,-", "60 rows,0.9")]
    [True, True, True, False, False, False]
    """
    text = line[:600].strip()
    return bool(_RULE.fullmatch(text) or _ROW_COUNT.fullmatch(text))


def find_header(lines: Sequence[str], read_row: ReadRow, catalog: MetricRegistry) -> FoundHeader | None:
    """Return the header of a file; None if no line has anything on it.

    Args:
        lines: The lines from the file's first one on.
        read_row: Reads the row that starts on a line.
        catalog: The metrics, by which the upper one of two header rows is known.

    Raises:
        NoHistory: The first row cannot be read.
    """
    rows = _rows(lines, read_row)
    first = list(islice(rows, 2))
    if _is_plain(first) and names_columns(first[0].cells):
        return _found(first[:1])  # as nearly every file begins
    first += islice(rows, MAX_TITLE_LINES)
    body = [row for row in first if not row.is_comment]
    commented = [row for row in first if row.is_comment and names_columns(row.cells) and row.may_be_header]
    dated = [i for i, row in enumerate(body) if names_columns(row.cells) and row.may_be_header]
    named = next((i for i in dated if body[i].is_text), next(iter(dated), None))
    table = next((i for i in range(1, len(body)) if _run_above(body, i)), None)
    if table is not None and (named is None or any(row.is_data for row in body[:named])):
        named = _best_of(_run_above(body, table), table, catalog)
    if named is None and commented and (not body or commented[-1].fits(body[0])):
        return _found(commented[-1:])  # numpy.savetxt writes its header as a comment
    return _with_neighbors(body, named or 0, catalog) if body else None


def _is_plain(rows: Sequence[_Row]) -> bool:
    """Return whether there are two rows, one of names and one of values below it."""
    if len(rows) < 2 or rows[0].is_comment or rows[1].is_comment or rows[1].is_text:
        return False
    return names_columns(rows[0].cells) or (rows[0].is_text and rows[0].may_be_header and rows[0].fits(rows[1]))


def _rows(lines: Sequence[str], read_row: ReadRow) -> Iterator[_Row]:
    """Yield the rows that hold anything, without Excel's own hint at the delimiter; unreadable ones are passed over."""
    index, is_first = 0, True
    while index < len(lines):
        line, used = lines[index], 1
        bare = line.strip(" \t\r\n" + BYTE_ORDER_MARK)
        if bare and not (bare.lower().startswith("sep=") and len(bare) <= 5) and not is_frame(bare):
            is_remark = is_comment(line)
            delimiter = dialect.sniff_delimiter(line[: dialect.MAX_LINE])
            cells: Sequence[str] = ()
            try:
                cells, used = (bare[1:].split(delimiter), 1) if is_remark else read_row(lines, index, delimiter)
            except ValueError as error:
                if is_first:
                    raise NoHistory(f"the header cannot be read: {error}") from None
            stripped = tuple(cell.strip(" \t\r\n" + BYTE_ORDER_MARK) for cell in cells)
            if any(stripped):
                yield _Row(index, index + used, stripped, delimiter, is_remark)
            is_first = False
        index += used


def _run_above(body: Sequence[_Row], table: int) -> list[_Row]:
    """Return the rows of text directly above a first row of values, as wide as it; none if no header is among them."""
    run: list[_Row] = []
    if not body[table].is_text:
        for row in reversed(body[:table]):
            if not row.is_text or not row.fits(body[table]):
                break
            run.insert(0, row)
    return run if any(row.may_be_header for row in run) else []


def _best_of(run: Sequence[_Row], table: int, catalog: MetricRegistry) -> int:
    """Return the index of the row that names the columns: of two header rows the upper one."""
    start = table - len(run)
    for index, (upper, lower) in enumerate(pairwise(run)):
        if _is_group_row(upper, lower, catalog):
            return start + index
    known = [(_known(row, catalog), row.may_be_header, -index) for index, row in enumerate(run)]
    return start - max(known)[2]


def _with_neighbors(body: Sequence[_Row], named: int, catalog: MetricRegistry) -> FoundHeader:
    """Return the header with the row of groups above or below it, and without what else stands around it."""
    rows, below = [body[named]], _text_below(body, named)
    if below and _spans_columns(rows[0]) and _is_group_row(rows[0], below[0], catalog):
        rows.append(below.pop(0))
    elif named and _is_group_row(body[named - 1], rows[0], catalog):
        rows.insert(0, body[named - 1])
    notes: list[tuple[str, int]] = []
    titles = body[: body.index(rows[0])]
    if titles:
        notes.append((f"{pluralize(len(titles), 'line')} above the header skipped", titles[0].line))
    found = _found(rows, notes)
    if below and below[0].filled == 1 and "" in found.cells:
        found = _with_index_name(found, below.pop(0))
    if below:
        notes = [*found.notes, ("the row below the header holds no value: it is skipped", below[0].line)]
        found = replace(found, end=below[-1].end, notes=tuple(notes), rows=(*found.rows, *(row.cells for row in below)))
    return found


def _text_below(body: Sequence[_Row], named: int) -> list[_Row]:
    """Return the rows of text between the header and the first row of values; none if there are many, or no values."""
    text: list[_Row] = []
    for row in body[named + 1 : named + 4]:
        if not row.is_text or row.cells == body[named].cells:
            return text
        if not row.fits(body[named]):
            break
        text.append(row)
    return []


def _found(rows: Sequence[_Row], notes: Sequence[tuple[str, int]] = ()) -> FoundHeader:
    cells = rows[0].cells
    if len(rows) > 1:
        cells = join_header_rows(rows[0].cells, rows[1].cells)
        example = next((cell for cell in cells if cell not in (*rows[0].cells, *rows[1].cells)), cells[-1])
        notes = [*notes, (f"two header rows are read as one, such as `{example[:40]}`", rows[0].line)]
    return FoundHeader(
        cells, rows[0].delimiter, rows[0].line, rows[-1].end, tuple(row.cells for row in rows), tuple(notes)
    )


def _with_index_name(found: FoundHeader, row: _Row) -> FoundHeader:
    """Return the header with the name of the index, which pandas writes below two header rows."""
    cells = tuple(name or index for name, index in zip(found.cells, row.cells, strict=True))
    return replace(found, cells=cells, end=row.end, rows=(*found.rows, row.cells))


def _known(row: _Row, catalog: MetricRegistry) -> int:
    return sum(1 for cell in row.cells if cell and catalog.normalize(cell).is_known)


def _is_group_row(upper: _Row, lower: _Row, catalog: MetricRegistry) -> bool:
    """Return whether the upper row has metrics, and the lower one what of each: its value, its threshold."""
    if not upper.is_text or not upper.fits(lower) or not _known(upper, catalog):
        return False
    names = [cell for cell in lower.cells if cell]
    return len(set(names)) < len(names) or not _known(lower, catalog)


def _spans_columns(row: _Row) -> bool:
    """Return whether a name is repeated, or followed by empty cells that it represents."""
    names = [cell for cell in row.cells if cell]
    blanks = row.cells[next((i for i, cell in enumerate(row.cells) if cell), 0) :].count("")
    return len(set(names)) < len(names) or blanks > 0


def join_header_rows(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """Return one name per column; an empty cell of the upper row represents the name before it.

    >>> join_header_rows(["", "accuracy", "", "recall"], ["date", "value", "alert", "value"])
    ('date', 'accuracy_value', 'accuracy_alert', 'recall_value')
    """
    names, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        group = above or group
        is_alone = (
            not group
            or name_key(below).startswith(name_key(group))
            or not _ALONE.isdisjoint({name_key(below), name_key(group)})
        )
        if below and is_alone:
            names.append(below)
        else:
            names.append(f"{group}_{below}" if below else above)
    return tuple(names)
