"""Ends the process and restores the terminal, whatever the reason: a signal, a hangup, an error of its own."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from textual.app import App

HANGUP, TERMINATED = 128 + signal.SIGHUP, 128 + signal.SIGTERM
_EXIT_CODES = {signal.SIGTERM: TERMINATED, signal.SIGHUP: HANGUP}
_POLL_MILLISECONDS = 2000
"""Milliseconds between two polls of the terminal, if the kernel does not wake us at once."""
_GRACE_SECONDS = 1.5
"""Seconds until the process is ended by force after a hangup."""
_SHUTDOWN_SECONDS = 5.0
"""Seconds until the process is ended by force while a terminal, perhaps a slow one, is being restored."""


def exit_soon(code: int, cleanup: Callable[[], None] = lambda: None, *, seconds: float = _GRACE_SECONDS) -> None:
    """End the process after some seconds, even if a thread still reads files or writes to a dead terminal.

    Args:
        code: Exit code.
        cleanup: Called just before.
        seconds: Seconds until then.
    """

    def end() -> None:
        time.sleep(seconds)
        cleanup()
        os._exit(code)

    threading.Thread(target=end, name="modeltop-end", daemon=True).start()


def finish_exit(code: int) -> int:
    """Return the exit code for the interpreter; if a thread still runs, end the process here.

    The interpreter would abort if such a thread, perhaps deep in an import, held a lock that it needs; and it would
    turn the code into 120 if a stream cannot be flushed.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):
        os._exit(code)
    if threading.active_count() > 1:
        os._exit(code)
    return code


class ExitRequest:
    """The request of a signal to exit, made before there is an app to end."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.cleanup: Callable[[], None] = lambda: None
        """Restores the terminal even if everything else is blocked."""


@contextlib.contextmanager
def exit_on_signals() -> Iterator[ExitRequest]:
    """Raise SystemExit on SIGTERM and SIGHUP within the context, so that every cleanup on the way out runs.

    A SIGHUP that is ignored (nohup) stays ignored.
    """
    request = ExitRequest()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        # Raised in a callback of the import system the exception would be lost: `run_app` checks the code again.
        request.code = _EXIT_CODES[signal.Signals(number)]
        exit_soon(request.code, request.cleanup)
        raise SystemExit(request.code)

    numbers = [number for number in _EXIT_CODES if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_app(app: App[Any], request: ExitRequest, *, mouse: bool) -> int:
    """Run the app to its end, on a loop of its own, and return the exit code of the process.

    Args:
        app: Not yet running.
        request: From the `exit_on_signals` within which this is called.
        mouse: Whether the terminal reports the mouse.
    """
    import asyncio  # `modeltop check` never needs it

    crash = _CrashReporter(app)
    loop = asyncio.new_event_loop()
    stop = _StopOnSignal(app, loop)
    try:
        with stop:
            if request.code is None:
                app.run(mouse=mouse, loop=loop)
    finally:
        # Not `asyncio.run`: it would wait for a thread that is still reading a large file.
        _cancel_tasks(loop)
        loop.close()
    code = stop.code or request.code
    return crash.code(app.return_code) if code is None else code


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    async def cancel() -> None:
        tasks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await loop.shutdown_asyncgens()

    loop.run_until_complete(cancel())


class _StopOnSignal:
    """Ends the app on SIGTERM, SIGHUP and a hangup of the terminal, while it is entered."""

    def __init__(self, app: App[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.code: int | None = None
        """The exit code of the first reason to stop; None without one."""
        self._app = app
        self._loop = loop
        self._finished = threading.Event()

    def __enter__(self) -> None:
        for number, code in _EXIT_CODES.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._exit, code)
        threading.Thread(target=self._watch_hangup, name="modeltop-hangup", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        for number in _EXIT_CODES:
            self._loop.remove_signal_handler(number)

    def _exit(self, code: int) -> None:
        if self.code is None:
            self.code = code
            exit_soon(code, seconds=_GRACE_SECONDS if code == HANGUP else _SHUTDOWN_SECONDS)
            self._app.exit(return_code=code)

    def _watch_hangup(self) -> None:
        """Wait for a hangup of the terminal: with SIGHUP ignored nothing else would report it."""
        poller = select.poll()
        poller.register(0, 0)
        while not self._finished.is_set():
            events = poller.poll(_POLL_MILLISECONDS)
            if any(event & select.POLLHUP for _, event in events):
                exit_soon(HANGUP)  # the loop may itself be stuck in a write
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._exit, HANGUP)
                return
            if events:
                return  # some systems cannot poll a terminal; there the signal must do


class _CrashReporter:
    """Replaces Textual's error screen, which shows local variables, by a log and one line."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._panicked = False
        # An instance's own attributes hide the methods of its class: the app itself needs to know nothing of this.
        vars(app).update(_fatal_error=self._on_crash, panic=self._on_crash)

    def _on_crash(self, *_: object) -> None:
        self._panicked = True
        self._app._close_messages_no_wait()  # noqa: SLF001  what both replaced methods do last

    def code(self, return_code: int | None) -> int:
        from modeltop.cli.crash_log import report_crash

        error = self._app._exception  # noqa: SLF001  Textual keeps it for its test harness
        if error is not None:
            return report_crash(error)
        if self._panicked:
            return report_crash(RuntimeError("the thread that reads the terminal failed"))
        return return_code or 0
