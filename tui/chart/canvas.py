"""The drawing area of a chart: maps points to terminal cells, and selects the points and markers that are seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.series import Severity
from modeltop.core.stats.robust import distinct
from modeltop_tui.chart.data import ChartData, PlotTheme, Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats

    Cells = NDArray[np.int64]

BREACH_REACH = 4.0
"""Times the spread of the values within which a limit is drawn; one further away is named at the edge."""
_MAX_VALUE = 1e150
"""Largest value for which an axis can be computed without overflow; its inverse is the smallest range of one."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Maps times and values to cells; column 0 is at the left, row 0 at the bottom.

    A braille cell has 2 x 4 dots. Each marker, tick and limit is put into the cell in which the dot of a line would be,
    so that a marker is never beside its line.
    """

    width: int
    height: int
    start: float
    end: float
    low: float
    high: float
    has_subcells: bool
    """True for braille; False if a cell is one dot."""

    @property
    def dots_per_row(self) -> int:
        """Dots in the height of a cell."""
        return 4 if self.has_subcells else 1

    def x_fractions(self, times: Floats) -> Floats:
        """Return the position of each time as a fraction of the width."""
        return (times - self.start) / (self.end - self.start)

    def y_fractions(self, values: Floats) -> Floats:
        """Return the position of each value as a fraction of the height."""
        return (values - self.low) / (self.high - self.low)

    def columns(self, times: Floats) -> Cells:
        """Return the column of each time."""
        return _to_cells(self.x_fractions(times), self.width, 2 if self.has_subcells else 1)

    def rows(self, values: Floats) -> Cells:
        """Return the row of each value; outside the canvas for one outside its range."""
        return _to_cells(self.y_fractions(values), self.height, self.dots_per_row)

    def dots(self, values: Floats) -> Cells:
        """Return the dot of each value, counted from the bottom; there are `dots_per_row` per row."""
        return _to_cells(self.y_fractions(values), self.height * self.dots_per_row, 1)

    def row(self, value: float) -> int:
        """Return the row of one finite value."""
        return int(self.rows(np.array([value]))[0])


def _to_cells(fractions: Floats, cells: int, dots: int) -> Cells:
    finite = np.clip(np.where(np.isfinite(fractions), fractions, -1.0), -1.0, 2.0)
    return np.floor(np.round(0.5 + (cells * dots - 1) * finite, 8)).astype(np.int64) // dots


def clip_values(trace: Trace) -> Trace:
    """Return the trace with infinities for values that no axis can hold."""
    too_large = np.abs(trace.values) > _MAX_VALUE
    return replace(trace, values=np.where(too_large, np.copysign(np.inf, trace.values), trace.values))


def downsample(trace: Trace, canvas: Canvas) -> Cells:
    """Return the indices of the points to draw: all, or of each column the lowest, the highest and the worst breach.

    Points are left out if there are more than twice as many as columns.
    """
    count = len(trace.times)
    if count <= 2 * canvas.width:
        return np.arange(count)
    columns = canvas.columns(trace.times)
    finite = np.flatnonzero(np.isfinite(trace.values))
    by_value = finite[np.lexsort((trace.values[finite], columns[finite]))]
    notable = np.flatnonzero((trace.breaches > 0) | ~np.isfinite(trace.values))
    by_severity = notable[np.lexsort((trace.breaches[notable], columns[notable]))]
    firsts = by_value[np.diff(columns[by_value], prepend=-1) != 0]
    indices = [firsts, _lasts(by_value, columns), _lasts(by_severity, columns)]
    return distinct(np.concatenate(indices))


def _lasts(indices: Cells, columns: Cells) -> Cells:
    lasts: Cells = indices[np.diff(columns[indices], append=-1) != 0]
    return lasts


def strokes(trace: Trace, indices: Cells, canvas: Canvas) -> tuple[list[float], list[float]]:
    """Return the line through the points; it breaks at gaps and at values that are not finite.

    Args:
        trace: The points.
        indices: Those to draw.
        canvas: Maps times and values.

    Returns:
        Fractions of the width and of the height; NaN if the line breaks.
    """
    gaps_before = np.cumsum(trace.gaps)[indices]
    breaks = np.flatnonzero(np.diff(gaps_before)) + 1
    values = np.where(np.isfinite(trace.values[indices]), trace.values[indices], np.nan)
    xs = np.insert(canvas.x_fractions(trace.times[indices]), breaks, np.nan)
    ys = np.insert(canvas.y_fractions(values), breaks, np.nan)
    xs[np.isnan(ys)] = np.nan
    return xs.tolist(), ys.tolist()


def isolated_points(trace: Trace) -> Flags:
    """Return True for each finite point that has a gap on both sides, so that no line reaches it."""
    finite = np.isfinite(trace.values)
    joined = finite[1:] & finite[:-1] & ~trace.gaps[1:]
    isolated: Flags = finite & ~np.append(joined, np.False_) & ~np.insert(joined, 0, np.False_)
    return isolated


def value_range(chart: ChartData, traces: list[Trace]) -> tuple[float, float] | None:
    """Return both ends of the value axis, near limits included; None without a finite value."""
    values = np.concatenate([trace.values for trace in traces]) if traces else np.array([])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    reach = max(BREACH_REACH * (high - low), 10.0 ** (2 - chart.digits))
    trend = chart.annotations.trend
    extra = [*(limit.value for limit in chart.limits), *((trend.first, trend.last) if trend is not None else ())]
    near = [value for value in extra if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    # Values that are all equal get an axis of the size of their own last shown digits, not of their rounding.
    padding = 0.03 * (high - low)
    min_padding = max(1e-9 * max(abs(low), abs(high)), 1 / _MAX_VALUE)
    if padding <= min_padding:
        padding = max(10.0 ** (1 - chart.digits), min_padding)
    return low - padding, high + padding


def time_range(chart: ChartData) -> tuple[float, float]:
    """Return both ends of the time axis; for a single point half a day to either side."""
    if chart.end > chart.start:
        return chart.start, chart.end
    return chart.start - 43_200, chart.start + 43_200


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
