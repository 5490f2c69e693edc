"""The problems of one file, limited in number so that they do not flood the output."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from modeltop.core.series import FaultReason, FileSummary, ReadFault, ReadProblem, is_too_much_lost
from modeltop.core.text import pluralize

MAX_REPORTED = 50
"""Problems of one file that are reported, the first by line, more than a person reads; the rest are counted."""

_ENTIRE_ROW = -1
_CELL = re.compile(r"`[^`]*`|[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
"""The parts of a message that differ from cell to cell."""
_NUMBER_IN_DISGUISE = re.compile(
    r"`(?:[^\w`]{0,3}|[A-Z]{3} ?|[a-z_]+(?:\.\w+)?\()[-+]?\d[\d.,' ]*(?:e[-+]?\d+)?"
    r"(?:[^\w`]{0,3}|\s?[A-Za-z\u00b5]{1,3}|(?:/|\u00b1| of )\d[\d.,]*|, [^`]*\))`"
    r"|`\{[^`]*\d"
)
"""A quoted cell that is a number with a currency or a unit, of a scale or in a call, or an object of JSON."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Some lines of a file."""

    count: int = 0
    first: float = math.inf
    last: float = -math.inf

    def join(self, other: _Lines) -> _Lines:
        return _Lines(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True, order=True)
class _Error:
    line: int
    column: int
    message: str
    reason: str
    """What it has in common with other errors of the column."""


class DoubtfulCell(ValueError):  # noqa: N818  no error: the column may have another format
    """A cell that plain formats do not fit."""


