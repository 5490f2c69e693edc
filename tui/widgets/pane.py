"""Lines that repaint only where they changed, and the frame and scrolling that all panes share.

The terminal is sent whole widgets when Textual refreshes them, changed or not, and the line may be slow. So each
pane keeps the lines it last showed, compares, and asks for those that differ. Data reaches the screen as segments
of plain text: no markup is parsed anywhere.

The framework's focus is not used: each change of it repaints the whole screen. The screen that holds panes knows which
is in front, and hands it the keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width, truncate
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import ROLES, Cells, fit, to_ascii

TO_END = 10**9
"""Steps that reach the end of any list."""


@lru_cache(maxsize=4096)
def sanitize_line(text: str, *, ascii_only: bool) -> str:
    """The last sink before the terminal: what does not print becomes `?`, whatever let it come so far."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return to_ascii(text) if ascii_only else text


class Lines(Widget):
    """Some lines about a scene."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"cell--{role}" for role in ROLES}
    ALLOW_SELECT = False

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self._shown: list[Cells] = []

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """The lines to show: `rows` of them, each of `cells_wide` cells. Empty here."""
        return [((" " * cells_wide, ""),)] * rows

    def watch_screen_state(self) -> None:
        """Show what is new in it."""
        self.repaint()

    def repaint(self) -> None:
        """Repaint the lines that differ from what stands there."""
        if not self.region:
            self._shown = []  # out of sight: whatever it showed is out of date once it is seen again
            return
        if not self._fresh():
            self.refresh()  # as a whole, as soon as it has a size
            return
        lines = self.frame(*self.size)
        changed = [row for row, line in enumerate(lines) if line != self._shown[row]]
        self._shown = lines
        self.refresh(*(Region(0, row, self.size.width, 1) for row in changed)) if changed else None

    def _fresh(self) -> bool:
        """Whether what was last shown had the size that the widget has now."""
        return bool(self._shown) and len(self._shown) == self.size.height and self._wide == self.size.width

    def render_line(self, y: int) -> Strip:
        """One line, in the style that the sheet has for each role."""
        if not self._fresh():
            self._wide = self.size.width
            self._shown = self.frame(*self.size)
        if y >= len(self._shown):
            return Strip.blank(self.size.width, self.rich_style)
        line = self._shown[y]
        segments = [
            Segment(sanitize_line(text, ascii_only=self.ascii_only), self.style_of(role)) for text, role in line
        ]
        return Strip(segments, self.size.width)

    def style_of(self, role: str) -> Style:
        """The colours of a role, or of a style that Rich knows by name, on the widget's background."""
        if not role:
            return self.rich_style
        if role in ROLES:
            return self.rich_style + self.get_component_rich_style(f"cell--{role}", partial=True)
        return self.rich_style + Style.parse(role)


@dataclass(frozen=True, slots=True)
class PaneBody:
    """What stands inside a pane's frame."""

    count: int = 0
    line: Callable[[int], Cells] = lambda _: ()
    """Line number `i` of `count`; called for the visible ones only."""
    cursor: int | None = None
    """The line to keep in sight; None where the pane just scrolls."""
    heading: tuple[Cells, ...] = ()
    """Lines that stay on top."""


class Pane(Lines):
    """A framed list: the number to reach it and its title in the frame, more lines than fit by scrolling.

    It has more methods than is usual here because most of them are small hooks that one pane or another fills in.
    """

    NUMBER: ClassVar[int] = 0
    TITLE: ClassVar[str] = ""
    STEPS: ClassVar[str] = "scroll"
    """What up and down do here, in a word for the last line of the screen."""
    KEYS: ClassVar[tuple[Binding, ...]] = ()
    """Keys about this pane that work from anywhere on the desk."""

    class Move(Message):
        """A key asks to move the selection."""

        def __init__(self, name: str, steps: int) -> None:
            super().__init__()
            self.name = name
            self.steps = steps

    class Selected(Message):
        """A person pointed at a model, or at a series of it."""

        def __init__(self, model: str, key: SeriesKey | None = None) -> None:
            super().__init__()
            self.model = model
            self.key = key

    class Activated(Message):
        """A person pointed into the pane with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.top = 0
        self.active = False
        self._last_cursor: int | None = None

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """The content, for a pane whose inside has this size. Empty here."""
        del cells_wide, rows
        return PaneBody()

    def title(self) -> str:
        """What the frame says, fit for the terminal."""
        return self.TITLE

    def subtitle(self) -> str:
        """What the lower edge of the frame says, fit for the terminal."""
        return ""

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """The frame and the lines in it."""
        inside, high = max(0, cells_wide - 2), max(0, rows - 2)
        body = self.body(inside, high)
        visible = max(0, high - len(body.heading))
        self._keep_in_sight(body, visible)
        lines = [*body.heading[:high], *(body.line(at) for at in range(self.top, min(body.count, self.top + visible)))]
        lines += [()] * (high - len(lines))
        edge = (("│", "border"),)
        title = truncate(f"{self.NUMBER} {self.title()}" if self.NUMBER else self.title(), inside)
        upper: Cells = (("┌", "border"), (title, "focus" if self.active else "strong"))
        upper += (("─" * (inside - display_width(title)) + "┐", "border"),)
        note = truncate(self.subtitle() or self._place(body.count, visible, inside), inside)
        lower: Cells = (("└" + "─" * (inside - display_width(note)), "border"), (note, ""), ("┘", "border"))
        return [upper, *(edge + fit(line, inside) + edge for line in lines), lower][:rows]

    def _keep_in_sight(self, body: PaneBody, visible: int) -> None:
        """Keep the cursor in sight when it moved; a person may have scrolled away from one that did not."""
        if body.cursor is not None and body.cursor != self._last_cursor:
            self.top = min(max(self.top, body.cursor - visible + 1), body.cursor)
        self._last_cursor = body.cursor
        self.top = max(0, min(self.top, body.count - visible))

    def _place(self, count: int, visible: int, inside: int) -> str:
        """Which lines are in sight, where not all are."""
        if not count > visible > 0:
            return ""
        last = min(count, self.top + visible)
        text = f"{self.top + 1}-{last} of {count}"
        return text if len(text) <= inside else f"{last}/{count}"

    def step(self, steps: int) -> None:
        """Up and down: here they scroll."""
        self.top += steps
        self.repaint()

    def page(self, pages: int) -> None:
        """A page up or down."""
        self.step(pages * max(1, self.size.height - 3))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-3)

    def scroll_lines(self, lines: int) -> None:
        """Scroll without moving the selection."""
        self.top = max(0, self.top + lines)
        self.repaint()

    def focus_pane(self, *, focused: bool) -> None:
        """Have the keys, or no longer. The title alone shows it: one line to repaint."""
        self.active = focused
        self.repaint()

    def click_row(self, row: int) -> None:
        """A click on line `row` of the body."""

    def on_click(self, event: events.Click) -> None:
        """Come forward, and find the line under the pointer."""
        self.post_message(self.Activated(self.NUMBER))
        body = self.body(max(0, self.size.width - 2), max(0, self.size.height - 2))
        row = event.y - 1 - len(body.heading) + self.top
        if 0 <= row < body.count and 0 < event.y < self.size.height - 1:
            self.click_row(row)
