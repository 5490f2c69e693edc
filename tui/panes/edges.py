"""The lines above and below the panes: header, tabs, and the last line with its keys, messages and questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual import events
from textual.message import Message

from monitor.text import clip, safe, width
from tui.panes.base import Lines
from tui.present.cells import Cells, fit
from tui.present.header import header, keys_line, tabs_line

LONGEST = 500
"""Characters that a person can type or paste."""


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


class Status(Lines):
    """The last line: what the keys do, what was just done, or a question to be answered by typing."""

    class Typed(Message):
        """The answer to the question so far, or at its end."""

        def __init__(self, text: str, *, done: bool, kept: bool = True) -> None:
            super().__init__()
            self.text = text
            self.done = done
            self.kept = kept
            """False where the person left with escape."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.keys: list[tuple[str, str]] = []
        self.said = ""
        self.question: str | None = None
        self.typed = ""
        self.hint = ""

    def frame(self, cells_wide: int, rows: int) -> list[Cells]:
        """One line."""
        if self.question is not None:
            return [self._asking(self.question, cells_wide)][:rows]
        if self.said:
            return [fit(((self.said, "strong"),), cells_wide)][:rows]
        return [keys_line(self.keys, cells_wide)][:rows]

    def _asking(self, question: str, cells_wide: int) -> Cells:
        room = max(8, cells_wide - width(question) - 2)
        # The end of a long answer is what the person is typing.
        typed = safe(self.typed, 10 * LONGEST)
        typed = typed if width(typed) < room else "…" + typed[-(room - 2) :]
        hint = clip(self.hint, max(0, room - width(typed) - 2))
        return fit(((f"{question} ", "head"), (typed, ""), (" ", "cursor"), (f" {hint}", "dim")), cells_wide)

    def say(self, text: str) -> None:
        """Say something until the next key; foreign text in it is made safe."""
        self.said = safe(text, 400)
        self.show()

    def ask(self, question: str, typed: str, hint: str) -> None:
        """Ask for a line of text."""
        self.question, self.typed, self.hint, self.said = question, typed, hint, ""
        self.show()

    def leave(self) -> None:
        """Back to the keys."""
        self.question, self.typed = None, ""
        self.show()

    def key(self, event: events.Key) -> None:
        """Edit the answer. Every key is taken, so that letters are letters here."""
        event.stop()
        event.prevent_default()
        if event.key in ("enter", "escape"):
            self.post_message(self.Typed(self.typed, done=True, kept=event.key == "enter"))
            return
        edits = {
            "backspace": self.typed[:-1],
            "ctrl+h": self.typed[:-1],
            "ctrl+u": "",
            "ctrl+w": self.typed.rstrip().rpartition(" ")[0],
        }
        added = event.character if event.is_printable and event.character else ""
        self._typed(edits.get(event.key, self.typed + added))

    def paste(self, text: str) -> None:
        """Take the first line of what was pasted, without what does not print."""
        first = next(iter(text.splitlines()), "")
        self._typed(self.typed + "".join(char for char in first if char.isprintable()))

    def _typed(self, text: str) -> None:
        if text != self.typed:
            self.typed = text[:LONGEST]
            self.post_message(self.Typed(self.typed, done=False))
            self.show()
