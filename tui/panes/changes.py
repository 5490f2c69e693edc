"""The changes of the selected series."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from tui.panes.base import Body, Pane
from tui.present.changes import change_lines


class ChangesPane(Pane):
    """The verdict in one sentence, then by how much the metric moved, and whether that can be chance."""

    NUMBER = 5
    TITLE = "Changes"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("d", "app.deed('diagnosis')", "why", tooltip="diagnosis: what happened, why, and what to do"),
    )

    def body(self, cells_wide: int, rows: int) -> Body:
        """The verdict and one line a comparison."""
        del rows
        lines = change_lines(self.scene, cells_wide)
        return Body(len(lines), lambda at: lines[at])
