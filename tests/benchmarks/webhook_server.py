"""A web server on loopback that takes messages, and refuses some of them by lot."""

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


class Receiving:
    """Remembers what it accepted, in order; the same seed refuses the same requests.

    Args:
        share: Of requests that fail.
        seed: Of the lot.
    """

    def __init__(self, share: float = 0.0, seed: int = 1) -> None:
        self.accepted: list[Mapping[str, Any]] = []
        """The payloads, those whose acceptance the sender never heard of among them."""
        self.requests = self.failed = 0
        self._share, self._chance, self._lock = share, random.Random(seed), threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing: the sender says what it met."""

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

    def parts(self) -> list[Mapping[str, Any]]:
        """All that was told, in order."""
        with self._lock:
            return [part for message in self.accepted for part in message["alerts"]]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self._lock:
            self.requests += 1
            fault = self._chance.choice(FAULTS) if self._chance.random() < self._share else None
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
