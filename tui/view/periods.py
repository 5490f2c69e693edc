"""One model's periods as a table: dates down, metrics across, the newest first."""

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
    """The table of a model. Lines are made when they are asked for, so its length costs nothing."""

    def __init__(self, known: SnapshotIndex, model: str) -> None:
        self.series: list[Series] = known.series.get(model, [])
        self.metrics = [known.snapshot.catalog.get(series.key.metric) for series in self.series]
        times = known.snapshot.history.periods.get(model)
        self.times: Times = times if times is not None else np.empty(0, dtype="datetime64[us]")
        self._judged = [point_levels(known, series) for series in self.series]
        self._names = [truncate(label(series.key), 24) for series in self.series]
        self._wide = [max(display_width(name), 8) + 1 for name in self._names]
        self._date_wide = 16 if any(format_period(to_datetime(stamp))[10:] for stamp in self.times[-50:]) else 10

    def __len__(self) -> int:
        return len(self.times)

    @property
    def cells_wide(self) -> int:
        """Cells of a whole line."""
        return self._date_wide + sum(GAP + wide for wide in self._wide)

    def heading(self, first: int, cells_wide: int) -> Cells:
        """The names of the metrics from the column `first` on."""
        names = (f"{' ' * GAP}{' ' * (wide - display_width(name))}{name}" for name, wide in self._columns(first))
        return fit(((pad("period", self._date_wide), "head"), ("".join(names), "head")), cells_wide)

    def _columns(self, first: int) -> list[tuple[str, int]]:
        return list(zip(self._names, self._wide, strict=True))[first:]

    def line(self, row: int, first: int) -> Cells:
        """The period `row`, 0 being the newest, from the column `first` on."""
        stamp = self.times[len(self.times) - 1 - row]
        cells = (self._cell(at, stamp) for at in range(first, len(self.series)))
        return (pad(format_period(to_datetime(stamp)), self._date_wide), ""), *cells

    def _cell(self, at: int, stamp: np.datetime64) -> tuple[str, str]:
        series, wide = self.series[at], GAP + self._wide[at]
        index = int(np.searchsorted(series.times, stamp))
        if index >= len(series) or series.times[index] != stamp:
            return f"{'-':>{wide}}", "dim"
        breaches, held = self._judged[at]
        severity = Severity(int(breaches[index]))
        text = self.metrics[at].format(float(series.values[index]))
        if severity:
            return f"{SHAPES[severity] + text:>{wide}}", TINTS[severity]
        return f"{text:>{wide}}", "dim" if held[index] else ""


@lru_cache(maxsize=2)
def _periods(known: SnapshotIndex, model: str) -> PeriodsTable:
    return PeriodsTable(known, model)


def periods_table(scene: ScreenState) -> PeriodsTable | None:
    """The table of the selected model."""
    if scene.snapshot is None or scene.selection.model is None:
        return None
    return _periods(snapshot_index(scene.snapshot), scene.selection.model)
