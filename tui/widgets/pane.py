"""Lines that repaint only where they changed, and the frame and scrolling that all panes share.

Textual sends the terminal all of a widget that is refreshed, changed or not, and the connection may be slow. So each
pane keeps the lines it last showed, and refreshes those that differ. Data reaches the screen as segments
of plain text: no markup is parsed anywhere.

The framework's focus is not used: each change of it repaints the entire screen. The screen that contains the panes
knows which is in front, and forwards the keys to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, reduce
from operator import or_
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width, truncate
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import ROLES, Cells, Span, fit, merge_spans, plain_text, to_ascii, with_ascii_arrows

TO_END = 10**9


@lru_cache(maxsize=4096)
def sanitize_line(text: str, *, ascii_only: bool) -> str:
    """Replace unprintable characters by `?`: the last check before the terminal, in case an earlier one is missing."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return to_ascii(text) if ascii_only else text


def _changed_region(row: int, before: Cells, after: Cells) -> Region:
    """Return the cells of a row that differ: the spans in between those that are the same at both ends."""
    least = min(len(before), len(after))
    start = next(index for index in range(least + 1) if before[index : index + 1] != after[index : index + 1])
    end = next((index for index in range(least - start) if before[-1 - index] != after[-1 - index]), least - start)
    left = display_width(plain_text(after[:start]))
    return Region(left, row, display_width(plain_text(after[start : len(after) - end])), 1)


class Lines(Widget):
    """A widget of lines, drawn from the screen state."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"cell--{role}" for role in ROLES}
    ALLOW_SELECT = False

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self._shown: list[Cells] = []
        self._styles: dict[str, Style] = {}
        """Style of each role; the framework asks all ancestors for each, which took half the time of a repaint."""

    def notify_style_update(self) -> None:
        """Forget the styles: the sheet, or the theme, has others now."""
        self._styles = {}
        super().notify_style_update()

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return the lines to show: `height` of them, each of `width` cells. Blank here."""
        return [((" " * width, ""),)] * height

    def watch_screen_state(self) -> None:
        """Repaint the lines that the new state changes."""
        self.repaint()

    def repaint(self) -> None:
        """Repaint the lines that differ from those on the screen."""
        if not self.region:
            self._shown = []  # hidden: whatever it showed is out of date once it is visible again
            return
        if not self._has_size_of_shown():
            self.refresh()  # all of it, as soon as it has a size
            return
        before, self._shown = self._shown, self._drawn()
        pairs = zip(before, self._shown, strict=True)
        changed = [_changed_region(row, *pair) for row, pair in enumerate(pairs) if pair[0] != pair[1]]
        self.refresh(*changed) if changed else None

    def _drawn(self) -> list[Cells]:
        lines = self.frame(*self.size)
        return [*map(with_ascii_arrows, lines)] if self.ascii_only else lines

    def _has_size_of_shown(self) -> bool:
        return bool(self._shown) and len(self._shown) == self.size.height and self._shown_width == self.size.width

    def render_line(self, y: int) -> Strip:
        """Return line `y`, in the style that the sheet has for each role."""
        if not self._has_size_of_shown():
            self._shown_width = self.size.width
            self._shown = self._drawn()
        if y >= len(self._shown):
            return Strip.blank(self.size.width, self.rich_style)
        segments = [
            Segment(sanitize_line(text, ascii_only=self.ascii_only), self.style_of(role))
            for text, role in merge_spans(self._shown[y])
        ]
        return Strip(segments, self.size.width)

    def style_of(self, role: str) -> Style:
        """Return the style of a role, or of a name of Rich's, on the widget's background."""
        if role not in self._styles:
            names = [name for name in role.split("+") if name]
            is_role = not names or names[0] in ROLES
            roles = (self.get_component_rich_style(f"cell--{name}", partial=True) for name in names)
            self._styles[role] = sum(roles if is_role else [Style.parse(role)], start=self.rich_style)
        return self._styles[role]


