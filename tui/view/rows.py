"""Rows of a list that Enter opens: folded they are one line each, or a few where that would be cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width, truncate
from modeltop_tui.view.styled_text import Cells, plain_text, wrap

MIN_WIDTH_FOR_ONE_LINE = 76
"""Width in cells below which a row is wrapped, not cut: too few would be left of a sentence."""


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
    wrapped: Sequence[Cells] = ()
    """The lines of the folded row, where one would be cut on a narrow screen."""

    @property
    def opens(self) -> bool:
        """Whether Enter does anything here."""
        return self.unfold is not None or self.key is not None


def folded_row(line: Cells, lines: Sequence[Cells], rank: int = 0, wrapped: Sequence[Cells] = ()) -> Row:
    """Return a row that unfolds to some lines, if they are more than one.

    Args:
        line: The folded row.
        lines: The open row.
        rank: Its place in the order in which rows are opened.
        wrapped: The folded row in several lines, where one would be cut.
    """
    opens = len(lines) > max(1, len(wrapped))
    return Row(line, (lambda: lines) if opens else None, rank=rank, wrapped=wrapped if len(wrapped) > 1 else ())


def wrap_row(text: str, width: int, lead: Cells, role: str = "") -> list[Cells]:
    """Return a text in lines; a narrow screen has no room to indent them by as much as the lead.

    Args:
        text: Fit for the terminal already.
        width: Width of a line in cells.
        lead: Start of the first line.
        role: Role of the text.
    """
    indent = display_width(plain_text(lead)) if width >= MIN_WIDTH_FOR_ONE_LINE else 2
    lead = lead if indent > 2 or not lead or plain_text(lead).strip() else (("  ", ""),)
    return wrap(text, width, role=role, indent=" " * indent, lead=lead)


def text_row(text: str, width: int, *, lead: Cells = (), role: str = "", more: Sequence[Cells] = ()) -> Row:
    """Return a row of text that is truncated to one line until it is opened.

    Args:
        text: Fit for the terminal already.
        width: Width of a line in cells.
        lead: Start of the row; further lines are indented by as much.
        role: Role of the text.
        more: Further lines of the open row; a row that has some is opened last.
    """
    room = max(1, width - display_width(plain_text(lead)))
    lines = wrap_row(text, width, lead, role)
    wrapped = lines if width < MIN_WIDTH_FOR_ONE_LINE else ()
    return folded_row((*lead, (truncate(text, room), role)), [*lines, *more], rank=len(more), wrapped=wrapped)


def open_by_room(rows: Sequence[Row], height: int) -> frozenset[int]:
    """Return the rows, by rank, that can be open while all rows fit into a height.

    >>> rows = [Row((("one", ""),), lambda: [(), ()]), Row((("two", ""),))]
    >>> open_by_room(rows, 2), open_by_room(rows, 3)
    (frozenset(), frozenset({0}))
    """
    room, opened = height - sum(max(1, len(row.wrapped)) for row in rows), set()
    for number, row in sorted(enumerate(rows), key=lambda pair: pair[1].rank):
        if row.unfold is not None and (extra := len(row.unfold()) - max(1, len(row.wrapped))) <= room:
            room -= extra
            opened.add(number)
    return frozenset(opened)
