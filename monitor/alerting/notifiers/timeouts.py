"""A time-out for an entire conversation over a socket, and the TLS settings that HTTP and SMTP share."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Self

from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.text import sanitize


class Deadline:
    """Shuts down a socket when the time is over, so that its reader gets an end of file.

    A server that sends a byte now and then never exceeds the time-out of a socket, which is one per read. Looking up a
    name is not covered: the system's resolver has its own time-outs.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        """Whether the time was over before the context was exited."""
        self._descriptor: int | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def watch(self, sock: socket.socket) -> None:
        """Watch a socket, by a copy of its descriptor: sockets are wrapped, and closed before their last read."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = os.dup(sock.fileno())
        if self.expired:
            self._shut_down()

    def _shut_down(self) -> None:
        self.expired = True
        with self._lock:
            if self._descriptor is None:
                return
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as same:
                same.shutdown(socket.SHUT_RDWR)


def ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks host names, and certificates by a PEM file; None for the system's.

    Raises:
        NotifyError: Permanent: the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = sanitize(getattr(error, "strerror", None) or error)
        raise NotifyError(f"ca_file {sanitize(ca_file)} cannot be used: {reason}", permanent=True) from None


def tls_error(error: ssl.SSLError, secrets: tuple[str, ...] = ()) -> NotifyError:
    """Return the error for a failed TLS handshake.

    It is never permanent, not even for an expired certificate: the other side may renew it without a change on this
    side, and pending messages for this receiver are still due then.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotifyError(f"its certificate is not accepted: {redact(error.verify_message, secrets)}")
    return NotifyError(f"no encrypted connection: {sanitize(error.reason or 'it ended')}")
