"""Textual's terminal driver, which also handles a terminal that is slow, closed, or answers late."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from modeltop_tui.terminal.background_colour import LateReplies

_MIN_FRAME_LENGTH = 100
"""Length of a write from which it is a frame, which can be dropped if it repeats the last one."""

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


class _KeyParser(XTermParser):
    """Parses keys, first those typed before the app started, and drops late replies to the query sent then."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._late_replies = LateReplies()
        self._typed_ahead = TerminalDriver.typed_ahead

    def feed(self, data: str) -> Iterable[Message]:
        keys = self._late_replies.strip(data)
        return super().feed(keys) if keys or not data else ()  # an empty string would end the parser

    def tick(self) -> Iterable[Message]:
        keys, self._typed_ahead = self._typed_ahead, ""
        return (*(super().feed(keys) if keys else ()), *super().tick())


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
        if self.expects_late_reply or self.typed_ahead:
            linux_driver.XTermParser = _KeyParser  # type: ignore[attr-defined]  # the driver looks it up here, and nowhere else
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
