"""The rows of a text, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags

Cells = Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class CodedColumn:
    """A column as its distinct cells, and per row the index of its own."""

    codes: NDArray[np.integer[Any]]
    cells: Cells

    @classmethod
    def of(cls, cells: Cells) -> CodedColumn:
        """Return the column of these cells."""
        index: dict[str, int] = {}
        codes = np.array([index.setdefault(cell, len(index)) for cell in cells], dtype=np.intp)
        return cls(codes, list(index))

    def __getitem__(self, row: int) -> str:
        return self.cells[int(self.codes[row])]

    def __len__(self) -> int:
        return len(self.codes)


Column = Cells | CodedColumn | NDArray[Any]
"""Text, or in an array what it was converted to: numbers, or the times of dates."""


@dataclass(frozen=True, slots=True, eq=False)
class CsvTable:
    """Rows with as many cells as the header."""

    lines: NDArray[np.intp]
    """Line number of each row."""
    columns: Mapping[int, Column]
    """By their index in the header; those without a part may be missing."""
    _coded: dict[int, CodedColumn] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def coded(self, index: int) -> CodedColumn:
        """Return a column of text by its distinct cells."""
        if index not in self._coded:
            column: Any = self.columns[index]
            self._coded[index] = column if isinstance(column, CodedColumn) else CodedColumn.of(column)
        return self._coded[index]

    def text(self, index: int) -> Cells:
        """Return the cells of a column of text."""
        column: Any = self.columns[index]
        return [column[row] for row in range(len(self))] if isinstance(column, CodedColumn) else column

    def row(self, row: int) -> list[str]:
        """Return the cells of a row, empty ones where a column is missing."""
        columns = (self.columns.get(index) for index in range(max(self.columns) + 1))
        return ["" if column is None else str(column[row]) for column in columns]

    def take(self, rows: Flags) -> CsvTable:
        """Return some of the rows."""
        return CsvTable(self.lines[rows], {index: _take(column, rows) for index, column in self.columns.items()})


def _take(column: Column, rows: Flags) -> Column:
    if isinstance(column, CodedColumn):
        return CodedColumn(column.codes[rows], column.cells)
    return column[rows] if isinstance(column, np.ndarray) else tuple(compress(column, rows.tolist()))
