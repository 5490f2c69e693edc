"""The periods of one model as a table, newest first."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.text import pluralize, sanitize
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.periods import PeriodsTable, periods_table
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.pane import Pane, PaneBody


class PeriodsPane(Pane):
    """Periods down, metrics across; a line is made when it comes into view."""

    TITLE = "Periods"

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.first_column = 0
        self.cursor_row = 0
        self._initialized = False

    def body(self, width: int, height: int) -> PaneBody:
        """Return one line per period."""
        del height
        table = periods_table(self.screen_state)
        if table is None or not len(table):
            return PaneBody(1, lambda _: (("no periods", "dim"),))
        self.cursor_row = max(0, min(self.cursor_row, len(table) - 1))
        if not self._initialized:
            self._initialized = True
            keys = [series.key for series in table.series]
            if table.width > width and self.screen_state.selection.key in keys:
                self.first_column = keys.index(self.screen_state.selection.key)
        return PaneBody(
            len(table),
            lambda row: self._line(table, row),
            self.cursor_row,
            heading=(table.heading(self.first_column, width),),
        )

    def _line(self, table: PeriodsTable, row: int) -> Cells:
        line = table.line(row, self.first_column)
        return ((line[0][0], "cursor"), *line[1:]) if row == self.cursor_row else line

    def title(self) -> str:
        """Return the model's name and its number of periods."""
        table = periods_table(self.screen_state)
        count = pluralize(len(table), "period") if table is not None else ""
        return f"{sanitize(self.screen_state.selection.model, 60)} {count}"

    def subtitle(self) -> str:
        """Return the position, and the keys that move and leave."""
        table = periods_table(self.screen_state)
        if table is None:
            return "v or q back"
        fits = table.width <= self.size.width - 2
        metrics = "" if fits else f"from metric {self.first_column + 1} of {len(table.series)}  "
        return f"{self.cursor_row + 1} of {len(table)}  {metrics}↑↓ ←→ move  v or q back"

    def step(self, steps: int) -> None:
        """Move the cursor down by some rows, or up if negative."""
        self.cursor_row += steps
        self.repaint()

    def click_row(self, row: int) -> None:
        """Move the cursor to the row."""
        self.cursor_row = row
        self.repaint()

    def scroll_columns(self, columns: int) -> None:
        """Scroll sideways by columns, if not all of them fit."""
        table = periods_table(self.screen_state)
        if table is not None:
            fits = table.width <= self.size.width - 2
            self.first_column = 0 if fits else max(0, min(self.first_column + columns, len(table.series) - 1))
            self.repaint()


class PeriodsScreen(ModalPane):
    """The table of periods over the full screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "scroll_columns(1)", "columns to the right", key_display="→ l"),
        Binding("left,h", "scroll_columns(-1)", "columns to the left", key_display="← h"),
        Binding("q,v,escape", "dismiss", "back", key_display="q"),
    ]

    def __init__(self, main_screen: MainScreen) -> None:
        super().__init__(main_screen, PeriodsPane(ascii_only=main_screen.ascii_only))

    def action_scroll_columns(self, columns: int) -> None:
        """Scroll the table sideways."""
        self.query_one(PeriodsPane).scroll_columns(columns)
