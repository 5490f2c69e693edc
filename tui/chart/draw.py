"""Draws a chart with plotext; the only file that imports it.

plotext has one global figure, so `draw_chart` belongs to the UI thread. plotext is given numbers and dates only:
foreign text (the names of lines) is written beside its drawing, never into it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import plotext
from rich.text import Text

from modeltop.core.series import Severity
from modeltop.core.text import display_width, truncate_apart
from modeltop_tui.chart.annotations import draw_annotations
from modeltop_tui.chart.axes import (
    DAY_SECONDS,
    Tick,
    axis_context,
    date_ticks,
    single_date_tick,
    value_ticks,
    with_last_day,
)
from modeltop_tui.chart.canvas import Canvas, clip_values, downsample, strokes, time_range, value_range
from modeltop_tui.chart.data import ChartData, LimitLine, PlotTheme, Trace
from modeltop_tui.chart.markers import YELLOW, line_color, place_markers, severity_color

_NARROW, _LOW = 20, 5
_ROWS_PER_TICK = 2
_ASCII = str.maketrans("━─╌│┼├┤┬┴└↑↓", "=--|++++++^v")
_STYLES = {YELLOW: "yellow", "blue+": "bright_blue", "magenta+": "bright_magenta", "white": "bright_white"}
"""Rich's names of plotext's colors, if they differ."""
_AXIS = "dim"
"""Style of axes and dates: the bright black that plotext draws them in is not seen on every terminal."""


class _Layout(NamedTuple):
    """The layout of a drawing of `width` x `height` cells."""

    width: int
    height: int
    canvas: Canvas
    left: int
    """Width of the value axis, left of the canvas, in cells."""
    values: list[Tick]
    """Ticks of the value axis; empty without one."""
    dates: list[Tick]
    """Ticks of the time axis; empty without one."""
    corner: str
    """Text in the corner: the year or date that the ticks leave out."""


@lru_cache(maxsize=128)
def draw_chart(chart: ChartData, width: int, height: int, theme: PlotTheme) -> Text:
    """Draw a chart as `height` rows of exactly `width` cells.

    Args:
        chart: The content; its identity keys the cache.
        width: Width in cells.
        height: Number of rows.
        theme: Characters and colors that the terminal can show.

    Returns:
        Rows joined by newlines. Cached: do not change it.
    """
    if width < 1 or height < 1:
        return Text()
    traces = [clip_values(trace) for trace in chart.traces]
    values = value_range(chart, traces)
    if values is None:
        rows = _message(chart.empty_message, width, height, theme)
    else:
        head = _legend(traces, width, theme) if chart.has_legend and height > _LOW and len(traces) > 1 else []
        layout = _lay_out(chart, values, (width, height - len(head)), theme)
        rows = head + _draw_rows(chart, traces, layout, theme)
    return Text("\n", no_wrap=True, end="").join(rows)


def _message(text: str, width: int, height: int, theme: PlotTheme) -> list[Text]:
    rows = [Text(" " * width)] * height
    text = theme.truncate(theme.encode(text), width)
    left = (width - display_width(text)) // 2
    rows[(height - 1) // 2] = Text(" " * left + text + " " * (width - left - display_width(text)))
    return rows


def _legend(traces: list[Trace], width: int, theme: PlotTheme) -> list[Text]:
    room = max(4, width // len(traces) - 4)
    row = Text()
    names = truncate_apart(tuple(theme.encode(trace.name) for trace in traces), room)
    for number, trace in enumerate(traces):
        name = theme.encode_ellipsis(names[theme.encode(trace.name)])
        color = line_color(number, theme)
        row.append(f" {number + 1} {name} ", _STYLES.get(color, color))
    row.truncate(width, pad=True)
    return [row]


def _lay_out(chart: ChartData, values: tuple[float, float], size: tuple[int, int], theme: PlotTheme) -> _Layout:
    width, height = size
    rows = height - 2 if height >= _LOW else height
    ticks = value_ticks(*values, max(2, (rows + 1) // _ROWS_PER_TICK)) if width >= _NARROW else []
    left = max(len(label) for _, label in ticks) + 1 if ticks else 0
    start, end = time_range(chart)
    canvas = Canvas(width - left, rows, start, end, *values, has_subcells=not theme.ascii)
    if height < _LOW:
        return _Layout(width, height, canvas, left, ticks, [], "")
    if chart.end <= chart.start:
        return _Layout(width, height, canvas, left, ticks, single_date_tick(chart.start, canvas.width), "")
    is_daily = not any((trace.times % DAY_SECONDS).any() for trace in chart.traces)
    dates = date_ticks(start, end, canvas.width, is_daily=is_daily)
    last = max((float(trace.times[-1]) for trace in chart.traces if len(trace.times)), default=end)
    dates = with_last_day(dates, last, (start, end), canvas.width) if is_daily else dates
    corner = axis_context(start, end)
    is_repeated = any(label == corner for _, label in dates)
    return _Layout(width, height, canvas, left, ticks, dates, "" if is_repeated else corner)


def _draw_rows(chart: ChartData, traces: list[Trace], layout: _Layout, theme: PlotTheme) -> list[Text]:
    canvas = layout.canvas
    _prepare(layout)
    limits = sorted(chart.limits, key=lambda limit: limit.severity)
    for limit in limits:
        height = canvas.row(limit.value)
        if 0 <= height < canvas.height:
            plotext.hline(_cell_fraction(height, canvas.height), color=severity_color(limit.severity, theme))
    if chart.cursor is not None:
        column = int(canvas.columns(np.array([chart.cursor]))[0])
        plotext.vline(_cell_fraction(column, canvas.width))
    _plot(traces, canvas, theme)
    drawing = Text.from_ansi(plotext.build())
    drawing.spans = [span._replace(style=_AXIS) if str(span.style) == "color(8)" else span for span in drawing.spans]
    rows = list(drawing.split("\n"))[: layout.height]
    for limit in reversed(limits):
        _write_limit_label(rows, limit, layout, theme)
    if layout.dates:
        rows[-1] = _date_row(layout)
    for row in rows:
        row.truncate(layout.width, pad=True)
        if theme.ascii:
            row.plain = row.plain.translate(_ASCII)
    draw_annotations(rows, chart.annotations, canvas, layout.width - canvas.width, theme)
    return rows


def _prepare(layout: _Layout) -> None:
    """Empty the figure and set size, axes and ticks. All coordinates are fractions of the canvas."""
    canvas = layout.canvas
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.ticks_color("gray")
    plotext.limit_size(width=False, height=False)
    plotext.plotsize(layout.width, layout.height)
    plotext.xaxes(lower=layout.height >= _LOW, upper=False)
    plotext.yaxes(left=bool(layout.values), right=False)
    plotext.xlim(0, 1)
    plotext.ylim(0, 1)
    rows = canvas.rows(np.array([value for value, _ in layout.values])).tolist()
    plotext.yticks([_cell_fraction(row, canvas.height) for row in rows], [label for _, label in layout.values])
    columns = canvas.columns(np.array([time for time, _ in layout.dates])).tolist()
    # The row of labels is written by `_date_row`; a blank one makes plotext keep the row and mark the tick.
    plotext.xticks([_cell_fraction(column, canvas.width) for column in columns], [" "] * len(columns))


def _cell_fraction(cell: int, cells: int) -> float:
    return cell / (cells - 1) if cells > 1 else 0.5


def _plot(traces: list[Trace], canvas: Canvas, theme: PlotTheme) -> None:
    for number, trace in reversed(list(enumerate(traces))):  # the selected one last, over the others
        xs, ys = strokes(trace, downsample(trace, canvas), canvas)
        if xs:
            dots = "braille" if canvas.has_subcells else "." if len(traces) == 1 else str(number + 1)
            plotext.plot(xs, ys, marker=dots, color=line_color(number, theme))
    groups: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for cell, marker in place_markers(traces, canvas, theme).items():
        groups[marker.symbol, marker.colour].append(cell)
    for (symbol, color), cells in groups.items():
        xs = [_cell_fraction(column, canvas.width) for column, _ in cells]
        plotext.scatter(xs, [_cell_fraction(row, canvas.height) for _, row in cells], marker=symbol, color=color)


def _write_limit_label(rows: list[Text], limit: LimitLine, layout: _Layout, theme: PlotTheme) -> None:
    """Write the label of a limit into free cells: on its line, else just above or below it, else not at all."""
    canvas = layout.canvas
    row = canvas.row(limit.value)
    text = theme.encode(limit.label)
    if row < 0 or row >= canvas.height:
        arrow, row = ("↓", 0) if row < 0 else ("↑", canvas.height - 1)
        candidates = [(canvas.height - 1 - row, " ", f"{arrow} {text}")]
    else:
        at = canvas.height - 1 - row
        character = _limit_character(limit.severity, theme)
        rows[at].plain = rows[at].plain.replace("─", character)
        candidates = [(at, character, text), (at - 1, " ", text), (at + 1, " ", text)]
    for at, free, label in candidates:
        if 0 <= at < canvas.height and _write_if_free(rows, at, free, label, severity_color(limit.severity, theme)):
            return


def _limit_character(severity: Severity, theme: PlotTheme) -> str:
    if severity is not Severity.CRITICAL:
        return "╌"
    return "━" if theme.ascii else "─"


def _write_if_free(rows: list[Text], at: int, free: str, label: str, color: str) -> bool:
    room = free * (display_width(label) + 2)
    start = rows[at].plain.rfind(room)
    if start < 0:
        return False
    before, after = rows[at][: start + 1], rows[at][start + 1 + display_width(label) :]
    rows[at] = Text.assemble(before, (label, _STYLES.get(color, color)), after)
    return True


def _date_row(layout: _Layout) -> Text:
    corner = layout.corner if len(layout.corner) < layout.left else ""
    row = corner.ljust(layout.width)
    free = len(corner) + 1 if corner else 0
    columns = layout.canvas.columns(np.array([time for time, _ in layout.dates])).tolist()
    for column, (_, label) in zip(columns, layout.dates, strict=True):
        start = max(free, min(layout.left + column - len(label) // 2, layout.width - len(label)))
        if start + len(label) <= layout.width:
            row = row[:start] + label + row[start + len(label) :]
            free = start + len(label) + 1
    return Text(row, _AXIS)
