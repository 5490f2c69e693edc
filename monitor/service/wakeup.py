"""What wakes the watcher: a signal, a finished message, or time."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType


class WakeupPipe:
    """May be rung from a signal handler and from any thread; one waits for it.

    A pipe, not `threading.Event`: a handler that sets an event while the same thread holds the event's lock
    never returns.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def wake(self) -> None:
        """Wake whoever waits, or spare the next one the waiting."""
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody waits any more
            os.write(self._writer, b"!")

    def wait(self, seconds: float) -> bool:
        """Until it rings, at most so long; whether it rang."""
        if not select.select([self._reader], [], [], max(0.0, seconds))[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass
        return True

    def close(self) -> None:
        """Nobody waits any more."""
        for descriptor in (self._reader, self._writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class SignalFlags:
    """What the system or a person asked for by signals."""

    def __init__(self, wakeup: WakeupPipe) -> None:
        self.stop = False
        """SIGTERM or SIGINT: end cleanly."""
        self.reload = False
        """SIGHUP: read the configuration anew; set back by whoever does."""
        self._wakeup = wakeup

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """The handler of all three signals; a second wish to end ends at once."""
        if number == signal.SIGHUP:
            self.reload = True
        elif self.stop:
            raise KeyboardInterrupt
        else:
            self.stop = True
        self._wakeup.wake()


@contextlib.contextmanager
def handle_signals(wakeup: WakeupPipe) -> Iterator[SignalFlags]:
    """Hear SIGTERM, SIGINT and SIGHUP while within; only in the main thread."""
    flags = SignalFlags(wakeup)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    previous = {number: signal.signal(number, flags.handle) for number in numbers}
    try:
        yield flags
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
