"""The markers of a chart: which points have one, and which of several in one cell is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.series import Severity
from modeltop.core.stats.robust import distinct
from modeltop_tui.chart.canvas import Canvas, downsample, isolated_points
from modeltop_tui.chart.data import PlotTheme, Trace

if TYPE_CHECKING:
    from modeltop_tui.chart.canvas import Cells

RED, YELLOW = "red", "orange"
_DARK, _LIGHT = ("cyan", "blue+", "white", "magenta+"), ("blue", "magenta+", "black", "cyan")
MAX_LINES = len(_DARK)
"""Lines of a chart that have a color of their own."""
_COLUMNS_PER_POINT = 3
_COLUMNS_PER_DIGIT = 16


class Marker(NamedTuple):
    """A character in a cell. Of several in one cell the greatest is seen: breaches hide all else."""

    rank: int
    symbol: str
    colour: str


def severity_color(severity: Severity, theme: PlotTheme) -> str:
    """Return the color of a breach, and of the limit that is exceeded."""
    if not theme.colours or severity is Severity.OK:
        return "default"
    return RED if severity is Severity.CRITICAL else YELLOW


def line_color(number: int, theme: PlotTheme) -> str:
    """Return the color of a line by its number, from 0; none is that of a severity."""
    palette = _LIGHT if theme.light else _DARK
    return palette[number % len(palette)] if theme.colours else "default"


def place_markers(traces: list[Trace], canvas: Canvas, theme: PlotTheme) -> dict[tuple[int, int], Marker]:
    """Return the marker that is seen in each cell (column, row) that has one.

    Args:
        traces: The selected one first.
        canvas: Maps times and values.
        theme: Characters and colors that the terminal can show.
    """
    markers: dict[tuple[int, int], Marker] = {}
    for number, trace in enumerate(traces):
        columns, rows = canvas.columns(trace.times), _rows(trace, canvas)
        for index, marker in _trace_markers(trace, (number, len(traces)), canvas, theme):
            cell = int(columns[index]), int(rows[index])
            markers[cell] = max(marker, markers.get(cell, marker))
    return markers


def _rows(trace: Trace, canvas: Canvas) -> Cells:
    edges = np.where(trace.values > 0, canvas.height - 1, 0)
    return np.where(np.isinf(trace.values), edges, canvas.rows(trace.values))


def _trace_markers(
    trace: Trace, position: tuple[int, int], canvas: Canvas, theme: PlotTheme
) -> Iterator[tuple[int, Marker]]:
    number, count = position
    indices = downsample(trace, canvas)
    color = line_color(number, theme)
    isolated = isolated_points(trace)
    has_room = count == 1 and len(indices) * _COLUMNS_PER_POINT <= canvas.width
    for index in indices.tolist():
        marker = _point_marker(trace, index, theme)
        if marker is not None:
            yield index, marker
        elif (has_room or isolated[index]) and not np.isnan(trace.values[index]):
            yield index, Marker(0, "*" if theme.ascii else "•", color)
    if count > 1:
        for index in _label_points(trace, position, canvas):
            yield index, Marker(1, str(number + 1), color)


def _point_marker(trace: Trace, index: int, theme: PlotTheme) -> Marker | None:
    value, severity = trace.values[index], Severity(int(trace.breaches[index]))
    if np.isinf(value):
        symbols = ("^", "v") if theme.ascii else ("↑", "↓")
        return Marker(3, symbols[0] if value > 0 else symbols[1], severity_color(severity, theme))
    if trace.unevaluated[index]:
        return Marker(2, "o" if theme.ascii else "○", "default")
    if severity is Severity.CRITICAL:
        return Marker(5, "X" if theme.ascii else "▲", severity_color(severity, theme))
    if severity is not Severity.OK:
        return Marker(4, "!" if theme.ascii else "◆", severity_color(severity, theme))
    return None


def _label_points(trace: Trace, position: tuple[int, int], canvas: Canvas) -> list[int]:
    """Return the points that are labeled by the line's number: evenly apart, and apart from those of other lines."""
    finite = np.flatnonzero(np.isfinite(trace.values))
    if not len(finite):
        return []
    number, count = position
    labels = max(2, canvas.width // _COLUMNS_PER_DIGIT)
    targets = (np.arange(labels) + (number + 0.5) / count) / labels
    distance = np.abs(canvas.x_fractions(trace.times[finite])[None, :] - targets[:, None])
    nearest: list[int] = finite[distinct(distance.argmin(axis=1))].tolist()
    return nearest
