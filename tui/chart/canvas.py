"""The drawing area of a chart: maps points to terminal cells, and selects the points that are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.stats.robust import distinct
from modeltop_tui.chart.data import ChartData, Trace

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
