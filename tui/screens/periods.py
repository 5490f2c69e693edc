"""The periods of one model as a table, newest first."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.text import plural, safe
from modeltop_tui.screens.modal import CoverScreen
from modeltop_tui.view.periods import Periods, periods_of
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.pane import Body, Pane


class PeriodsPane(Pane):
    """Dates down, metrics across; a line is made when it comes into sight."""

    TITLE = "Periods"

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.first = 0
        self.at = 0
        self._placed = False

    def body(self, cells_wide: int, rows: int) -> Body:
        """One line a period."""
        del rows
        table = periods_of(self.scene)
        if table is None or not len(table):
            return Body(1, lambda _: (("no periods", "dim"),))
        self.at = max(0, min(self.at, len(table) - 1))
        if not self._placed:
            self._placed = True
            keys = [series.key for series in table.series]
            if table.cells_wide > cells_wide and self.scene.view.key in keys:
                self.first = keys.index(self.scene.view.key)
        return Body(
            len(table), lambda row: self._line(table, row), self.at, heading=(table.heading(self.first, cells_wide),)
        )

    def _line(self, table: Periods, row: int) -> Cells:
        line = table.line(row, self.first)
        return ((line[0][0], "cursor"), *line[1:]) if row == self.at else line

    def title(self) -> str:
        """Whose periods, and how many."""
        table = periods_of(self.scene)
        count = plural(len(table), "period") if table is not None else ""
        return f"{safe(self.scene.view.model, 60)} {count}"

    def note(self) -> str:
        """How to move and to leave."""
        table = periods_of(self.scene)
        if table is None:
            return "v or q back"
        fits = table.cells_wide <= self.size.width - 2
        metrics = "" if fits else f"from metric {self.first + 1} of {len(table.series)}  "
        return f"{self.at + 1} of {len(table)}  {metrics}↑↓ ←→ move  v or q back"

    def step(self, steps: int) -> None:
        """Up and down move the cursor."""
        self.at += steps
        self.show()

    def pointed(self, row: int) -> None:
        """A click moves the cursor."""
        self.at = row
        self.show()

    def aside(self, columns: int) -> None:
        """Columns that did not fit."""
        table = periods_of(self.scene)
        if table is not None:
            fits = table.cells_wide <= self.size.width - 2
            self.first = 0 if fits else max(0, min(self.first + columns, len(table.series) - 1))
            self.show()


class PeriodsScreen(CoverScreen):
    """The pane over the whole screen."""

    PANE = PeriodsPane

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "aside(1)", "columns to the right", key_display="→ l"),
        Binding("left,h", "aside(-1)", "columns to the left", key_display="← h"),
        Binding("q,v,escape", "dismiss", "back", key_display="q"),
    ]

    def action_aside(self, columns: int) -> None:
        """Columns that did not fit."""
        self.query_one(PeriodsPane).aside(columns)
