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

    def __init__(self, bell: WakeupPipe) -> None:
        self.stop = False
        """SIGTERM or SIGINT: end cleanly."""
        self.reload = False
        """SIGHUP: read the configuration anew; set back by whoever does."""
        self._bell = bell

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """The handler of all three signals; a second wish to end ends at once."""
        if number == signal.SIGHUP:
            self.reload = True
        elif self.stop:
            raise KeyboardInterrupt
        else:
            self.stop = True
        self._bell.wake()


@contextlib.contextmanager
def handle_signals(bell: WakeupPipe) -> Iterator[SignalFlags]:
    """Hear SIGTERM, SIGINT and SIGHUP while within; only in the main thread."""
    wishes = SignalFlags(bell)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, wishes.handle) for number in numbers}
    try:
        yield wishes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
