"""Small tables: a name at the left, numbers at the right, and as many of them as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.text import pad, width
from tui.present.cells import Cells

INDENT, GAP = 2, 2
NAME_LEAST = 14
"""Cells of the names under which a column of numbers has to go."""


class Line(NamedTuple):
    """One line of a table."""

    cells: tuple[str, ...]
    """The name first; fit for the terminal already."""
    role: str = ""


def table(headings: Sequence[str], lines: Sequence[Line], cells_wide: int) -> list[Cells]:
    """The headings and the lines; where they are too wide the last columns go first.

    >>> for line in table(("metric", "now"), [Line(("accuracy", "0.9"))], 20):
    ...     print("".join(text for text, _ in line))
      metric    now
      accuracy  0.9
    """
    wide = [max(width(line.cells[at]) for line in (Line(tuple(headings)), *lines)) for at in range(len(headings))]
    least, columns = min(wide[0], NAME_LEAST), len(wide)
    while columns > 1 and INDENT + least + sum(GAP + each for each in wide[1:columns]) > cells_wide:
        columns -= 1
    numbers = wide[1:columns]
    name = max(1, min(wide[0], cells_wide - INDENT - sum(GAP + each for each in numbers)))

    def laid_out(cells: Sequence[str]) -> str:
        right = "".join(
            f"{' ' * (GAP + room - width(cell))}{cell}" for cell, room in zip(cells[1:], numbers, strict=False)
        )
        return f"{' ' * INDENT}{pad(cells[0], name)}{right}"

    return [((laid_out(headings), "dim"),), *(((laid_out(line.cells), line.role),) for line in lines)]
