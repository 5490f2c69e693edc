"""A total time-out for a conversation over a socket: not per read, as sockets have it, but for all of it."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.text import sanitize


class Deadline:
    """Shuts the socket that it was handed when the time is over, so that whoever reads from it reads its end.

    A server that sends a byte now and then never runs into the time-out of a socket. Looking up a name is not covered:
    the system's resolver has its own time-outs.

    Args:
        seconds: From entering the context on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
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
        if self.expired:
            self._cut()

    def _cut(self) -> None:
        self.expired = True
        with self._lock:
            if self._descriptor is None:
                return
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as same:
                same.shutdown(socket.SHUT_RDWR)


def ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificates and names of hosts.

    Args:
        ca_file: What is trusted, instead of the system's certificates; None: those.

    Raises:
        NotifyError: Permanent; the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        why = sanitize(getattr(error, "strerror", None) or error)
        raise NotifyError(f"ca_file {sanitize(ca_file)} cannot be used: {why}", permanent=True) from None


def tls_error(error: ssl.SSLError, secrets: tuple[str, ...] = ()) -> NotifyError:
    """What a failed agreement on encryption is called.

    It may pass, an expired certificate too: nothing on this side has to change for the other side to renew it, and
    what was meant for this receiver is still owed to it then.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotifyError(f"its certificate is not accepted: {redact(error.verify_message, secrets)}")
    return NotifyError(f"no encrypted connection: {sanitize(error.reason or 'it ended')}")