@dataclass(frozen=True, slots=True)
class PaneBody:
    """The content of a pane, inside its frame."""

    count: int = 0
    line: Callable[[int], Cells] = lambda _: ()
    """Returns the line with this number, from 0 to `count` - 1; called for the visible ones only."""
    cursor: int | None = None
    """Number of the line to keep in view; None if the pane just scrolls."""
    heading: tuple[Cells, ...] = ()
    footing: Sequence[Cells] = ()

    @classmethod
    def of_lines(
        cls, lines: Sequence[Cells], *, cursor: int | None = None, heading: tuple[Cells, ...] = ()
    ) -> PaneBody:
        """Return the body of lines that are there already."""
        return cls(len(lines), lines.__getitem__, cursor, heading)

    def visible(self, height: int) -> int:
        """Return how many lines between heading and footing an inside of this height has room for."""
        return max(0, height - len(self.heading) - len(self.footing))


_BOX = " │││─┘┐┤─└┌├─┴┬┼"
"""Box-drawing characters by the sum of their arms: 1 up, 2 down, 4 left, 8 right."""


def _arms(box: tuple[int, int, int, int], x: int, y: int) -> int:
    left, top, right, bottom = box
    arms = 0
    if x in (left, right):
        arms |= (top < y <= bottom) | (top <= y < bottom) << 1
    if y in (top, bottom):
        arms |= (left < x <= right) << 2 | (left <= x < right) << 3
    return arms


@dataclass(frozen=True, slots=True)
class Borders:
    """The characters around a pane."""

    upper: Cells
    """One character per span, as in the others."""
    lower: Cells
    """Empty if a pane below it draws the line."""
    left: Cells
    right: Cells
    """The same; empty texts if a pane to the right draws them."""
    inner_size: Size


@lru_cache(maxsize=64)
def pane_borders(own: Region, regions: tuple[Region, ...], focused: Region | None = None) -> Borders:
    """Return the borders of one of several panes that fill a rectangle: neighbors share a line, drawn by the second."""
    last_column, last_row = max(region.right for region in regions) - 1, max(region.bottom for region in regions) - 1
    boxes = [(one.x, one.y, min(one.right, last_column), min(one.bottom, last_row)) for one in regions]
    lit = boxes[regions.index(focused)] if focused in regions else None

    def char(x: int, y: int) -> Span:
        arms = reduce(or_, (_arms(box, x, y) for box in boxes))
        return _BOX[arms], "focus" if lit is not None and _arms(lit, x, y) else "border"

    has_right, has_lower = own.right - 1 == last_column, own.bottom - 1 == last_row
    rows = range(own.y + 1, own.bottom - has_lower)
    return Borders(
        tuple(char(x, own.y) for x in range(own.x, own.right)),
        tuple(char(x, own.bottom - 1) for x in range(own.x, own.right)) if has_lower and own.height > 1 else (),
        tuple(char(own.x, y) for y in rows),
        tuple(char(own.right - 1, y) if has_right else ("", "") for y in rows),
        Size(max(0, own.width - 1 - has_right), len(rows)),
    )


def _edge(line: Cells, title: Span, note: Span = ("", "")) -> Cells:
    """Return a horizontal line with a title at its left end and a note at its right end, as far as they fit."""
    room = max(0, len(line) - 2)
    left = truncate(title[0], room)
    start = 1 + display_width(left)
    right = truncate(note[0], max(0, room + 1 - start - 2 * bool(left)))
    end = max(1, len(line) - 1 - display_width(right))
    titles = ((part, line[0][1] if part[0] == "─" else title[1]) for part in filter(None, re.split("(─+)", left)))
    return (*line[:1], *titles, *line[start:end], (right, note[1]), *line[end:][-1:])


