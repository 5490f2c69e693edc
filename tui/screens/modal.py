"""A screen that covers the main one with a single pane, and follows its state, until a key closes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.view.clipboard import lines_text
from modeltop_tui.view.rows import Row
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import Cells, with_cursor
from modeltop_tui.widgets.pane import Pane, PaneBody


class ModalPane(PaneScreen):
    """A screen of one pane; its subclass binds the keys that dismiss it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.quit", "quit", key_display="ctrl+c ctrl+q", show=False)
    ]

    IS_ABOUT_MODEL: ClassVar[bool] = False
    """Whether it closes when the data of its model is removed."""

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, main_screen: MainScreen, pane: Pane) -> None:
        super().__init__(ascii_only=main_screen.ascii_only)
        self.main_screen = main_screen
        self.pane = pane
        pane.active = True
        self.set_reactive(ModalPane.screen_state, main_screen.screen_state)

    @property
    def focused_pane(self) -> Pane:
        """The only pane."""
        return self.pane

    def on_mount(self) -> None:
        """Follow the state of the main screen."""
        self.watch(self.main_screen, "screen_state", self._follow, init=False)
        self.on_resize()

    def on_resize(self) -> None:
        """List the keys in the last line; those that move only where they do."""
        shown = [key for key in self.BINDINGS if isinstance(key, Binding) and key.show]
        named = [((key.key_display or key.key.replace(",", " ")).split()[0], key.description) for key in shown]
        self.status.keys = [*([("↑↓", self.pane.STEPS)] if self.has_steps() else []), *named]

    def has_steps(self) -> bool:
        """Return whether there is something to move over. Here always."""
        return True

    def _follow(self, state: ScreenState) -> None:
        gone = self.screen_state.selection.model
        self.screen_state = state
        statuses = {} if state.snapshot is None else snapshot_index(state.snapshot).model_statuses
        if self.IS_ABOUT_MODEL and gone is not None and gone not in statuses and self.is_active:
            # Another model in its place would be acknowledged instead of it.
            self.dismiss()

    def compose(self) -> ComposeResult:
        """Yield the pane, bound to the state of this screen, and the status bar."""
        yield self.pane.data_bind(ModalPane.screen_state)
        yield self.status_bar


class RowsPane(Pane):
    """A list with a cursor; Enter opens the row under it in place."""

    STEPS = "row"

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.cursor_row = 0
        self.toggled: set[int] = set()
        self.listed: Sequence[Row] = ()
        self._tall: dict[int, Sequence[Cells]] = {}
        """Lines of the rows that have several: those that are open, and those that are wrapped."""
        self._scrolled_to: tuple[int, int, int] | None = None

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Return the rows for an inside of this size. None here."""
        del width, height
        return ()

    def open_rows(self, height: int) -> frozenset[int]:
        """Return the rows that are open before anyone presses a key. None here."""
        del height
        return frozenset()

    def wrapped_rows(self) -> dict[int, Sequence[Cells]]:
        """Return the rows that have several lines even when they are folded. None here."""
        return {}

    def heading(self, width: int) -> tuple[Cells, ...]:
        """Return the lines that stay on top. None here."""
        del width
        return ()

    def body(self, width: int, height: int) -> PaneBody:
        """Return the lines of all rows."""
        self.listed, heading = self.rows(width, height), self.heading(width)
        height -= len(heading)
        self.cursor_row = max(0, min(self.cursor_row, len(self.listed) - 1))
        if self.listed and not self.listed[self.cursor_row].opens:
            self.cursor_row = next((n for n, row in enumerate(self.listed) if row.opens), 0)
        opened = sorted(number for number in self.open_rows(height) ^ self.toggled if number < len(self.listed))
        unfolded = {number: self.listed[number].unfold for number in opened}
        lines = {number: unfold() for number, unfold in unfolded.items() if unfold is not None}
        self._tall = dict(sorted((self.wrapped_rows() | lines).items()))
        self._scroll_to_row(height)
        count = len(self.listed) + sum(len(lines) - 1 for lines in self._tall.values())
        return PaneBody(count, lambda line: self._line(line, width), heading=heading)

    def copy_text(self, now: datetime) -> str:
        """Return the row under the cursor, all of it, under the title."""
        del now
        if not self.listed:
            return ""
        row = self.listed[self.cursor_row]
        return lines_text(self.title(), row.unfold() if row.unfold is not None else row.wrapped or [row.line])

    def _first_line(self, row: int) -> int:
        return row + sum(len(lines) - 1 for number, lines in self._tall.items() if number < row)

    def _locate(self, line: int) -> tuple[int, int]:
        for number, lines in self._tall.items():
            if line < number + len(lines):
                return (line, 0) if line < number else (number, line - number)
            line -= len(lines) - 1
        return line, 0

    def _line(self, line: int, width: int) -> Cells:
        row, offset = self._locate(line)
        cells = self._tall[row][offset] if row in self._tall else self.listed[row].line
        is_cursor = row == self.cursor_row and not offset and self.listed[row].opens
        return with_cursor(cells, width) if is_cursor else cells

    def _scroll_to_row(self, height: int) -> None:
        first, lines = self._first_line(self.cursor_row), self._tall.get(self.cursor_row, ())
        position = (first, len(lines), height)
        if position != self._scrolled_to:
            self.top = min(max(self.top, first + max(1, len(lines)) - height), first)
        self._scrolled_to = position

    def step(self, steps: int) -> None:
        """Move the cursor to the next row that opens; scroll where none is so near that no line is passed unseen."""
        if not self.listed:
            return
        target = max(0, min(self.cursor_row + steps, len(self.listed) - 1))
        direction = 1 if steps > 0 else -1
        beyond = range(target, len(self.listed) if steps > 0 else -1, direction)
        candidates = (row for rows in (beyond, range(target, self.cursor_row, -direction)) for row in rows)
        row = next((row for row in candidates if self.listed[row].opens), self.cursor_row)
        first, height = self._first_line(row) - self.top, self.borders.inner_size.height
        is_near = first < height + abs(steps) and first + len(self._tall.get(row, " ")) > -abs(steps)
        self.top += steps if row == self.cursor_row or not is_near else 0
        self.cursor_row = row if is_near else self.cursor_row
        self.repaint()

    def _position(self, count: int, visible: int) -> str:
        """Return where there is more; lines are not counted, as open rows have several."""
        above, below = self.top > 0, self.top + visible < count
        return "↑↓ more" if above and below else "↑ more" if above else "↓ more" if below else ""

    def click_row(self, row: int) -> None:
        """Move the cursor to the clicked row; a click on the row under it opens or closes that."""
        number, _ = self._locate(row)
        if number == self.cursor_row:
            self.toggle()
        self.cursor_row = number
        self.repaint()

    def toggle(self) -> None:
        """Open the row under the cursor, or close it."""
        self.toggled ^= {self.cursor_row}
        self.repaint()
