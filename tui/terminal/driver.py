"""Textual's terminal driver, which also handles a terminal that is slow, closed, or answers late."""

from __future__ import annotations

import codecs
import queue
import re
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from modeltop_tui.terminal.background_colour import LateReplies

_MIN_FRAME_LENGTH = 100
"""Length of a write from which it is a frame, which can be dropped if it repeats the last one."""

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
PASTE_SECONDS = 0.5
"""Silence after which a paste whose end never came is over: all keys would be part of it."""
MAX_TYPED = 200
"""Characters in one read from which they were not typed, but pasted into a terminal that does not say so."""
MAX_KEPT = 8
MAX_COLUMNS, MAX_LINES, MAX_CELLS = 2_000, 600, 250_000
"""From which a size that the terminal reports is none: the app would draw it for a long time."""
_PARTS = re.compile(r"\x1b[^\x1b]{0,32}|[^\x1b]+")
_MARKS = re.compile(r"\x1b\[20([01])~")
_PARSE_ERRORS = (ValueError, OverflowError, ArithmeticError, LookupError, TypeError)


class _KeyParser(XTermParser):
    """Parses keys, first those typed before the app started, and survives whatever else comes.

    Late replies to the query sent then are dropped, as is a sequence that Textual's parser fails at.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._late_replies = LateReplies()
        self._typed_ahead = TerminalDriver.typed_ahead
        self._end_of_data = ""
        self._pasting_since: float | None = None

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # it ends the parser
            yield from super().feed(data)
            return
        keys = self._late_replies.strip(data) if TerminalDriver.expects_late_reply else data
        if len(keys) < MAX_TYPED:
            yield from self._messages(keys)
            return
        # Nobody waits for what nobody typed, but for the key after it.
        messages = list(self._messages(keys))
        for position, message in enumerate(messages, start=1):
            if position <= MAX_KEPT or position == len(messages) or not isinstance(message, events.InputEvent):
                yield message

    def _messages(self, keys: str) -> Iterable[Message]:
        self._follow_paste(keys)
        is_pasting = self._pasting_since is not None
        for part in _PARTS.findall(keys):
            if part[0] == "\x1b":
                for character in part:  # so that of what fails only the sequence is lost
                    yield from self._survive(partial(super().feed, character))
            elif len(part) >= MAX_TYPED and not is_pasting and PASTE_END not in keys:
                yield events.Paste(part.replace("\x00", ""))
            else:
                yield from self._survive(partial(super().feed, part))

    def tick(self) -> Iterable[Message]:
        keys, self._typed_ahead = self._typed_ahead, ""
        if keys:
            yield from self.feed(keys)
        if self._pasting_since is not None and monotonic() - self._pasting_since >= PASTE_SECONDS:
            yield from self.feed(PASTE_END)
        yield from self._survive(super().tick)

    def _follow_paste(self, keys: str) -> None:
        data = self._end_of_data + keys
        marks, self._end_of_data = _MARKS.findall(data), data[-len(PASTE_START) + 1 :]
        if marks:
            self._pasting_since = monotonic() if marks[-1] == "0" else None
        elif self._pasting_since is not None:
            self._pasting_since = monotonic()

    def _survive(self, parse: Callable[[], Iterable[Message]]) -> Iterable[Message]:
        try:
            yield from filter(_is_possible, parse())
        except _PARSE_ERRORS:
            self._tokens.clear()
            self._gen = self.parse(self._tokens.append)
            self._awaiting, self._timeout_time = next(self._gen), None


def _is_possible(message: Message) -> bool:
    """Return whether a terminal can mean it: neither half a character nor a size beyond all screens."""
    if isinstance(message, events.Key):
        return message.character is None or not any("\ud800" <= one <= "\udfff" for one in message.character)
    if isinstance(message, events.Resize):
        width, height = message.size
        return 0 < width < MAX_COLUMNS and 0 < height < MAX_LINES and width * height < MAX_CELLS
    return True


def _replacing_decoder(name: str) -> Callable[[], codecs.IncrementalDecoder]:
    """Return a decoder of bytes in place of `codecs.getincrementaldecoder`, to which none is an error."""
    return partial(codecs.getincrementaldecoder(name), errors="replace")


class TerminalDriver(linux_driver.LinuxDriver):
    """The Linux driver, but for early keys, late replies, stale frames, and terminals that are covered or gone."""

    _last_frame = ""
    """The last write, if that was a frame."""
    expects_late_reply: ClassVar[bool] = False
    """Whether a reply to `TerminalQuery` may still arrive."""
    on_alternate_screen: ClassVar[bool] = False
    """Whether the terminal shows the alternate screen already: some would clear it if asked for it again."""
    typed_ahead: ClassVar[str] = ""
    """The keys typed before the app started, and read by `TerminalQuery`."""

    def run_input_thread(self) -> None:
        """Read keys until the app ends."""
        # The driver looks both up here, and nowhere else. Bytes that are no UTF-8 would end its thread.
        linux_driver.XTermParser = _KeyParser  # type: ignore[attr-defined]
        linux_driver.getincrementaldecoder = _replacing_decoder  # type: ignore[attr-defined, assignment]
        super().run_input_thread()

    def write(self, data: str) -> None:
        """Queue data for the terminal, but for a frame that repeats the last one.

        Textual lays a screen out two or three times when it changes, and sends the same frame each time. Nothing is
        queued once the writer has failed: a full queue would block for ever.
        """
        writer = self._writer_thread
        if data == _ENTER_ALTERNATE_SCREEN and self.on_alternate_screen:
            TerminalDriver.on_alternate_screen = False
            return
        if writer is not None and writer.is_alive():
            if len(data) >= _MIN_FRAME_LENGTH:
                if data == self._last_frame:
                    return
                self._last_frame = data
            elif data not in (SYNC_START, SYNC_END):
                self._last_frame = ""
            writer.write(data)

    def stop_application_mode(self) -> None:
        """Restore the terminal, without first sending frames that are not visible any more."""
        writer = self._writer_thread
        while writer is not None:
            try:
                writer._queue.get_nowait()  # noqa: SLF001  there is no other way to empty it
            except queue.Empty:
                break
        super().stop_application_mode()

    def _sigcont_application(self, *signal: Any) -> None:
        # Continued after a SIGSTOP, which no program hears of, the driver was never shut down: starting it
        # again would leave two threads to fight for each key.
        if self._must_signal_resume:
            super()._sigcont_application(*signal)
            self._loop.call_soon_threadsafe(partial(self._app.call_later, self._app.refresh, layout=True))
