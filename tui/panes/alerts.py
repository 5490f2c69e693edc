"""The alerts: the selected model's first, how its other rules stand, then the other models'."""

from __future__ import annotations

from tui.panes.base import Body, Pane
from tui.present.alerts import Entry, entries
from tui.present.cells import Cells, wrap


class AlertsPane(Pane):
    """What is wrong and since when; a click goes to the series."""

    NUMBER = 4
    TITLE = "Alerts"

    def body(self, cells_wide: int, rows: int) -> Body:
        """The lines of all entries."""
        del rows
        lines: list[Cells] = [line for entry in self._entries(cells_wide) for line in entry.lines]
        if not lines:
            lines = wrap(self.scene.loading, cells_wide)
        return Body(len(lines), lambda at: lines[at])

    def _entries(self, cells_wide: int) -> list[Entry]:
        return entries(self.scene, cells_wide)

    def pointed(self, row: int) -> None:
        """A click looks at the series that the alert is about."""
        at = 0
        for entry in self._entries(max(0, self.size.width - 2)):
            at += len(entry.lines)
            if row < at:
                if entry.episode is not None:
                    self.post_message(self.Look(entry.episode.key.model, entry.episode.key))
                return
