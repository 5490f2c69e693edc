"""The problems of one file, limited in number so that they do not flood the output."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from modeltop.core.series import FileSummary, ReadFault, ReadProblem
from modeltop.core.text import pluralize

MAX_REPORTED = 50
"""Problems of one file that are reported, the first by line, more than a person reads; the rest are counted."""

_ENTIRE_ROW = -1


@dataclass(frozen=True, slots=True)
class _Lines:
    """Some lines of a file."""

    count: int = 0
    first: float = math.inf
    last: float = -math.inf

    def extend(self, count: int, first: int, last: int) -> _Lines:
        return _Lines(self.count + count, min(self.first, first), max(self.last, last))


class ProblemCollector:
    """The problems of one file, `source` to people, in the order of its lines however they are met."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.doubts = 0
        """Cells that plain formats do not fit, so that the column may have another one."""
        self._notes: list[ReadProblem] = []
        self._header_notes: list[ReadProblem] = []
        self._reported: dict[int, list[tuple[int, str]]] = defaultdict(list)
        """Column → line and message of its first errors."""
        self._error_counts: Counter[int] = Counter()
        self._ok_counts: Counter[int] = Counter()
        self._maybe_text: dict[int, str] = {}
        self._faults: dict[ReadFault, None] = {}
        self._rows_read = _Lines()
        self._rows_lost = _Lines()

    def copy(self) -> ProblemCollector:
        """Return a copy, to be added to without changing this one."""
        other = ProblemCollector(self.source)
        other.doubts, other._notes, other._header_notes = self.doubts, list(self._notes), self._header_notes
        other._reported = defaultdict(list, {column: list(errors) for column, errors in self._reported.items()})
        other._error_counts, other._ok_counts = Counter(self._error_counts), Counter(self._ok_counts)
        other._maybe_text = self._maybe_text
        other._faults = dict(self._faults)
        other._rows_read, other._rows_lost = self._rows_read, self._rows_lost
        return other

    def count_rows(self, rows: int, first: int, last: int) -> None:
        """Count rows that were read, one or more, from line `first` to line `last`."""
        self._rows_read = self._rows_read.extend(rows, first, last)

    def fault(self, fault: ReadFault) -> None:
        """Add a fault of the entire file or of a column, once: it is always reported, and is an alert."""
        self._faults[fault] = None

    def summary(self, models: Iterable[str], *, newest_first: bool) -> FileSummary:
        """Return how much of the file could be read.

        Args:
            models: The models it has rows of.
            newest_first: The rows come in this order, so that the newest ones are at the top.
        """
        read, lost = self._rows_read, self._rows_lost
        newest_lost = lost.count > 0 and (lost.first < read.first if newest_first else lost.last > read.last)
        return FileSummary(self.source, tuple(models), read.count, lost.count, newest_lost, tuple(self._faults))

    def describe_header(self, messages: Iterable[str], faults: Iterable[ReadFault], line: int) -> None:
        """Report what was found out about the columns, in place of what was before."""
        self._header_notes = [ReadProblem(self.source, message, line) for message in messages]
        for fault in faults:
            self.fault(replace(fault, line=line))

    def note(self, messages: Iterable[str], line: int | None = None) -> None:
        """Add messages about the entire file, which are always reported."""
        self._notes += [ReadProblem(self.source, message, line) for message in messages]

    def mark_text_columns(self, names: Mapping[int, str]) -> None:
        """Name the columns that may hold text: one without any number is reported once, and is no metric."""
        self._maybe_text = dict(names)

    def count_ok(self, column: int, cells: int) -> None:
        """Count the cells of a column that were read."""
        self._ok_counts[column] += cells

    def row_error(self, line: int, message: str, column: int = _ENTIRE_ROW) -> None:
        """Add the loss of a row.

        Args:
            line: Line number, counted from 1; those of one column must come in their order.
            message: The reason and the remedy.
            column: Index of the column that the row is lost for; by default all of the row is wrong.
        """
        self._rows_lost = self._rows_lost.extend(1, line, line)
        self.cell_error(line, message, column)

    def cell_error(self, line: int, message: str, column: int) -> None:
        """Add the loss of one cell: as that of a row."""
        self._error_counts[column] += 1
        if len(self._reported[column]) < MAX_REPORTED:
            self._reported[column].append((line, message))

    def cell_errors(self, rows: Sequence[int], describe: Callable[[int], tuple[int, str]], column: int) -> None:
        """Add the loss of many cells of one column.

        Args:
            rows: Indices of the rows, increasing.
            describe: Returns line and message of a row; called for those that are reported.
            column: Index of the column.
        """
        if rows:
            self._error_counts[column] += len(rows)
            reported = self._reported[column]
            reported += [describe(row) for row in rows[: MAX_REPORTED - len(reported)]]

    def _text_columns(self) -> set[int]:
        return {column for column in self._maybe_text if self._error_counts[column] and not self._ok_counts[column]}

    def error_count(self) -> int:
        """Return how many rows and cells could not be read, columns of text aside."""
        text = self._text_columns()
        return sum(count for column, count in self._error_counts.items() if column not in text)

    def problems(self) -> tuple[ReadProblem, ...]:
        """Return the faults and the notes, then the errors by line."""
        text = self._text_columns()
        errors = sorted(
            (line, column, message)
            for column, reported in self._reported.items()
            if column not in text
            for line, message in reported
        )
        del errors[MAX_REPORTED:]
        problems = [ReadProblem(self.source, fault.message, fault.line) for fault in self._faults]
        problems += [*self._header_notes, *self._notes, *(self._text_column_problem(column) for column in sorted(text))]
        problems += [ReadProblem(self.source, message, line) for line, _, message in errors]
        rest = self.error_count() - len(errors)
        if rest > 0:
            problems.append(ReadProblem(self.source, f"and {rest:,} more like these: repair the file and look again"))
        return tuple(problems)

    def _text_column_problem(self, column: int) -> ReadProblem:
        name, cells = self._maybe_text[column][:40], pluralize(self._error_counts[column], "cell")
        line, _ = self._reported[column][0]
        return ReadProblem(self.source, f"column `{name}` holds text, not numbers, in {cells}: it is left out", line)
