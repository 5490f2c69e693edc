"""What was found out about the points, written into the cells that a drawing left free. Pure but for Rich's text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from rich.text import Text

from modeltop.core.text import display_width as cells_of
from modeltop.core.text import truncate
from modeltop_tui.chart.canvas import Canvas
from modeltop_tui.chart.data import Annotations, ChartBand, ChartTrend, PlotTheme, VerticalMarker

_BLANK = " ⠀"
_OVERWRITABLE = f"{_BLANK}┈~╎'"
"""What words may be written over."""
_DOTS = "⡀⠄⠂⠁"
"""One dot of braille, from the lowest to the highest of a cell."""
_MIN_CAPTION = 8
"""Cells of a longer caption that are worth writing."""
_MAX_CAPTION = 24
_MIN_RUN = 3
"""Cells of the shortest piece of the band that is drawn."""
_MAX_SHIFT = 4
"""Cells from a line within which words to its left still seem to be its own."""
_FAINT, _PLAIN, _STRONG = "dim", "", "bold"
_CHANGE, _NOTE, _BAND, _TREND = ("┊", ":"), ("╎", "'"), ("┈", "~"), "+"
"""The signs, and those for a terminal that knows ASCII alone."""

Sign = tuple[str, str]
"""A character and its style."""
Cell = tuple[int, int]
"""Column, and row counted from the bottom."""


def draw_annotations(rows: list[Text], annotations: Annotations, canvas: Canvas, left: int, theme: PlotTheme) -> None:
    """Write into the first `canvas.height` of the rows, whose canvas begins at the cell `left`; no other cell changes.

    What is later in this order hides what is earlier: band, notes, trend, begin of the change.
    """
    signs: dict[Cell, Sign] = {}
    band, notes = annotations.band, _visible_markers(annotations.notes, canvas)
    change = _visible_markers((annotations.change,) if annotations.change else (), canvas)
    if band is not None:
        signs.update(_band_cells(band, canvas, theme))
    for column, _ in notes:
        signs.update(_vertical_cells(column, canvas, (_NOTE[theme.ascii], _FAINT)))
    if annotations.trend is not None:
        signs.update(_trend_cells(annotations.trend, canvas, theme))
    for column, _ in change:
        signs.update(_vertical_cells(column, canvas, (_CHANGE[theme.ascii], _STRONG)))
    free = {cell for cell in signs if _is_free(rows[canvas.height - 1 - cell[1]].plain, left + cell[0])}
    free -= _short_runs({cell for cell in free if signs[cell][0] == _BAND[theme.ascii]})
    for row in range(canvas.height):
        row_signs = sorted((column, signs[column, up]) for column, up in free if up == row)
        _write_signs(rows, canvas.height - 1 - row, [(left + column, sign) for column, sign in row_signs])
    body = rows[: canvas.height]
    _write_captions(body, [(left + at, text) for at, text in change], _STRONG, theme)
    _write_captions(upwards := body[::-1], [(left + at, text) for at, text in notes], _FAINT, theme)
    rows[: canvas.height] = upwards[::-1]


def _is_free(plain: str, at: int) -> bool:
    """Whether nothing is drawn there, and it is no space between two words."""
    if plain[at] not in _BLANK:
        return False
    return not all(
        char.isalnum() or char in "<>," for char in (plain[at - 1 : at] or " ", plain[at + 1 : at + 2] or " ")
    )


def _short_runs(band: set[Cell]) -> set[Cell]:
    """Cells of the band between points that stand close together: shorter pieces look like points themselves."""
    short: set[Cell] = set()
    for column, row in band:
        run = next(n for n in range(_MIN_RUN + 1) if n == _MIN_RUN or (column - n - 1, row) not in band)
        run += next(n for n in range(_MIN_RUN + 1) if n == _MIN_RUN or (column + n + 1, row) not in band)
        if run + 1 < _MIN_RUN:
            short.add((column, row))
    return short


def _visible_markers(markers: tuple[VerticalMarker, ...], canvas: Canvas) -> list[tuple[int, str]]:
    """Column and caption of each that is in sight; of several in one column the last."""
    visible = [each for each in markers if canvas.start <= each.time <= canvas.end]
    columns = canvas.columns(np.array([each.time for each in visible])).tolist()
    return sorted({column: each.caption for column, each in zip(columns, visible, strict=True)}.items())


def _vertical_cells(column: int, canvas: Canvas, sign: Sign) -> Iterator[tuple[Cell, Sign]]:
    return (((column, row), sign) for row in range(canvas.height))


def _band_cells(band: ChartBand, canvas: Canvas, theme: PlotTheme) -> Iterator[tuple[Cell, Sign]]:
    start, end = max(band.start, canvas.start), min(band.end, canvas.end)
    if start > end:
        return
    first, last = canvas.columns(np.array([start, end])).tolist()
    for value in (band.low, band.high):
        row = canvas.row(value)
        if 0 <= row < canvas.height:
            yield from (((column, row), (_BAND[theme.ascii], _FAINT)) for column in range(first, last + 1))


def _trend_cells(trend: ChartTrend, canvas: Canvas, theme: PlotTheme) -> Iterator[tuple[Cell, Sign]]:
    """A dot in every column of the line; where there is no braille, in every other."""
    if trend.end <= trend.start:
        return
    first, last = canvas.columns(np.clip([trend.start, trend.end], canvas.start, canvas.end)).tolist()
    columns = np.arange(first, last + 1, 2 if theme.ascii else 1)
    times = canvas.start + (columns + 0.5) / canvas.width * (canvas.end - canvas.start)
    ratio = np.clip((times - trend.start) / (trend.end - trend.start), 0, 1)
    dots = canvas.dots(trend.first + ratio * (trend.last - trend.first))
    for column, dot in zip(columns.tolist(), dots.tolist(), strict=True):
        row, height = divmod(dot, 4 if canvas.has_subcells else 1)
        if 0 <= row < canvas.height:
            yield (column, row), (_DOTS[height] if canvas.has_subcells else _TREND, _PLAIN)


def _write_signs(rows: list[Text], at: int, signs: list[tuple[int, Sign]]) -> None:
    """Replace single cells of a row; the spans of the others stay as they are."""
    if not signs:
        return
    row = rows[at]
    chars = list(row.plain)
    for column, (char, _) in signs:
        chars[column] = char
    row.plain = "".join(chars)
    for style, run in groupby(signs, key=lambda each: each[1][1]):
        if style:
            for column, _ in run:
                row.stylize(style, column, column + 1)


def _write_captions(rows: list[Text], markers: list[tuple[int, str]], style: str, theme: PlotTheme) -> None:
    """Write words beside their lines, into the first of the rows that has room for them, or for enough of them.

    From the right, so that wide characters move no cell that is still to be looked at.
    """
    for at, caption in sorted(markers, reverse=True):
        text = caption.encode("ascii", "backslashreplace").decode("ascii") if theme.ascii else caption
        for number, row in enumerate(rows):
            start, room = _caption_slot(row.plain, at, min(cells_of(text), _MAX_CAPTION))
            if room:
                text = truncate(text, room)
                text = text.replace("…", "~") if theme.ascii else text
                after = row[start + cells_of(text) :]
                rows[number] = Text.assemble(row[:start], (text, style), after)
                break


def _caption_slot(plain: str, at: int, wanted: int) -> tuple[int, int]:
    """Where words beside the cell `at` may begin, and how many of the wanted cells they may take; 0 for none."""
    right = plain[at + 1 : at + 1 + wanted + 1]
    free = len(right) - len(right.lstrip(_OVERWRITABLE))
    if free >= min(wanted, _MIN_CAPTION):
        return at + 1, min(wanted, free)
    for end in range(at, max(at - _MAX_SHIFT, wanted), -1):
        if wanted and not plain[end - wanted : end].strip(_OVERWRITABLE) and not plain[end - wanted - 1].isalnum():
            return end - wanted, wanted
    return at, 0
