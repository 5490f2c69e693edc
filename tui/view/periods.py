"""The periods of a model as a table: periods down, the newest first, and metrics across."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Series, Severity, to_datetime
from modeltop.core.text import display_width, format_period, pad, truncate
from modeltop_tui.view.chart import point_levels
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, fit

if TYPE_CHECKING:
    from modeltop.core.series import Times

GAP = 2


class PeriodsTable:
    """The table of a model; lines are made on request, so that its length costs nothing.

    Args:
        index: Index of the snapshot.
        model: Name of the model.
    """

    def __init__(self, index: SnapshotIndex, model: str) -> None:
        self.series: list[Series] = index.series.get(model, [])
        self.metrics = [index.snapshot.catalog.get(series.key.metric) for series in self.series]
        times = index.snapshot.history.periods.get(model)
        self.times: Times = times if times is not None else np.empty(0, dtype="datetime64[us]")
        self._levels = [point_levels(index, series) for series in self.series]
        self._names = [truncate(label(series.key), 24) for series in self.series]
        self._widths = [max(display_width(name), 8) + 1 for name in self._names]
        self._date_width = 16 if any(format_period(to_datetime(time))[10:] for time in self.times[-50:]) else 10

    def __len__(self) -> int:
        return len(self.times)

    @property
    def width(self) -> int:
        """Width of a full line in cells."""
        return self._date_width + sum(GAP + column for column in self._widths)

    def heading(self, first_column: int, width: int) -> Cells:
        """Return the names of the metrics from a column on."""
        columns = list(zip(self._names, self._widths, strict=True))[first_column:]
        names = (f"{' ' * (GAP + column - display_width(name))}{name}" for name, column in columns)
        return fit(((pad("period", self._date_width), "head"), ("".join(names), "head")), width)

    def line(self, row: int, first_column: int) -> Cells:
        """Return one period, row 0 being the newest, from a column on."""
        time = self.times[len(self.times) - 1 - row]
        cells = (self._cell(column, time) for column in range(first_column, len(self.series)))
        return (pad(format_period(to_datetime(time)), self._date_width), ""), *cells

    def _cell(self, column: int, time: np.datetime64) -> tuple[str, str]:
        series, width = self.series[column], GAP + self._widths[column]
        index = int(np.searchsorted(series.times, time))
        if index >= len(series) or series.times[index] != time:
            return f"{'-':>{width}}", "dim"
        breaches, unevaluated = self._levels[column]
        severity = Severity(int(breaches[index]))
        text = self.metrics[column].format(float(series.values[index]))
        if severity:
            return f"{SHAPES[severity] + text:>{width}}", TINTS[severity]
        return f"{text:>{width}}", "dim" if unevaluated[index] else ""


_cached_table = lru_cache(maxsize=2)(PeriodsTable)


def periods_table(state: ScreenState) -> PeriodsTable | None:
    """Return the table of the selected model."""
    if state.snapshot is None or state.selection.model is None:
        return None
    return _cached_table(snapshot_index(state.snapshot), state.selection.model)
