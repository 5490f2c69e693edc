"""Wake-ups of the daemon: by a signal, a finished message, or time."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType


class WakeupPipe:
    """A self-pipe: written from a signal handler or any thread, waited for by one.

    A pipe, not `threading.Event`: a handler that sets an event while the same thread holds the event's lock
    never returns.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def wake(self) -> None:
        """Wake the thread that waits, or end its next wait at once."""
        with contextlib.suppress(OSError):  # full: it is awake already; closed: no thread waits any more
            os.write(self._writer, b"!")

    def wait(self, seconds: float) -> bool:
        """Wait for a wake-up, at most `seconds`. Return whether there was one."""
        if not select.select([self._reader], [], [], max(0.0, seconds))[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass
        return True

    def close(self) -> None:
        """Close both ends of the pipe."""
        descriptors = (self._reader, self._writer)
        # The numbers go to the next file that is opened, which a late wake-up must not be written to.
        self._reader = self._writer = -1
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class SignalFlags:
    """The requests that arrived as signals."""

    def __init__(self, wakeup: WakeupPipe) -> None:
        self.stop = False
        """True after SIGTERM or SIGINT: end cleanly."""
        self.reload = False
        """True after SIGHUP, to reload the configuration; reset by the caller that reloads it."""
        self._wakeup = wakeup

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """Handle one of the three signals; a second request to end ends at once."""
        if number == signal.SIGHUP:
            self.reload = True
        elif self.stop:
            raise KeyboardInterrupt
        else:
            self.stop = True
        self._wakeup.wake()


@contextlib.contextmanager
def handle_signals(wakeup: WakeupPipe) -> Iterator[SignalFlags]:
    """Handle SIGTERM, SIGINT and SIGHUP within the context; only in the main thread."""
    flags = SignalFlags(wakeup)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    previous = {number: signal.signal(number, flags.handle) for number in numbers}
    try:
        yield flags
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
