"""Behavior that all screens share: one pane is in front and has the keys, and a status bar is the last line."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from modeltop_tui.widgets.header_footer import StatusBar
from modeltop_tui.widgets.pane import TO_END, Pane

STEP_KEYS: tuple[Binding, ...] = (
    Binding("down,j", "step(1)", "down", key_display="↓ j", show=False),
    Binding("up,k", "step(-1)", "up", key_display="↑ k", show=False),
    Binding("pagedown,ctrl+f", "page(1)", "page down", key_display="PgDn ctrl+f", show=False),
    Binding("pageup,ctrl+b", "page(-1)", "page up", key_display="PgUp ctrl+b", show=False),
    Binding("home,g", f"step({-TO_END})", "first", key_display="Home g", show=False),
    Binding("end,G", f"step({TO_END})", "last", key_display="End G", show=False),
)
END_KEYS = ("ctrl+c", "ctrl+q", "ctrl+z")


class PaneScreen(Screen[None], inherit_bindings=False):
    """A screen of one or more panes and a status bar.

    Args:
        ascii_only: Whether only characters below 128 are drawn.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*STEP_KEYS]

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.status_bar = StatusBar(ascii_only=ascii_only)
        """Here before it is composed: the next key may come first."""

    @property
    def focused_pane(self) -> Pane:
        """The pane that has the keys."""
        return self.query_one(Pane)

    @property
    def status(self) -> StatusBar:
        """The status bar of the screen in front, which may cover this one: there people read what an action did."""
        front = self.app.screen
        return front.status_bar if isinstance(front, PaneScreen) else self.status_bar

    @property
    def is_typing(self) -> bool:
        """Whether keys are text that a person types, and not commands."""
        return self.status.prompt is not None

    def consume_key(self, event: events.Key) -> bool:
        """Hand every key to the prompt, while there is one; return whether the key is no command."""
        if not self.is_typing or event.key in END_KEYS:
            return False
        self.status.handle_prompt_key(event)
        return True

    def on_key(self, event: events.Key) -> None:
        """Clear the last message; show one if the key does nothing. The keys of a prompt pass through the app."""
        if self.is_typing:
            return
        is_bound = event.key in self.active_bindings
        name = event.character if event.is_printable else event.key.capitalize()
        self.status.show_message("" if is_bound else f"{name} is not bound here; ? for keys")

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the prompt, while there is one."""
        if self.status.prompt is not None:
            self.status.paste(event.text)

    def action_step(self, steps: int) -> None:
        """Move the focused pane up or down by lines or items."""
        self.focused_pane.step(steps)

    def action_page(self, pages: int) -> None:
        """Move the focused pane up or down by pages."""
        self.focused_pane.page(pages)
