"""Rows of a list that Enter opens: folded they are one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width, truncate
from modeltop_tui.view.styled_text import Cells, plain_text, wrap


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line, and what Enter shows."""

    line: Cells
    unfold: Callable[[], Sequence[Cells]] | None = None
    """Returns the lines of the open row, which replace the folded one; None if there is no more to show."""
    key: SeriesKey | None = None
    """The series whose periods Enter shows; None if Enter unfolds the row."""
    rank: int = 0
    """Its place in the order in which rows are opened where there is room; equal ones from the top."""

    @property
    def opens(self) -> bool:
        """Whether Enter does anything here."""
        return self.unfold is not None or self.key is not None


def folded_row(line: Cells, lines: Sequence[Cells], rank: int = 0) -> Row:
    """Return a row that unfolds to some lines, if they are more than one.

    Args:
        line: The folded row.
        lines: The open row.
        rank: Its place in the order in which rows are opened.
    """
    return Row(line, (lambda: lines) if len(lines) > 1 else None, rank=rank)


def text_row(text: str, width: int, *, lead: Cells = (), role: str = "", more: Sequence[Cells] = ()) -> Row:
    """Return a row of text that is truncated to one line until it is opened.

    Args:
        text: Fit for the terminal already.
        width: Width of a line in cells.
        lead: Start of the row; further lines are indented by as much.
        role: Role of the text.
        more: Further lines of the open row; a row that has some is opened last.
    """
    indent = display_width(plain_text(lead))
    lines = [*wrap(text, width, role=role, indent=" " * indent, lead=lead), *more]
    return folded_row((*lead, (truncate(text, max(1, width - indent)), role)), lines, rank=len(more))


def open_by_room(rows: Sequence[Row], height: int) -> frozenset[int]:
    """Return the rows, by rank, that can be open while all rows fit into a height.

    >>> rows = [Row((("one", ""),), lambda: [(), ()]), Row((("two", ""),))]
    >>> open_by_room(rows, 2), open_by_room(rows, 3)
    (frozenset(), frozenset({0}))
    """
    room, opened = height - len(rows), set()
    for number, row in sorted(enumerate(rows), key=lambda pair: pair[1].rank):
        if row.unfold is not None and (extra := len(row.unfold()) - 1) <= room:
            room -= extra
            opened.add(number)
    return frozenset(opened)
