"""Lines of styled text, measured in terminal cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from modeltop.core.series import Severity
from modeltop.core.text import BLOCKS, block_characters, display_width, pad, truncate

Span = tuple[str, str]
"""A text and the role that colors it: a name of `ROLES`, or empty."""
Cells = tuple[Span, ...]
"""The spans of one line of the screen."""

_SEEN_ON_BLANKS = {"cursor", "selected", "title", "head"}
ROLES = (
    *("critical", "warning", "unknown", "ok", "dim", "strong", "head", "worst"),
    *("cursor", "selected", "border", "focus", "title"),
)
"""All roles of a span; the style sheet has a class `cell--ROLE` for each. Several are joined by `+`.

`worst` is the one bold text of a screen. A selected row has the role `cursor` in the focused pane and `selected` in the
others; the frame of the focused pane has the role `focus`, and its name `title`.
"""

SHAPES = {Severity.CRITICAL: "▲", Severity.WARNING: "◆", Severity.UNKNOWN: "○", Severity.OK: "●"}
WORDS = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown", Severity.OK: "ok"}
TINTS = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown", Severity.OK: "ok"}

# One character for one, so that no column moves when a terminal knows only ASCII.
_ASCII = str.maketrans(
    "▲◆○●│─┌┐└┘├┤┬┴┼→←↑↓…−±Δ×·▼▏✓▸▾" + BLOCKS,
    "X!?.|-+++++++++><^v~-~dx.v|+>v" + "__.--=^^",
)


def with_tints(cells: Cells) -> Cells:
    """Return the line with the shape of each severity in its color.

    >>> with_tints((("▲ critical", "dim"),))
    (('▲', 'critical'), (' critical', 'dim'))
    """
    tints = {shape: TINTS[severity] for severity, shape in SHAPES.items()}
    parts = ((part, tints.get(part, role)) for text, role in cells for part in re.split("([▲◆○●])", text))
    return tuple(filter(itemgetter(0), parts))


def to_ascii(text: str) -> str:
    """Return the text in characters below 128, of the same width; a character without a replacement becomes `?`.

    >>> to_ascii("▲CRIT 宽│")
    'XCRIT ??|'
    """
    if text.isascii():
        return text
    translated = text.translate(_ASCII)
    return "".join(char if char.isascii() else "?" * display_width(char) for char in translated)


def with_ascii_arrows(cells: Cells) -> Cells:
    """Return the line with `->` for each arrow: `>` between two values would be a comparison.

    What follows moves by one cell, up to the next two spaces, one of which goes, or to where the line is cut.

    >>> with_ascii_arrows((("0.95→0.81  ", ""), ("  now", "dim")))
    (('0.95->0.81 ', ''), ('  now', 'dim'))
    >>> with_ascii_arrows((("F1 0.939→0.750;…", ""),))
    (('F1 0.939->0.750…', ''),)
    """
    chars = [(char, role) for text, role in cells for char in text]
    at = 0
    while (text := "".join(map(itemgetter(0), chars))).find("→", at) >= 0:
        at = text.find("→", at)
        spaces = text.find("  ", at)
        room = spaces if spaces >= 0 else text.rfind("…") - 1
        if room > at and text[room].isascii() and text[at - 1 : at] != "←":  # `←→` are two keys
            chars[at : room + 1] = [("-", chars[at][1]), (">", chars[at][1]), *chars[at + 1 : room]]
        at += 1
    spans = groupby(chars, itemgetter(1))
    return tuple(("".join(map(itemgetter(0), span)), role) for role, span in spans)


def plain_text(cells: Cells) -> str:
    """Return the text of a line, without its roles."""
    return "".join(text for text, _ in cells)


MARK_WIDTH = 2


def with_cursor(cells: Cells, width: int, *, focused: bool = True) -> Cells:
    """Return the line as the selected row, `width` cells wide; in the focused pane only its mark keeps its color."""
    first, *rest = fit(cells, width)
    if not focused:
        return tuple((text, f"{role}+selected" if role else "selected") for text, role in (first, *rest))
    is_mark = len(first[0]) <= MARK_WIDTH and first[1] in TINTS.values()
    mark = (first[0], f"cursor+{first[1]}" if is_mark else "cursor")
    return mark, *((text, "cursor") for text, _ in rest)


def merge_spans(cells: Cells) -> Cells:
    """Return the line in as few spans as look the same: each one costs about 30 bytes of a slow connection.

    >>> merge_spans((("a", "dim"), ("b", "dim"), (" ", ""), ("c", "dim"), ("", "ok"), ("d", "ok")))
    (('ab c', 'dim'), ('d', 'ok'))
    """
    out: list[Span] = []
    for text, role in filter(itemgetter(0), cells):
        before = out[-1] if out else ("", "")
        # The color of a blank is not seen, but its background and its underline are.
        is_unseen = text.isspace() and not _SEEN_ON_BLANKS & {*role.split("+"), *before[1].split("+")}
        if out and (role == before[1] or is_unseen):
            out[-1] = (before[0] + text, before[1])
        else:
            out.append((text, role))
    return tuple(out)


def fit(cells: Cells, width: int) -> Cells:
    """Return the line clipped, or filled with spaces, to exactly `width` cells.

    >>> fit((("fraud", "strong"), (" detector", "")), 8)
    (('fraud', 'strong'), (' d…', ''))
    """
    out: list[Span] = []
    left = width
    for index, (text, role) in enumerate(cells):
        size = display_width(text)
        # A span that just fits is still clipped if more follows: the reader must see that there is more.
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


def wrap(text: str, width: int, *, role: str = "", indent: str = "", lead: Cells = ()) -> list[Cells]:
    """Break the text at spaces into lines of at most `width` cells; a longer word is cut.

    Args:
        text: Fit for the terminal already.
        width: Width of a line in cells, the indent included.
        role: Role of the text.
        indent: Start of every line but the first.
        lead: Start of the first line.
    """
    lines: list[Cells] = []
    start = lead
    line, room = "", max(1, width - display_width(plain_text(lead)))
    for word in _break_words(text, max(1, width - display_width(indent))):
        joined = f"{line} {word}" if line else word
        if display_width(joined) <= room:
            line = joined
            continue
        if line or start:
            lines.append((*start, (line, role)))
        start, room = ((indent, ""),) if indent else (), max(1, width - display_width(indent))
        line = word
    return [*lines, (*start, (line, role))]


def flow(spans: Iterable[Span], width: int) -> list[Cells]:
    """Break spans at spaces into lines of at most `width` cells, as one text; a longer word is cut.

    >>> flow((("It fell.", ""), ("Why", "dim"), ("Unclear.", "")), 12)
    [(('It', ''), (' fell.', ''), (' Why', 'dim')), (('Unclear.', ''),)]
    """
    lines: list[list[Span]] = [[]]
    room = width
    for word, role in ((word, role) for text, role in spans for word in _break_words(text, width)):
        gap = " " if lines[-1] else ""
        if display_width(gap + word) > room:
            lines.append([])
            gap, room = "", width
        lines[-1].append((gap + word, role))
        room -= display_width(gap + word)
    return [tuple(line) for line in lines]


def paragraph(text: str, width: int, role: str = "dim") -> list[Cells]:
    """Return the text as the lines of a paragraph, indented under a heading.

    Args:
        text: Fit for the terminal already.
        width: Width of a line in cells.
        role: Role of the text.
    """
    return wrap(text, width, role=role, indent="    ", lead=(("  ", ""),))


def _break_words(text: str, max_width: int) -> list[str]:
    out: list[str] = []
    for word in text.split():
        chunk = ""
        for char in word:
            if display_width(chunk + char) > max_width:
                out.append(chunk)
                chunk = ""
            chunk += char
        out.append(chunk)
    return out


def spark(values: list[float], width: int) -> str:
    """Return the last values as blocks of eight heights, one per cell; a value that is not finite is a blank."""
    last = values[-width:] if width > 0 else []
    finite = [value for value in last if abs(value) != float("inf")]
    if not finite:
        return " " * len(last)
    return block_characters(last, min(finite), max(finite))


INDENT, GAP = 2, 2
MIN_NAME_WIDTH = 14
"""Width of the names, in cells, below which a column of numbers is left out."""


class TableRow(NamedTuple):
    """One row of a table."""

    cells: tuple[str, ...]
    """The name first; fit for the terminal already."""
    role: str = ""


def format_table(headings: Sequence[str], rows: Sequence[TableRow], width: int) -> list[Cells]:
    """Return the headings and the rows as lines; if they are too wide the last columns are dropped first.

    Args:
        headings: One per column.
        rows: The same number of cells each.
        width: Width of a line in cells.

    >>> for line in format_table(("metric", "now"), [TableRow(("accuracy", "0.9"))], 20):
    ...     print("".join(text for text, _ in line))
      metric    now
      accuracy  0.9
    """
    columns_of_cells = zip(headings, *(row.cells for row in rows), strict=True)
    widths = [max(map(display_width, column)) for column in columns_of_cells]
    min_name, columns = min(widths[0], MIN_NAME_WIDTH), len(widths)
    while columns > 1 and INDENT + min_name + sum(GAP + column for column in widths[1:columns]) > width:
        columns -= 1
    numbers = widths[1:columns]
    name = max(1, min(widths[0], width - INDENT - sum(GAP + column for column in numbers)))

    def layout_row(cells: Sequence[str]) -> str:
        padded = zip(cells[1:], numbers, strict=False)
        right = "".join(f"{' ' * (GAP + column - display_width(cell))}{cell}" for cell, column in padded)
        return f"{' ' * INDENT}{pad(cells[0], name)}{right}"

    return [((layout_row(headings), "dim"),), *(((layout_row(row.cells), row.role),) for row in rows)]
