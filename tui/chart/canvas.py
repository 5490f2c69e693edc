"""The drawing area of a chart in terminal cells: which point falls into which, and which points are drawn. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.stats.robust import distinct
from modeltop_tui.chart.data import ChartData, Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats

    Cells = NDArray[np.int64]

BREACH_REACH = 4.0
"""A limit further from the values than this many times their own spread is named at the edge, not drawn."""
_MAX_VALUE = 1e150
"""Values beyond it would overflow where an axis is computed."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Maps times and values to cells; column 0 is at the left, row 0 at the bottom.

    A cell of braille has 2 x 4 dots; every mark, tick and limit line is put into the cell in which the line's dot
    would be, so that a mark never stands beside its line.
    """

    width: int
    height: int
    start: float
    end: float
    low: float
    high: float
    has_subcells: bool
    """True for braille; False where one cell is one dot."""

    def x_fractions(self, times: Floats) -> Floats:
        """The fraction of the width at which each time stands."""
        return (times - self.start) / (self.end - self.start)

    def y_fractions(self, values: Floats) -> Floats:
        """The fraction of the height at which each value stands."""
        return (values - self.low) / (self.high - self.low)

    def columns(self, times: Floats) -> Cells:
        """The column of each time."""
        return _to_cells(self.x_fractions(times), self.width, 2 if self.has_subcells else 1)

    def rows(self, values: Floats) -> Cells:
        """The row of each value; outside the canvas for one that is outside its range."""
        return _to_cells(self.y_fractions(values), self.height, 4 if self.has_subcells else 1)

    def dots(self, values: Floats) -> Cells:
        """The dot of each value, counted from the bottom: four a row, or one where a cell is one dot."""
        dots = 4 if self.has_subcells else 1
        return _to_cells(self.y_fractions(values), self.height * dots, 1)

    def row(self, value: float) -> int:
        """The row of one finite value."""
        return int(self.rows(np.array([value]))[0])


def _to_cells(fractions: Floats, cells: int, dots: int) -> Cells:
    finite = np.clip(np.where(np.isfinite(fractions), fractions, -1.0), -1.0, 2.0)
    return np.floor(np.round(0.5 + (cells * dots - 1) * finite, 8)).astype(np.int64) // dots


def clip_to_window(trace: Trace, start: float, end: float) -> Trace:
    """The part of the line within [start, end]; what no axis can hold counts as infinite."""
    first, last = np.searchsorted(trace.times, start, "left"), np.searchsorted(trace.times, end, "right")
    window = slice(int(first), int(last))
    values = np.where(
        np.abs(trace.values[window]) > _MAX_VALUE, np.copysign(np.inf, trace.values[window]), trace.values[window]
    )
    return Trace(
        trace.name, trace.times[window], values, trace.breaches[window], trace.unevaluated[window], trace.gaps[window]
    )


def downsample(trace: Trace, canvas: Canvas) -> Cells:
    """Indices of the points to draw: all, or of each column the lowest, the highest and the worst breach.

    Columns are thinned where there are more than twice as many points as columns.
    """
    count = len(trace.times)
    if count <= 2 * canvas.width:
        return np.arange(count)
    columns = canvas.columns(trace.times)
    finite = np.flatnonzero(np.isfinite(trace.values))
    by_value = finite[np.lexsort((trace.values[finite], columns[finite]))]
    notable = np.flatnonzero((trace.breaches > 0) | ~np.isfinite(trace.values))
    by_severity = notable[np.lexsort((trace.breaches[notable], columns[notable]))]
    indices = [_firsts(by_value, columns), _lasts(by_value, columns), _lasts(by_severity, columns)]
    return distinct(np.concatenate(indices))


def _firsts(indices: Cells, columns: Cells) -> Cells:
    firsts: Cells = indices[np.diff(columns[indices], prepend=-1) != 0]
    return firsts


def _lasts(indices: Cells, columns: Cells) -> Cells:
    lasts: Cells = indices[np.diff(columns[indices], append=-1) != 0]
    return lasts


def strokes(trace: Trace, indices: Cells, canvas: Canvas) -> tuple[list[float], list[float]]:
    """Fractions across and up to be joined by a line; NaN where it breaks: at gaps and where there is no number."""
    stretch = np.cumsum(trace.gaps)[indices]
    breaks = np.flatnonzero(np.diff(stretch)) + 1
    values = np.where(np.isfinite(trace.values[indices]), trace.values[indices], np.nan)
    xs = np.insert(canvas.x_fractions(trace.times[indices]), breaks, np.nan)
    ys = np.insert(canvas.y_fractions(values), breaks, np.nan)
    xs[np.isnan(ys)] = np.nan
    return xs.tolist(), ys.tolist()


def isolated_points(trace: Trace) -> Flags:
    """True for finite points that no stroke reaches, because there are gaps on both sides."""
    finite = np.isfinite(trace.values)
    joined = finite[1:] & finite[:-1] & ~trace.gaps[1:]
    isolated: Flags = finite & ~np.append(joined, np.False_) & ~np.insert(joined, 0, np.False_)
    return isolated


def value_range(chart: ChartData, traces: list[Trace]) -> tuple[float, float] | None:
    """The lowest and the highest value to be shown, near limits included; None without a finite value."""
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
    min_padding = max(abs(low), abs(high)) * 1e-9
    if padding <= min_padding:
        padding = max(10.0 ** (1 - chart.digits), min_padding)
    return low - padding, high + padding


def time_range(chart: ChartData) -> tuple[float, float]:
    """Both ends of the time axis; a day about the only point where they are one."""
    if chart.end > chart.start:
        return chart.start, chart.end
    return chart.start - 43_200, chart.start + 43_200
