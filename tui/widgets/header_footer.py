"""The lines above and below the panes: header, tabs, and the last line with its keys, messages and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from textual import events

from modeltop.core.text import clip, safe, width
from modeltop_tui.view.header import header, keys_line, tabs_line
from modeltop_tui.view.line_edit import LONGEST, edited, pasted
from modeltop_tui.view.styled_text import Cells, fit
from modeltop_tui.widgets.pane import Lines


class Header(Lines):
    """What is selected, how bad things are, how old the data is."""

    def __init__(self, now: Callable[[], datetime], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.now = now

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        return [header(self.scene, self.now(), cells_wide)][:rows]

    def on_mount(self) -> None:
        """Age the data; only a line that reads differently is painted."""
        self.set_interval(5.0, self.show)


class Tabs(Lines):
    """The panes by number, where there is room for one at a time."""

    def __init__(self, names: list[str], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.names = names
        self.front = 1

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        return [tabs_line(self.names, self.front, cells_wide)][:rows]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be answered by typing a line."""

    sign: str
    answer: str
    """What stands there already."""
    typed: Callable[[str], str]
    """Called with each state of the answer, the first included; gives a hint to show beside it."""
    kept: Callable[[str], None]
    """Called with the answer that ended in enter."""
    dropped: Callable[[], None] = lambda: None
    """Called where the person left with escape."""


class Status(Lines):
    """The last line: what the keys do, what was just done, or a question to be answered by typing."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.keys: list[tuple[str, str]] = []
        self.said = ""
        self.question: Question | None = None
        self.answer = ""
        self.hint = ""

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        if self.question is not None:
            return [self._asking(self.question.sign, cells_wide)][:rows]
        if self.said:
            return [fit(((self.said, "strong"),), cells_wide)][:rows]
        return [keys_line(self.keys, cells_wide)][:rows]

    def _asking(self, sign: str, cells_wide: int) -> Cells:
        room = max(8, cells_wide - width(sign) - 2)
        # The end of a long answer is what the person is typing.
        answer = safe(self.answer, 10 * LONGEST)
        answer = answer if width(answer) < room else "…" + answer[-(room // 2) :]
        hint = clip(self.hint, max(0, room - width(answer) - 2))
        return fit(((f"{sign} ", "head"), (answer, ""), (" ", "cursor"), (f" {hint}", "dim")), cells_wide)

    def say(self, text: str) -> None:
        """Say something until the next key; foreign text in it is made safe."""
        self.said = safe(text, 400)
        self.show()

    def ask(self, question: Question) -> None:
        """Ask for a line of text, which takes all keys until enter or escape."""
        self.question, self.said = question, ""
        self._set(question.answer)

    def key(self, event: events.Key) -> None:
        """Edit the answer, or end it. Every key is taken, so that letters are letters here."""
        if event.key in ("enter", "escape"):
            self._end(kept=event.key == "enter")
            return
        self._set(edited(self.answer, event.key, event.character if event.is_printable else None))

    def paste(self, text: str) -> None:
        """Take the first line of what was pasted, without what does not print."""
        self._set(pasted(self.answer, text))

    def _set(self, text: str) -> None:
        if self.question is not None:
            self.answer = text
            self.hint = self.question.typed(self.answer)
            self.show()

    def _end(self, *, kept: bool) -> None:
        question, self.question = self.question, None
        if question is not None and kept:
            question.kept(self.answer)
        elif question is not None:
            question.dropped()
        self.show()
