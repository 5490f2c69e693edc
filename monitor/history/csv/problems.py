"""What is wrong with one file, told without a flood."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from modeltop.core.series import ReadProblem
from modeltop.core.text import pluralize

MAX_REPORTED = 50
"""Problems of one file told one by one, the first by line; the rest are counted. Fifty are more than a person reads,
and enough for a thousandth of a file that a person wrote."""

WHOLE_ROW = -1
"""Stands for a column where a whole row is lost."""


class ProblemCollector:
    """The problems of one file, in the order of its lines however they are found.

    Args:
        source: The file, as it is named to people.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._remarks: list[ReadProblem] = []
        self._kept: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self._bad: Counter[int] = Counter()
        self._good: Counter[int] = Counter()
        self._optional: dict[int, str] = {}

    def copy(self) -> ProblemCollector:
        """The same, to be added to without changing this one."""
        other = ProblemCollector(self.source)
        other._remarks = list(self._remarks)
        other._kept = defaultdict(list, {index: list(kept) for index, kept in self._kept.items()})
        other._bad, other._good = Counter(self._bad), Counter(self._good)
        other._optional = self._optional
        return other

    def note(self, messages: Iterable[str], line: int | None = None) -> None:
        """Say something about the whole file; never counted away."""
        self._remarks += [ReadProblem(self.source, message, line) for message in messages]

    def mark_text_column(self, names: Mapping[int, str]) -> None:
        """Columns nobody promised to be numbers: one without any number is said once, and is no metric."""
        self._optional = dict(names)

    def count_ok(self, column: int, cells: int) -> None:
        """Count the cells of a column that were read."""
        self._good[column] += cells

    def row_error(self, line: int, message: str, column: int = WHOLE_ROW) -> None:
        """A row is lost, or the cell of `column`. Lines must not fall within one column."""
        self._bad[column] += 1
        if len(self._kept[column]) < MAX_REPORTED:
            self._kept[column].append((line, message))

    def cell_errors(self, rows: Sequence[int], said: Callable[[int], tuple[int, str]], column: int) -> None:
        """Many cells of one column are lost; `said` gives line and message of those that may be told."""
        if rows:
            self._bad[column] += len(rows)
            kept = self._kept[column]
            kept += [said(row) for row in rows[: MAX_REPORTED - len(kept)]]

    def merge(self, parts: Sequence[ProblemCollector], after: int) -> None:
        """Add what was found wrong in the next lines, of which line 1 follows line `after`."""
        told: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for part in parts:
            self._bad.update(part._bad)  # noqa: SLF001  a part of its own kind
            for column, kept in part._kept.items():  # noqa: SLF001
                told[column] += [(after + line, message) for line, message in kept]
        for column, more in told.items():
            kept = self._kept[column]
            kept += sorted(more)[: MAX_REPORTED - len(kept)]

    def error_count(self) -> int:
        """Rows and cells that could not be read; a column without any number is no metric, and not counted."""
        text = {index for index in self._optional if self._bad[index] and not self._good[index]}
        return sum(count for index, count in self._bad.items() if index not in text)

    def problems(self) -> tuple[ReadProblem, ...]:
        """All, the remarks first, then by line."""
        text = {index for index in self._optional if self._bad[index] and not self._good[index]}
        told = sorted(
            (line, index, message) for index in self._kept if index not in text for line, message in self._kept[index]
        )
        del told[MAX_REPORTED:]
        found = [*self._remarks, *(self._no_metric(index) for index in sorted(text))]
        found += [ReadProblem(self.source, message, line) for line, _, message in told]
        rest = self.error_count() - len(told)
        if rest > 0:
            found.append(ReadProblem(self.source, f"and {rest:,} more like these: repair the file and look again"))
        return tuple(found)

    def _no_metric(self, index: int) -> ReadProblem:
        name, cells = self._optional[index][:40], pluralize(self._bad[index], "cell")
        line, _ = self._kept[index][0]
        return ReadProblem(self.source, f"column `{name}` holds text, not numbers, in {cells}: it is left out", line)
