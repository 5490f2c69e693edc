"""The lines above and below the panes: header, tabs, and the last line with its keys, messages and prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from textual import events

from modeltop.core.text import display_width, sanitize, truncate
from modeltop_tui.view.header import header_line, keys_line, shared_line, tabs_line
from modeltop_tui.view.line_edit import MAX_LENGTH, Line, paste_line
from modeltop_tui.view.styled_text import Cells, fit
from modeltop_tui.view.verdict import verdict_lines
from modeltop_tui.widgets.pane import Lines

DEMO_MESSAGE_SECONDS = 4.0
"""Seconds after which the hint of the demo, which names the next key, replaces a message."""


class Header(Lines):
    """The number of models in each state, and the age of the data; below it what several models have in common.

    Args:
        now: Returns the present.
        ascii_only: Whether only characters below 128 are drawn.
    """

    def __init__(self, now: Callable[[], datetime], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.now = now

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return one line, or two."""
        return [header_line(self.screen_state, self.now(), width), shared_line(self.screen_state, width)][:height]

    def on_mount(self) -> None:
        """Age the data; only a line that reads differently is painted."""
        self.set_interval(5.0, self.repaint)


class VerdictLines(Lines):
    """What happened to the selected model, why, and what to do."""

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return a line for each."""
        return [fit(line, width) for line in verdict_lines(self.screen_state, width)][:height]


class Tabs(Lines):
    """The panes by number, if there is room for only one at a time."""

    def __init__(self, names: list[str], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.names = names
        self.active = 1

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return the tab bar as a frame of one line."""
        return [tabs_line(self.names, self.active, width)][:height]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to be answered by typing a line."""

    label: str
    initial: str
    on_change: Callable[[str], str]
    on_submit: Callable[[str], None]
    on_cancel: Callable[[], None] = lambda: None
    complete: Callable[[str], Sequence[str]] = lambda _: ()
    earlier: Sequence[str] = ()


class StatusBar(Lines):
    """The last line: keys and their actions, the result of the last one, or a prompt."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.keys: list[tuple[str, str]] = []
        self.message = ""
        self.prompt: Prompt | None = None
        self.line = Line()
        self.hint = ""
        self._is_hint_due = False

    def frame(self, width: int, height: int) -> list[Cells]:
        """Return the footer as a frame of one line."""
        if self.prompt is not None:
            return [self._prompt_line(self.prompt.label, width)][:height]
        if self.message:
            return [fit(((self.message, "strong"),), width)][:height]
        if guide := getattr(self.app, "guide", None):
            return [fit(((guide[0][1], "strong"),), width)][:height]
        return [keys_line(self.keys, width)][:height]

    def _prompt_line(self, label: str, width: int) -> Cells:
        room = max(8, width - display_width(label) - 2)
        # The end of a long answer is what the person is typing.
        answer = sanitize(self.line.text, 10 * MAX_LENGTH)
        answer = answer if display_width(answer) < room else "…" + answer[-(room // 2) :]
        hint = truncate(self.hint, max(0, room - display_width(answer) - 2))
        return fit(((f"{label} ", "strong"), (answer, ""), (" ", "cursor"), (f" {hint}", "dim")), width)

    def show_message(self, text: str) -> None:
        """Show a message until the next key, in the demo for a few seconds only; foreign text in it is made safe."""
        self.message = sanitize(text, 400)
        self.repaint()
        if self.message and getattr(self.app, "guide", None):
            self.set_timer(DEMO_MESSAGE_SECONDS, partial(self._hide_message, self.message))

    def _hide_message(self, message: str) -> None:
        if self.message == message:
            self.show_message("")

    def show_prompt(self, prompt: Prompt) -> None:
        """Show a prompt, which receives all keys until Enter or Esc."""
        self.prompt, self.message = prompt, ""
        self.line = Line(prompt.initial, prompt.earlier, prompt.complete)
        self._update_hint()

    def handle_prompt_key(self, event: events.Key) -> None:
        """Edit the answer, submit it or cancel. Every key is handled here, so that letters are typed text."""
        if event.key in ("enter", "escape"):
            self._close_prompt(submitted=event.key == "enter")
            return
        self._set_line(self.line.press(event.key, event.character if event.is_printable else None))

    def paste(self, text: str) -> None:
        """Append the first line of the pasted text, without unprintable characters."""
        self._set_line(replace(self.line, text=paste_line(self.line.text, text), completed=()))

    def _set_line(self, line: Line) -> None:
        """Change the answer. Its hint, which may take long, waits for the keys that have come in already."""
        if self.prompt is not None:
            self.line = line
            if not self._is_hint_due:
                self._is_hint_due = True
                self.app.call_later(self._update_due_hint)

    def _update_due_hint(self) -> None:
        if self._is_hint_due:
            self._update_hint()

    def _update_hint(self) -> None:
        self._is_hint_due = False
        if self.prompt is not None:
            self.hint = self.prompt.on_change(self.line.text)
            self.repaint()

    def _close_prompt(self, *, submitted: bool) -> None:
        if submitted:
            self._update_due_hint()  # a filter applies while it is typed
        prompt, self.prompt, self._is_hint_due = self.prompt, None, False
        if prompt is not None and submitted:
            prompt.on_submit(self.line.text)
        elif prompt is not None:
            prompt.on_cancel()
        self.repaint()
