"""Behavior that all screens share: one pane is in front, and has the keys."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from modeltop_tui.widgets.pane import TO_END, Pane

STEP_KEYS: tuple[Binding, ...] = (
    Binding("down,j", "step(1)", "down", key_display="↓ j"),
    Binding("up,k", "step(-1)", "up", key_display="↑ k"),
    Binding("pagedown,ctrl+f", "page(1)", "a page down", key_display="PgDn"),
    Binding("pageup,ctrl+b", "page(-1)", "a page up", key_display="PgUp"),
    Binding("home,g", f"step({-TO_END})", "to the first", key_display="Home g"),
    Binding("end,G", f"step({TO_END})", "to the last", key_display="End G"),
)


class PaneScreen(Screen[None], inherit_bindings=False):
    """A screen of one or more panes."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*STEP_KEYS]

    @property
    def focused_pane(self) -> Pane:
        """The pane that has the keys."""
        return self.query_one(Pane)

    def consume_key(self, event: events.Key) -> bool:
        """Return whether the key was typed into a prompt or a form of the screen, and is no command."""
        del event
        return False

    def action_step(self, steps: int) -> None:
        """Move the focused pane up or down by lines or items."""
        self.focused_pane.step(steps)

    def action_page(self, pages: int) -> None:
        """Move the focused pane up or down by pages."""
        self.focused_pane.page(pages)
