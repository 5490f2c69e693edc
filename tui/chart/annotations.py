"""Annotations, written into the cells that a drawing left free."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, product

import numpy as np
from rich.text import Text

from modeltop.core.text import display_width
from modeltop_tui.chart.canvas import Canvas
from modeltop_tui.chart.data import Annotations, ChartTrend, PlotTheme, VerticalMarker

_BLANK = " ⠀"
_OVERWRITABLE = f"{_BLANK}╎'"
_DOTS = "⡀⠄⠂⠁"
_MIN_CAPTION, _MAX_CAPTION = 8, 24
"""Width to which a longer caption may be cut, and to which it always is, in cells."""
_MAX_SHIFT = 4
"""Distance in cells within which a caption to the left of a line still seems to be its own."""
_FAINT, _PLAIN = "dim", ""
_CHANGE, _NOTE, _TREND = ("┊", ":"), ("╎", "'"), "+"

Sign = tuple[str, str]
Cell = tuple[int, int]
"""Column, and row counted from the bottom."""


def draw_annotations(rows: list[Text], annotations: Annotations, canvas: Canvas, left: int, theme: PlotTheme) -> None:
    """Write the annotations into free cells of the canvas; no other cell changes.

    Later ones in this order hide earlier ones: notes, trend, start of the change.

    Args:
        rows: The drawing; the first `canvas.height` rows are the canvas. Changed in place.
        annotations: The annotations to write.
        canvas: Maps times and values to cells.
        left: Column at which the canvas starts.
        theme: Characters and colors that the terminal can show.
    """
    signs: dict[Cell, Sign] = {}
    notes = _visible_markers(annotations.notes, canvas)
    change = _visible_markers((annotations.change,) if annotations.change else (), canvas)
    for column in notes:
        signs.update(_vertical_cells(column, canvas, (_NOTE[theme.ascii], _FAINT)))
    if annotations.trend is not None:
        signs.update(_trend_cells(annotations.trend, canvas, theme))
    for column in change:
        signs.update(_vertical_cells(column, canvas, (_CHANGE[theme.ascii], _PLAIN)))
    free = {cell for cell in signs if _is_free(rows[canvas.height - 1 - cell[1]].plain, left + cell[0])}
    for row in range(canvas.height):
        row_signs = sorted((column, signs[column, up]) for column, up in free if up == row)
        _write_signs(rows[canvas.height - 1 - row], [(left + column, sign) for column, sign in row_signs])
    body = rows[: canvas.height]
    _write_captions(body, {left + column: marker for column, marker in change.items()}, _PLAIN, theme)
    _write_captions(upwards := body[::-1], {left + column: marker for column, marker in notes.items()}, _FAINT, theme)
    rows[: canvas.height] = upwards[::-1]


def _is_free(plain: str, column: int) -> bool:
    """Return whether nothing is drawn there, and it is no space between two words."""
    neighbors = (plain[column - 1 : column] or " ", plain[column + 1 : column + 2] or " ")
    return plain[column] in _BLANK and not all(char.isalnum() or char in "<>," for char in neighbors)


def _visible_markers(markers: tuple[VerticalMarker, ...], canvas: Canvas) -> dict[int, VerticalMarker]:
    visible = [marker for marker in markers if canvas.start <= marker.time <= canvas.end]
    columns = canvas.columns(np.array([marker.time for marker in visible])).tolist()
    return dict(zip(columns, visible, strict=True))


def _vertical_cells(column: int, canvas: Canvas, sign: Sign) -> Iterator[tuple[Cell, Sign]]:
    return (((column, row), sign) for row in range(canvas.height))


def _trend_cells(trend: ChartTrend, canvas: Canvas, theme: PlotTheme) -> Iterator[tuple[Cell, Sign]]:
    """Return a dot in every column of the line; without braille, in every other."""
    if trend.end <= trend.start:
        return
    first, last = canvas.columns(np.clip([trend.start, trend.end], canvas.start, canvas.end)).tolist()
    columns = np.arange(first, last + 1, 2 if theme.ascii else 1)
    times = canvas.start + (columns + 0.5) / canvas.width * (canvas.end - canvas.start)
    ratio = np.clip((times - trend.start) / (trend.end - trend.start), 0, 1)
    dots = canvas.dots(trend.first + ratio * (trend.last - trend.first))
    for column, dot in zip(columns.tolist(), dots.tolist(), strict=True):
        row, dot_in_cell = divmod(dot, canvas.dots_per_row)
        if 0 <= row < canvas.height:
            yield (column, row), (_DOTS[dot_in_cell] if canvas.has_subcells else _TREND, _PLAIN)


def _write_signs(row: Text, signs: list[tuple[int, Sign]]) -> None:
    """Replace single cells of a row; the spans of the others stay as they are."""
    chars = list(row.plain)
    for column, (char, _) in signs:
        chars[column] = char
    row.plain = "".join(chars)
    for style, run in groupby(signs, key=lambda item: item[1][1]):
        if style:
            for column, _ in run:
                row.stylize(style, column, column + 1)


def _write_captions(rows: list[Text], markers: dict[int, VerticalMarker], style: str, theme: PlotTheme) -> None:
    """Write captions beside their lines, each into the first row that has room for enough of it, else a shorter one.

    From the right, so that wide characters move no cell that is still to be read.
    """
    for column in sorted(markers, reverse=True):
        caption, short = (theme.encode(text) for text in (markers[column].caption, markers[column].short_caption))
        least = _MAX_CAPTION if short else _MIN_CAPTION
        for text, (number, row) in product((caption, short), enumerate(rows)):
            start, room = _caption_slot(row.plain, column, min(display_width(text), _MAX_CAPTION), least)
            if room:
                cut = theme.truncate(text, room)
                rows[number] = Text.assemble(row[:start], (cut, style), row[start + display_width(cut) :])
                break


def _caption_slot(plain: str, column: int, wanted: int, least: int) -> tuple[int, int]:
    """Return where a caption beside the column may start, and its width; 0 if there is no room for the least."""
    right = plain[column + 1 : column + 1 + wanted + 1]
    free = len(right) - len(right.lstrip(_OVERWRITABLE))
    if free >= min(wanted, least):
        return column + 1, min(wanted, free)
    for end in range(column, max(column - _MAX_SHIFT, wanted), -1):
        if wanted and not plain[end - wanted : end].strip(_OVERWRITABLE) and not plain[end - wanted - 1].isalnum():
            return end - wanted, wanted
    return column, 0
