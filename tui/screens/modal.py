"""A screen that covers the main one with a single pane, and follows its state, until a key closes it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.view.state import ScreenState
from modeltop_tui.widgets.pane import Pane


class ModalPane(PaneScreen):
    """A screen of one pane; its subclass binds the keys that dismiss it.

    Args:
        main_screen: Its state is followed.
        pane: The pane to show.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", "quit", show=False)]

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, main_screen: MainScreen, pane: Pane) -> None:
        super().__init__()
        self.main_screen = main_screen
        self.pane = pane
        self.set_reactive(ModalPane.screen_state, main_screen.screen_state)

    def on_mount(self) -> None:
        """Follow the state of the main screen."""
        self.watch(self.main_screen, "screen_state", self._follow, init=False)

    def _follow(self, state: ScreenState) -> None:
        self.screen_state = state

    def compose(self) -> ComposeResult:
        """Yield the pane, bound to the state of this screen."""
        yield self.pane.data_bind(ModalPane.screen_state)
