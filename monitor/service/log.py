"""The daemon's own log on stderr: text for people, or JSON lines for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from modeltop.core.text import sanitize

MAX_TEXT = 500


class DaemonLog:
    """Log lines as text or as JSON, one ASCII object a line. Foreign strings are sanitized; the stream may be gone.

    Args:
        stream: Receives the lines.
        as_json: Whether to write JSON lines.
        clock: The machine's clock, because a log is compared with other logs.
    """

    def __init__(
        self, stream: TextIO, *, as_json: bool = False, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._stream, self._clock = stream, clock
        self.as_json = as_json

    def info(self, event: str, message: str, **fields: str | float) -> None:
        """Log an expected event."""
        self._write("info", event, message, fields)

    def warning(self, event: str, message: str, **fields: str | float) -> None:
        """Log a problem that a person may want to know of."""
        self._write("warning", event, message, fields)

    def error(self, event: str, message: str, **fields: str | float) -> None:
        """Log an error that a person has to act on."""
        self._write("error", event, message, fields)

    def _write(self, level: str, event: str, message: str, fields: dict[str, str | float]) -> None:
        at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if self.as_json:
            values = {
                name: sanitize(value, MAX_TEXT) if isinstance(value, str) else value for name, value in fields.items()
            }
            line = json.dumps(
                {"at": at, "level": level, "event": event, "message": sanitize(message, MAX_TEXT), **values}
            )
        else:
            line = f"{at} {level:7} {sanitize(message, MAX_TEXT)}"
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # the reader is gone, which is no reason to stop notifying
