"""Lines of styled text, measured in terminal cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from modeltop.core.series import Severity
from modeltop.core.text import display_width, pad, truncate

Span = tuple[str, str]
"""A text and the role that colours it: a name of `ROLES`, or empty."""
Cells = tuple[Span, ...]
"""One line of the screen."""

ROLES = ("critical", "warning", "unknown", "ok", "dim", "strong", "head", "cursor", "border", "focus")
"""Every role a span may have; the style sheet has a class `cell--ROLE` for each."""

SHAPES = {Severity.CRITICAL: "▲", Severity.WARNING: "◆", Severity.UNKNOWN: "○", Severity.OK: "●"}
WORDS = {Severity.CRITICAL: "CRIT", Severity.WARNING: "WARN", Severity.UNKNOWN: "n/d", Severity.OK: ""}
TINTS = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown", Severity.OK: "ok"}

_BLOCKS = "▁▂▃▄▅▆▇█"
# One character for one, so that no column moves when a terminal knows only ASCII.
_ASCII = str.maketrans(
    "▲◆○●│─┌┐└┘→←↑↓…−±Δ×·▼▏✓" + _BLOCKS,
    "X!?.|-++++><^v~-~dx.v|+" + "__.--=^^",
)


def to_ascii(text: str) -> str:
    """`text` in characters below 128 and the same number of cells; a foreign one becomes `?`.

    >>> to_ascii("▲CRIT 宽│")
    'XCRIT ??|'
    """
    if text.isascii():
        return text
    swapped = text.translate(_ASCII)
    return "".join(char if char.isascii() else "?" * display_width(char) for char in swapped)


def plain_text(cells: Cells) -> str:
    """The line without its colours."""
    return "".join(text for text, _ in cells)


def fit(cells: Cells, cells_wide: int) -> Cells:
    """The line clipped, or filled with spaces, to exactly `cells_wide` cells.

    >>> fit((("fraud", "strong"), (" detector", "")), 8)
    (('fraud', 'strong'), (' d…', ''))
    """
    out: list[Span] = []
    left = cells_wide
    for index, (text, role) in enumerate(cells):
        size = display_width(text)
        # A span that just fits is still clipped where more follows: the reader must see that there is more.
        more = any(rest for rest, _ in cells[index + 1 :])
        if size > left or (size == left and more):
            cut = truncate(text + "……", left) if left else ""
            out.append((cut + " " * (left - display_width(cut)), role))
            return tuple(out)
        out.append((text, role))
        left -= size
    if left:
        out.append((" " * left, ""))
    return tuple(out)


def wrap(text: str, cells_wide: int, *, role: str = "", indent: str = "", lead: Cells = ()) -> list[Cells]:
    """`text` broken at spaces into lines of at most `cells_wide` cells; a longer word is cut into pieces.

    Args:
        text: Fit for the terminal already.
        cells_wide: Cells of a line, the indent included.
        role: Colours the text.
        indent: Begins every line but the first.
        lead: Begins the first line.
    """
    lines: list[Cells] = []
    start = lead
    line, room = "", max(1, cells_wide - display_width(plain_text(lead)))
    for word in _pieces(text, max(1, cells_wide - display_width(indent))):
        joined = f"{line} {word}" if line else word
        if display_width(joined) <= room:
            line = joined
            continue
        if line or start:
            lines.append((*start, (line, role)))
        start, room = ((indent, ""),) if indent else (), max(1, cells_wide - display_width(indent))
        line = word
    return [*lines, (*start, (line, role))]


def _pieces(text: str, longest: int) -> list[str]:
    out: list[str] = []
    for word in text.split():
        piece = ""
        for char in word:
            if display_width(piece + char) > longest:
                out.append(piece)
                piece = ""
            piece += char
        out.append(piece)
    return out


def spark(values: list[float], cells_wide: int) -> str:
    """The last values as blocks of eight heights, one a cell; a value that is not finite is a blank."""
    last = values[-cells_wide:] if cells_wide > 0 else []
    finite = [value for value in last if abs(value) != float("inf")]
    if not finite:
        return " " * len(last)
    return block_characters(last, min(finite), max(finite))


def block_characters(values: Iterable[float], low: float, high: float) -> str:
    """Values as blocks of eight heights between `low` and `high`, one a cell; what is not finite is a blank.

    >>> block_characters([0.0, 0.5, 1.0, float("nan")], 0.0, 1.0)
    '▁▅█ '
    """
    step = (high - low) / (len(_BLOCKS) - 1)

    def block(value: float) -> str:
        if not isfinite(value):
            return " "
        return _BLOCKS[max(0, min(round((value - low) / step), len(_BLOCKS) - 1))] if step > 0 else _BLOCKS[3]

    return "".join(block(value) for value in values)


INDENT, GAP = 2, 2
MIN_NAME_WIDTH = 14
"""Cells of the names under which a column of numbers has to go."""


class TableRow(NamedTuple):
    """One line of a table."""

    cells: tuple[str, ...]
    """The name first; fit for the terminal already."""
    role: str = ""


def format_table(headings: Sequence[str], lines: Sequence[TableRow], cells_wide: int) -> list[Cells]:
    """The headings and the lines; where they are too wide the last columns go first.

    >>> for line in format_table(("metric", "now"), [TableRow(("accuracy", "0.9"))], 20):
    ...     print("".join(text for text, _ in line))
      metric    now
      accuracy  0.9
    """
    wide = [
        max(display_width(line.cells[at]) for line in (TableRow(tuple(headings)), *lines))
        for at in range(len(headings))
    ]
    least, columns = min(wide[0], MIN_NAME_WIDTH), len(wide)
    while columns > 1 and INDENT + least + sum(GAP + each for each in wide[1:columns]) > cells_wide:
        columns -= 1
    numbers = wide[1:columns]
    name = max(1, min(wide[0], cells_wide - INDENT - sum(GAP + each for each in numbers)))

    def laid_out(cells: Sequence[str]) -> str:
        right = "".join(
            f"{' ' * (GAP + room - display_width(cell))}{cell}" for cell, room in zip(cells[1:], numbers, strict=False)
        )
        return f"{' ' * INDENT}{pad(cells[0], name)}{right}"

    return [((laid_out(headings), "dim"),), *(((laid_out(line.cells), line.role),) for line in lines)]