class Pane(Lines):
    """A framed list with its number and title in the frame; it scrolls if not all lines fit.

    It has more methods than is usual here because most of them are small hooks that one pane or another overrides.
    """

    NUMBER: ClassVar[int] = 0
    TITLE: ClassVar[str] = ""
    STEPS: ClassVar[str] = "scroll"
    """The word for the effect of up and down here, for the last line of the screen."""
    KEYS: ClassVar[tuple[Binding, ...]] = ()
    """Keys about this pane that work from any pane of the main screen."""

    class Move(Message):
        """A request to move the selection by one of `view.navigation.MOVES`."""

        def __init__(self, name: str, steps: int) -> None:
            super().__init__()
            self.name = name
            self.steps = steps

    class Selected(Message):
        """A click on a model, or on a series of it."""

        def __init__(self, model: str, key: SeriesKey | None = None) -> None:
            super().__init__()
            self.model = model
            self.key = key

    class Activated(Message):
        """A click into the pane with this number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.top = 0
        self.active = False
        self._last_cursor: int | None = None

    def body(self, width: int, height: int) -> PaneBody:
        """Return the content for an inside of this size. Empty here."""
        del width, height
        return PaneBody()

    def title(self) -> str:
        """Return the text of the upper edge, fit for the terminal."""
        return self.TITLE

    def copy_text(self, now: datetime) -> str:
        """Return what is selected here as text to copy; none here.

        Args:
            now: The present, from which the age of the data counts.
        """
        del now
        return ""

    def subtitle(self) -> str:
        """Return the text of the lower edge, fit for the terminal; empty: the scroll position."""
        return ""

    @property
    def borders(self) -> Borders:
        """The lines around the pane; it shares those to its right and below it with its neighbors."""
        panes = [pane for pane in self.screen.query(Pane) if pane.region]
        focused = next((pane.region for pane in panes if pane.active), None)
        return pane_borders(self.region, tuple(pane.region for pane in panes), focused)

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return the frame and the lines in it."""
        del width  # of the inside, as the borders have it
        borders = self.borders
        inner_width, inner_height = borders.inner_size
        body = self.body(inner_width, inner_height)
        visible = body.visible(inner_height)
        self._scroll_to_cursor(body, visible)
        lines = list(body.heading[:inner_height])
        lines += [body.line(index) for index in range(self.top, min(body.count, self.top + visible))]
        lines += body.footing
        lines += [()] * (inner_height - len(lines))
        title = f"{self.NUMBER} {self.title()}" if self.NUMBER else self.title()
        note = self.subtitle() or self._position(body.count, visible)
        upper = _edge(borders.upper, (title, "title" if self.active else ""), ("" if borders.lower else note, "dim"))
        rows = zip(borders.left, lines, borders.right, strict=False)
        framed = [(left, *fit(line, inner_width), right) for left, line, right in rows]
        return [upper, *framed, _edge(borders.lower, ("", ""), (note, ""))][:height]

    def _scroll_to_cursor(self, body: PaneBody, visible: int) -> None:
        """Scroll to a cursor that moved; a person may have scrolled away from one that did not."""
        if body.cursor is not None and body.cursor != self._last_cursor:
            self.top = min(max(self.top, body.cursor - visible + 1), body.cursor)
        self._last_cursor = body.cursor
        self.top = max(0, min(self.top, body.count - visible))

    def _position(self, count: int, visible: int) -> str:
        if not count > visible > 0:
            return ""
        return f"{self.top + 1}-{min(count, self.top + visible)} of {count}"

    def step(self, steps: int) -> None:
        """Scroll by lines; panes with a cursor move that instead."""
        self.top += steps
        self.repaint()

    def page(self, pages: int) -> None:
        """Move the selection by some pages."""
        self.step(pages * max(1, self.size.height - 3))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-3)

    def scroll_lines(self, lines: int) -> None:
        """Scroll by some lines without moving the selection."""
        self.top = max(0, self.top + lines)
        self.repaint()

    def click_row(self, row: int) -> None:
        """Handle a click on line `row` of the body. Ignored here."""

    def on_click(self, event: events.Click) -> None:
        """Ask for the keys, and handle the click on the line under the pointer."""
        self.post_message(self.Activated(self.NUMBER))
        inner_size = self.borders.inner_size
        body = self.body(*inner_size)
        row = event.y - 1 - len(body.heading) + self.top
        if 0 <= row - self.top < body.visible(inner_size.height) and row < body.count:
            self.click_row(row)
