"""A screen that covers the desk with one pane, and follows its scene, until a key takes it away."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import Desk
from modeltop_tui.view.state import Scene
from modeltop_tui.widgets.pane import Pane


class CoverScreen(PaneScreen):
    """Names its pane; its own key, `q` and Esc lead back to the desk."""

    PANE: ClassVar[type[Pane]]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", "quit", show=False)]

    scene: reactive[Scene] = reactive(Scene(), repaint=False)

    def __init__(self, desk: Desk, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.desk = desk
        self.ascii_only = ascii_only
        self.set_reactive(CoverScreen.scene, desk.scene)

    def on_mount(self) -> None:
        """Follow the desk."""
        self.watch(self.desk, "scene", self._follow, init=False)

    def _follow(self, scene: Scene) -> None:
        self.scene = scene

    def compose(self) -> ComposeResult:
        """One pane."""
        yield self.PANE(ascii_only=self.ascii_only).data_bind(CoverScreen.scene)
