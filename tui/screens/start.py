"""The first screen where there is no history: what the input is, and the next command."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.start import start_lines, start_title
from modeltop_tui.view.state import ScreenState
from modeltop_tui.widgets.pane import Pane, PaneBody


class StartPane(Pane):
    """What could not be read, and what to run."""

    def title(self) -> str:
        """Return what is wrong in a word."""
        return start_title(self.screen_state)

    def body(self, width: int, height: int) -> PaneBody:
        """Return all of it, with a margin."""
        del height
        return PaneBody.of_lines([(), *((("  ", ""), *line) for line in start_lines(self.screen_state, width - 4))])


class StartScreen(ModalPane):
    """It leaves by itself when there is history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "panes", key_display="Esc", tooltip="to the panes"),
        Binding("r", "app.perform('refresh')", "refresh"),
        Binding("?", "app.perform('help')", "help"),
        Binding("q", "app.quit", "quit"),
    ]

    def __init__(self, main_screen: MainScreen) -> None:
        super().__init__(main_screen, StartPane(ascii_only=main_screen.ascii_only))

    def _follow(self, state: ScreenState) -> None:
        super()._follow(state)
        if self.is_active and state.snapshot is not None and state.snapshot.history.series:
            self.dismiss()
