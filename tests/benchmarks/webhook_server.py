"""Webhook server on loopback that fails at random."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

FAULTS = ("500", "503", "429", "reset", "dropped after acceptance")


class WebhookServer:
    """Server that keeps the messages it accepts, in order; the same seed fails the same requests.

    Args:
        failure_rate: Share of the requests that fail, 0 to 1.
        seed: Seed of the failures.
    """

    def __init__(self, failure_rate: float = 0.0, seed: int = 1) -> None:
        self.accepted: list[Mapping[str, Any]] = []
        """Payloads, including those whose response was dropped."""
        self.requests = self.failed = 0
        self._failure_rate, self._rng, self._lock = failure_rate, random.Random(seed), threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.respond(self)

            def log_message(self, *_: object) -> None:
                """Log nothing: the sender reports failures."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def alerts(self) -> list[Mapping[str, Any]]:
        """Return the alerts of all accepted messages, in order."""
        with self._lock:
            return [alert for message in self.accepted for alert in message["alerts"]]

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Accept or fail one request."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self._lock:
            self.requests += 1
            fault = self._rng.choice(FAULTS) if self._rng.random() < self._failure_rate else None
            self.failed += fault is not None
            if fault in (None, "dropped after acceptance"):
                self.accepted.append(json.loads(body))
        if fault in ("reset", "dropped after acceptance"):
            # With a linger of zero seconds, closing resets the connection.
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close_connection = True
            request.connection.close()
            return
        request.send_response(int(fault or 200))
        if fault == "429":
            request.send_header("Retry-After", "0")
        request.send_header("Content-Length", "0")
        request.end_headers()
