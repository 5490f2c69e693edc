"""Help: all keys, derived from the bindings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.text import display_width, pad
from modeltop_tui.screens.base import STEP_KEYS
from modeltop_tui.screens.main import MAIN_KEYS, PANES, MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.styled_text import Cells, wrap
from modeltop_tui.widgets.pane import Pane, PaneBody

KEY_NAMES = {"comma": ",", "escape": "Esc"}
LEGEND = (
    "▲ CRIT critical   ◆ WARN warning   ○ n/d no data   ● ok",
    "✓ every active alert is acknowledged   × no notifications now: silenced, inhibited, muted",
    "n is the number of cases that a value rests on; ? where it is not known.",
    "[low, high] is the 95 % interval of a change; not significant where it includes 0.",
)


def keys_of(binding: Binding) -> str:
    """Return the keys of a binding as people read them."""
    if binding.key_display:
        return binding.key_display
    keys = binding.key.split(",") if binding.key != "," else [","]
    return " ".join(KEY_NAMES.get(key, key) for key in keys)


def help_lines(groups: Iterable[tuple[str, Iterable[Binding]]], width: int) -> list[Cells]:
    """Return one entry per key, under the name of its group, then the legend."""
    groups = [(name, [key for key in keys if key.description]) for name, keys in groups]
    key_width = max((display_width(keys_of(key)) for _, keys in groups for key in keys), default=0) + 2
    lines: list[Cells] = []
    for name, keys in groups:
        lines.append(((name, "head"),))
        for key in keys:
            lead = ((f"  {pad(keys_of(key), key_width)}", "strong"),)
            lines += wrap(key.tooltip or key.description, width, indent=" " * (key_width + 2), lead=lead)
        lines.append(())
    for text in LEGEND:
        lines += wrap(text, width, role="dim")
    return lines


def key_groups(app_keys: Iterable[Binding]) -> list[tuple[str, list[Binding]]]:
    """Return all bindings by group: steps, main screen, each pane, app."""
    panes = [(f"{pane.NUMBER} {pane.TITLE}", list(pane.KEYS)) for pane in PANES if pane.KEYS]
    return [("The pane in front", list(STEP_KEYS)), ("Panes", list(MAIN_KEYS)), *panes, ("modeltop", list(app_keys))]


class HelpPane(Pane):
    """The list of keys; it scrolls."""

    TITLE = "Help"

    def __init__(self, groups: list[tuple[str, list[Binding]]], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.groups = groups

    def body(self, width: int, height: int) -> PaneBody:
        """Return the keys by group, one line each."""
        del height
        return PaneBody.of_lines(help_lines(self.groups, width))

    def subtitle(self) -> str:
        """Return the keys that scroll and leave."""
        return "↑↓ scroll, q or ? back"


class HelpScreen(ModalPane):
    """The help over the full screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,?,escape", "dismiss", "back", key_display="q")]

    def __init__(self, main_screen: MainScreen) -> None:
        groups = key_groups(main_screen.app_keys)
        super().__init__(main_screen, HelpPane(groups, ascii_only=main_screen.ascii_only))
