"""A total time-out for a conversation over a socket: not per read, as sockets have it, but for all of it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from types import TracebackType
from typing import Self


class Deadline:
    """Shuts the socket that it was handed when the time is over, so that whoever reads from it reads its end.

    A server that sends a byte now and then never runs into the time-out of a socket. Looking up a name is not covered:
    the system's resolver has its own time-outs.

    Args:
        seconds: From entering the context on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        """Whether the time was over before the context was left."""
        self._descriptor: int | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def watch(self, sock: socket.socket) -> None:
        """Shut this one; by a copy of its descriptor, as sockets are wrapped, and closed before their last read."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = os.dup(sock.fileno())
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        self.passed = True
        with self._lock:
            if self._descriptor is None:
                return
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as same:
                same.shutdown(socket.SHUT_RDWR)