class ProblemCollector:
    """The problems of one file, `source` to people, in the order of its lines however they are met.

    Args:
        source: The file.
        allows_doubts: False to stop at the first doubtful cell.
    """

    def __init__(self, source: str, *, allows_doubts: bool = True) -> None:
        self.source = source
        self.allows_doubts = allows_doubts
        self.doubts = 0
        """Cells that plain formats do not fit, so that the column may have another one."""
        self._notes: list[ReadProblem] = []
        self._header_notes: list[ReadProblem] = []
        self._counted_notes: dict[str, tuple[int, int]] = {}
        """Message → its first line, and on how many lines it is true."""
        self._faults: dict[ReadFault, None] = {}
        self._reported: dict[int, list[_Error]] = defaultdict(list)
        """Column → its first errors, and the first of each reason."""
        self._reasons: dict[int, Counter[str]] = defaultdict(Counter)
        """Column → how many errors it has, by reason."""
        self._ok_counts: Counter[int] = Counter()
        self._maybe_text: dict[int, str] = {}
        self._rows_read = _Lines()
        self._rows_lost = _Lines()
        self._misdated = _Lines()
        self._lost_row: tuple[int, str] | None = None
        self._refused: dict[str, tuple[int, str]] = {}

    def doubt(self, cells: int) -> None:
        """Count cells that plain formats do not fit; raise DoubtfulCell if there is one and they are not allowed."""
        self.doubts += cells
        if cells and not self.allows_doubts:
            raise DoubtfulCell

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report and nothing doubtful."""
        return not (self.doubts or self._notes or self._counted_notes or self._faults or self._reasons)

    def describe_header(self, messages: Iterable[str], faults: Iterable[ReadFault], line: int) -> None:
        """Report what was found out about the columns, in place of what was before."""
        self._header_notes = [ReadProblem(self.source, message, line) for message in messages]
        for fault in faults:
            self.fault(replace(fault, line=line))

    def note(self, messages: Iterable[str], line: int | None = None) -> None:
        """Add messages about the entire file, which are always reported."""
        self._notes += [ReadProblem(self.source, message, line) for message in messages]

    def fault(self, fault: ReadFault) -> None:
        """Add a fault of the entire file or of a column, once: it is always reported, and is an alert."""
        self._faults[fault] = None

    def count_note(self, message: str, line: int) -> None:
        """Add a message that may be true on many lines, of which the first is reported."""
        first, count = self._counted_notes.get(message, (line, 0))
        self._counted_notes[message] = first, count + 1

    def mark_text_columns(self, names: Mapping[int, str]) -> None:
        """Name the columns that may hold text: one without any number is reported once, and is no metric."""
        self._maybe_text = dict(names)

    def count_ok(self, column: int, cells: int) -> None:
        """Count the cells of a column that were read."""
        self._ok_counts[column] += cells

    def count_rows(self, rows: int, first: int, last: int) -> None:
        """Count rows that were read, one or more, from line `first` to line `last`."""
        self._rows_read = self._rows_read.join(_Lines(rows, first, last))

    def row_error(
        self, line: int, message: str, column: int = _ENTIRE_ROW, *, has_impossible_year: bool = False
    ) -> None:
        """Add the loss of a row.

        Args:
            line: Line number, counted from 1; those of one column must come in their order.
            message: The reason and the remedy.
            column: Index of the column that the row is lost for; by default all of the row is wrong.
            has_impossible_year: A single such row is a slip, as one in the future is, and not the newest one.
        """
        if has_impossible_year:
            self._misdated = self._misdated.join(_Lines(1, line, line))
        else:
            self._rows_lost = self._rows_lost.join(_Lines(1, line, line))
        self._lost_row = max(self._lost_row or (0, ""), (line, message))
        self.cell_error(line, message, column)

    def cell_error(self, line: int, message: str, column: int) -> None:
        """Add the loss of one cell: as that of a row."""
        self.cell_errors([line], lambda _: (line, message), column, _CELL.sub("", message))

    def cell_errors(
        self, rows: Sequence[int], describe: Callable[[int], tuple[int, str]], column: int, reason: str
    ) -> None:
        """Add the loss of many cells of one column for one reason.

        Args:
            rows: Indices of the rows, increasing.
            describe: Returns line and message of a row; called for those that are reported.
            column: Index of the column.
            reason: What the cells have in common.
        """
        reported, reasons = self._reported[column], self._reasons[column]
        room = max(MAX_REPORTED - len(reported), int(not reasons[reason]))
        reported += [_Error(line, column, message, reason) for line, message in map(describe, rows[:room])]
        reasons[reason] += len(rows)

    def refuse(self, metric: str, line: int, message: str) -> None:
        """Keep what was wrong with the last value of a metric that could not be read."""
        self._refused[metric] = line, message

    def fault_count(self) -> int:
        """Return how many faults there are."""
        return len(self._faults)

    def summary(
        self,
        models: Iterable[str],
        span: tuple[datetime, datetime] | None,
        *,
        newest_first: bool,
        counts: Mapping[int, str],
    ) -> FileSummary:
        """Return how much of the file could be read.

        Args:
            models: The models it has rows of.
            span: The oldest and the newest period.
            newest_first: The rows come in this order, so that the newest ones are at the top.
            counts: Names of the columns of row counts, supports and intervals, which belong to no series.
        """
        read, lost = self._rows_read, self._rows_lost
        if self._misdated.count > 1 or not read.count:
            lost = lost.join(self._misdated)
        newest_lost = lost.count > 0 and (lost.first < read.first if newest_first else lost.last > read.last)
        return FileSummary(
            self.source,
            tuple(models),
            read.count,
            self._rows_lost.count + self._misdated.count,
            newest_lost,
            (
                *self._faults,
                *(self._column_fault(column, name) for column, name in counts.items() if self._is_lost(column)),
                *(
                    self._column_fault(column, self._maybe_text[column])
                    for column, is_disguised in self._without_numbers()
                    if is_disguised
                ),
            ),
            span,
            None if self._lost_row is None else ReadProblem(self.source, self._lost_row[1], self._lost_row[0]),
            {metric: ReadProblem(self.source, message, line) for metric, (line, message) in self._refused.items()},
        )

    def _is_lost(self, column: int) -> bool:
        errors = self._reasons[column].total() if column in self._reasons else 0
        return is_too_much_lost(errors, self._ok_counts[column] + errors)

    def _column_fault(self, column: int, name: str) -> ReadFault:
        first = min(self._reported[column])
        lost = pluralize(self._reasons[column].total(), "cell")
        return ReadFault(FaultReason.COLUMN_REFUSED, f"{lost} of {first.message}", name, first.line)

    def _without_numbers(self) -> Iterator[tuple[int, bool]]:
        """Yield the columns without a number that may hold text, and whether it is numbers in disguise."""
        for column in self._maybe_text:
            if column in self._reasons and not self._ok_counts[column]:
                yield column, all(_NUMBER_IN_DISGUISE.search(error.message) for error in self._reported[column])

    def _text_columns(self) -> set[int]:
        return {column for column, is_disguised in self._without_numbers() if not is_disguised}

    def error_count(self) -> int:
        """Return how many rows and cells could not be read, columns of text aside."""
        text = self._text_columns()
        return sum(reasons.total() for column, reasons in self._reasons.items() if column not in text)

    def problems(self) -> tuple[ReadProblem, ...]:
        """Return the faults and the notes, then the errors by line; the first of one reason counts them all."""
        text = self._text_columns()
        problems = [ReadProblem(self.source, fault.message, fault.line) for fault in self._faults]
        problems += [*self._header_notes, *self._notes]
        for message, (line, count) in sorted(self._counted_notes.items(), key=itemgetter(1)):
            problems.append(ReadProblem(self.source, message, line, count=count))
        problems += [*(self._text_column_problem(column) for column in sorted(text))]
        errors = sorted(
            error for column, reported in self._reported.items() if column not in text for error in reported
        )
        firsts = {(error.column, error.reason): error for error in reversed(errors)}
        first_lines = set(firsts.values())
        errors.sort(key=lambda error: (error not in first_lines, error))
        for error in sorted(errors[:MAX_REPORTED]):
            count = self._reasons[error.column][error.reason] if error in first_lines else 0
            problems.append(ReadProblem(self.source, error.message, error.line, count=count))
        rest = self.error_count() - min(len(errors), MAX_REPORTED)
        if rest > 0:
            message = f"and {rest:,} more like these: repair the file and look again"
            problems.append(ReadProblem(self.source, message, count=0))
        return tuple(problems)

    def _text_column_problem(self, column: int) -> ReadProblem:
        name, cells = self._maybe_text[column][:40], pluralize(self._reasons[column].total(), "cell")
        line = min(self._reported[column]).line
        return ReadProblem(self.source, f"column `{name}` holds text, not numbers, in {cells}: it is skipped", line)
