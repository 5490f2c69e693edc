"""Help: the symbols, then the keys of the screen that it covers, made from the bindings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, ClassVar

from textual.actions import parse
from textual.binding import Binding, BindingType
from textual.screen import Screen

from modeltop.core.text import display_width
from modeltop_tui.screens.base import STEP_KEYS
from modeltop_tui.screens.main import MAIN_KEYS, PANES, MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.styled_text import Cells, fit, with_tints, wrap
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.pane import Pane, PaneBody

KEY_NAMES = {"comma": ",", "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab", "shift+tab": "shift+Tab"}
LEGEND = (
    ("▲ critical", "◆ warning", "○ unknown, no data", "● ok", "✓ acknowledged", "× silenced"),
    ("gray: not evaluated", "new: changed since last seen", "n: cases", "95 %: interval"),
)
TYPED = (": triage recall 30d", "2025-06-01..", "compare accuracy churn", "sort name", "note ...")
KEY_WIDTH, COLUMN_WIDTH, GAP = 9, 38, 2
"""Cells of the keys, of a column from which on another one fits, and between two columns."""

KeyGroup = tuple[str, Sequence[Binding]]


def keys_of(binding: Binding) -> str:
    """Return the keys of a binding as people read them."""
    if binding.key_display:
        return binding.key_display
    keys = binding.key.split(",") if binding.key != "," else [","]
    return " ".join(KEY_NAMES.get(key, key) for key in keys)


def key_groups(screen: type[Screen[Any]], app_keys: Iterable[Binding]) -> list[KeyGroup]:
    """Return all bindings of a screen by group: those that move, its own, and those of the app that it leaves alone."""
    if issubclass(screen, MainScreen):
        panes = [(pane.TITLE, pane.KEYS) for pane in PANES if pane.KEYS]
        return [("Move", STEP_KEYS), ("Panes", MAIN_KEYS), *panes, ("modeltop", tuple(app_keys))]
    own = [key for key in screen.BINDINGS if isinstance(key, Binding)]
    taken = {name for key in own for name in key.key.split(",")}
    others = [key for key in app_keys if key.key.split(",")[0] not in taken]
    quit_keys = [key for key in ModalPane.BINDINGS if isinstance(key, Binding)]
    return [("Move", STEP_KEYS), (screen.TITLE or "", own), ("modeltop", [*others, *quit_keys])]


def entries(bindings: Iterable[Binding]) -> Iterator[tuple[str, str]]:
    """Yield the keys and the effect of each binding; opposites, such as next and previous, share an entry."""
    merged: dict[object, tuple[str, str]] = {}
    for binding in bindings:
        _, action, arguments = parse(binding.action)
        *rest, last = arguments or [binding.action]
        direction = abs(last) if isinstance(last, int) else last
        text, key = binding.tooltip or binding.description, (action, *rest, direction)
        if text and key in merged:
            keys, first = merged[key]
            others = [name for name in keys_of(binding).split() if name not in keys]  # as the left arrow is in ←→
            merged[key] = " ".join([keys, *others]), join_opposites(first, text)
        elif text:
            merged[key] = keys_of(binding), text
    yield from merged.values()


def join_opposites(first: str, second: str) -> str:
    """Return two texts as one, with the words that both start or end with only once.

    >>> join_opposites("next pane", "previous pane"), join_opposites("page down", "page up")
    ('next / previous pane', 'page down / up')
    """
    one, other = first.split(), second.split()
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    head, one, other = one[:start], one[start:], other[start:]
    end = next((at for at, (a, b) in enumerate(zip(one[::-1], other[::-1], strict=False)) if a != b), 0)
    tail = one[len(one) - end :]
    return " ".join([*head, *one[: len(one) - end], "/", *other[: len(other) - end], *tail])


def help_lines(groups: Sequence[KeyGroup], width: int, height: int, search: str = "") -> list[Cells]:
    """Return the symbols, then the keys in as many columns as fit; the names of groups only where there is room.

    Args:
        groups: Bindings by group.
        width: Width of a line in cells.
        height: Lines that should suffice.
        search: Only entries with this text are listed.
    """
    has_prompt = any(binding.key == ":" for _, bindings in groups for binding in bindings)
    texts = (*LEGEND, TYPED) if has_prompt else LEGEND
    legend = [with_tints(line) for text in texts for line in _legend_lines(text, width)] if not search else []
    columns = max(1, (width + GAP) // (COLUMN_WIDTH + GAP))
    column_width = (width + GAP) // columns - GAP
    named: list[tuple[Cells, list[list[Cells]]]] = []
    for name, bindings in groups:
        found = [entry for entry in entries(bindings) if search.casefold() in " ".join(entry).casefold()]
        named += [(((name, "head"),), [_entry_lines(*entry, column_width) for entry in found])] if found else []
    blocks = [block for name, (first, *rest) in named for block in ([name, *first], *rest)]
    if sum(map(len, blocks)) > columns * (height - len(legend)):
        blocks = [block for _, listed in named for block in listed]
    filled = _in_columns(blocks, columns)
    rows = zip_longest(*filled, fillvalue=((" " * column_width, ""),))
    gap = (" " * GAP, "")
    joined = (tuple(span for cells in row for span in (*fit(cells, column_width), gap))[:-1] for row in rows)
    return [*legend, *joined]


def _legend_lines(texts: Iterable[str], width: int) -> list[Cells]:
    lines = [""]
    for text in texts:
        joined = f"{lines[-1]}  {text}".strip()
        lines = [*lines[:-1], joined] if display_width(joined) <= width else [*lines, text]
    return [((line, "dim"),) for line in lines]


def _in_columns(blocks: list[list[Cells]], columns: int) -> list[list[Cells]]:
    height = -(-sum(map(len, blocks)) // columns)
    filled: list[list[Cells]] = [[]]
    for block in blocks:
        if len(filled[-1]) + len(block) / 2 > height and len(filled) < columns:
            filled.append([])
        filled[-1] += block
    return filled


def _entry_lines(keys: str, text: str, width: int) -> list[Cells]:
    lead = ((f"{keys:<{KEY_WIDTH}} ", "strong"),)
    return wrap(text, width, indent=" " * (KEY_WIDTH + 1), lead=lead)


class HelpPane(Pane):
    """The list of keys; it scrolls where it does not fit."""

    def __init__(self, groups: list[KeyGroup], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.groups = groups
        self.search = ""

    def title(self) -> str:
        """Return where else there is help."""
        return "Help: `?` on the evidence and the periods lists their keys"

    def body(self, width: int, height: int) -> PaneBody:
        """Return the symbols and the keys."""
        lines = help_lines(self.groups, width, height, self.search)
        return PaneBody.of_lines(lines or [((f'no key for "{self.search}" (Esc to clear)', "dim"),)])

    def find(self, text: str) -> None:
        """List only the keys with a text."""
        self.search = text.strip()
        self.repaint()


class HelpScreen(ModalPane):
    """The help over the full screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("/", "search", "search", tooltip="search the keys"),
        Binding("q,?,escape", "dismiss", "back"),
    ]

    pane: HelpPane

    def __init__(self, main_screen: MainScreen, covered: type[Screen[Any]]) -> None:
        groups = key_groups(covered, main_screen.app_keys)
        super().__init__(main_screen, HelpPane(groups, ascii_only=main_screen.ascii_only))

    def has_steps(self) -> bool:
        """Return whether there is something to scroll."""
        width, height = self.app.size.width - 2, self.app.size.height - 3
        return len(help_lines(self.pane.groups, width, height)) > height

    def action_search(self) -> None:
        """Ask for a text, which applies while it is typed."""

        def on_change(text: str) -> str:
            self.pane.find(text)
            return "Enter to keep, Esc to clear"

        self.status.show_prompt(Prompt("/", self.pane.search, on_change, lambda _: None, lambda: self.pane.find("")))
