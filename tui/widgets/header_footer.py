"""The lines above and below the panes: header, tabs, and the last line with its keys, messages and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from textual import events

from modeltop.core.text import display_width, sanitize, truncate
from modeltop_tui.view.header import header_line, keys_line, tabs_line
from modeltop_tui.view.line_edit import LONGEST, edit_line, paste_line
from modeltop_tui.view.styled_text import Cells, fit
from modeltop_tui.widgets.pane import Lines


class Header(Lines):
    """What is selected, how bad things are, how old the data is."""

    def __init__(self, now: Callable[[], datetime], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.now = now

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        return [header_line(self.screen_state, self.now(), cells_wide)][:rows]

    def on_mount(self) -> None:
        """Age the data; only a line that reads differently is painted."""
        self.set_interval(5.0, self.repaint)


class Tabs(Lines):
    """The panes by number, where there is room for one at a time."""

    def __init__(self, names: list[str], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.names = names
        self.active = 1

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        return [tabs_line(self.names, self.active, cells_wide)][:rows]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to be answered by typing a line."""

    label: str
    initial: str
    """What stands there already."""
    on_change: Callable[[str], str]
    """Called with each state of the answer, the first included; gives a hint to show beside it."""
    on_submit: Callable[[str], None]
    """Called with the answer that ended in enter."""
    on_cancel: Callable[[], None] = lambda: None
    """Called where the person left with escape."""


class StatusBar(Lines):
    """The last line: what the keys do, what was just done, or a question to be answered by typing."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.keys: list[tuple[str, str]] = []
        self.message = ""
        self.prompt: Prompt | None = None
        self.answer = ""
        self.hint = ""

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        if self.prompt is not None:
            return [self._asking(self.prompt.label, cells_wide)][:rows]
        if self.message:
            return [fit(((self.message, "strong"),), cells_wide)][:rows]
        return [keys_line(self.keys, cells_wide)][:rows]

    def _asking(self, sign: str, cells_wide: int) -> Cells:
        room = max(8, cells_wide - display_width(sign) - 2)
        # The end of a long answer is what the person is typing.
        answer = sanitize(self.answer, 10 * LONGEST)
        answer = answer if display_width(answer) < room else "…" + answer[-(room // 2) :]
        hint = truncate(self.hint, max(0, room - display_width(answer) - 2))
        return fit(((f"{sign} ", "head"), (answer, ""), (" ", "cursor"), (f" {hint}", "dim")), cells_wide)

    def show_message(self, text: str) -> None:
        """Say something until the next key; foreign text in it is made safe."""
        self.message = sanitize(text, 400)
        self.repaint()

    def show_prompt(self, question: Prompt) -> None:
        """Ask for a line of text, which takes all keys until enter or escape."""
        self.prompt, self.message = question, ""
        self._set(question.initial)

    def handle_prompt_key(self, event: events.Key) -> None:
        """Edit the answer, or end it. Every key is taken, so that letters are letters here."""
        if event.key in ("enter", "escape"):
            self._end(submitted=event.key == "enter")
            return
        self._set(edit_line(self.answer, event.key, event.character if event.is_printable else None))

    def paste(self, text: str) -> None:
        """Take the first line of what was pasted, without what does not print."""
        self._set(paste_line(self.answer, text))

    def _set(self, text: str) -> None:
        if self.prompt is not None:
            self.answer = text
            self.hint = self.prompt.on_change(self.answer)
            self.repaint()

    def _end(self, *, submitted: bool) -> None:
        question, self.prompt = self.prompt, None
        if question is not None and submitted:
            question.on_submit(self.answer)
        elif question is not None:
            question.on_cancel()
        self.repaint()
