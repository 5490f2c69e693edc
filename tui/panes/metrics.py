"""The table of the selected model's metrics."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from tui.panes.base import Body, Pane
from tui.present.metrics import columns, heading, metric_cells, rows


class MetricsPane(Pane):
    """Latest value, changes, support and rule of each metric."""

    NUMBER = 2
    TITLE = "Metrics"
    STEPS = "metric"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("right,l", "go('side', 1)", "metric", key_display="←→", tooltip="next metric (→ l); with c, point"),
        Binding("left,h", "go('side', -1)", "previous metric; with c, point", key_display="← h", show=False),
        Binding("v", "app.deed('periods')", "the periods as a table", show=False),
    )

    def body(self, cells_wide: int, high: int) -> Body:
        """One line a series."""
        del high
        table = rows(self.scene)
        if not table:
            return Body(1, lambda _: (("no metrics", "dim"),)) if self.scene.snapshot else Body()
        shape = columns(table, cells_wide)
        keys = [row.key for row in table]
        chosen = self.scene.view.key
        at = keys.index(chosen) if chosen in keys else None
        return Body(
            len(table), lambda row: metric_cells(table[row], shape, selected=row == at), at, heading=(heading(shape),)
        )

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("metric", steps))

    def pointed(self, row: int) -> None:
        """A click selects."""
        key = rows(self.scene)[row].key
        self.post_message(self.Look(key.model, key))
