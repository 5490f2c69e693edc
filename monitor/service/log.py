"""What the watcher says of itself on stderr: a line each, for people or for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from modeltop.core.text import sanitize

LONGEST = 500
"""Cells of a message, and characters of a field."""


class DaemonLog:
    """Lines of text, or of JSON: an object a line, ASCII. Foreign strings are made safe; a stream may be gone.

    Args:
        stream: Where to.
        as_json: For machines.
        clock: The machine's clock: a log is compared with other logs.
    """

    def __init__(
        self, stream: TextIO, *, as_json: bool = False, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._stream, self._clock = stream, clock
        self.as_json = as_json

    def info(self, event: str, message: str, **fields: str | float) -> None:
        """Something went as it should."""
        self._write("info", event, message, fields)

    def warning(self, event: str, message: str, **fields: str | float) -> None:
        """Something did not, and a person may want to know."""
        self._write("warning", event, message, fields)

    def error(self, event: str, message: str, **fields: str | float) -> None:
        """Something did not, and a person has to do something about it."""
        self._write("error", event, message, fields)

    def _write(self, level: str, event: str, message: str, fields: dict[str, str | float]) -> None:
        at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if self.as_json:
            told = {
                name: sanitize(value, LONGEST) if isinstance(value, str) else value for name, value in fields.items()
            }
            line = json.dumps({"at": at, "level": level, "event": event, "message": sanitize(message, LONGEST), **told})
        else:
            line = f"{at} {level:7} {sanitize(message, LONGEST)}"
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nobody reads it any more; that is no reason to stop telling people


class ProblemLog:
    """Says a lasting trouble when it begins, and that it is over when it is: not every second of it."""

    def __init__(self, log: DaemonLog) -> None:
        self._log = log
        self._said: dict[str, str] = {}

    def update(self, event: str, message: str | None, over: str) -> None:
        """What is wrong now, None where nothing is; said only where that is news.

        Args:
            event: Which trouble.
            message: One clause.
            over: What is said once it has passed.
        """
        before = self._said.get(event)
        if message == before:
            return
        if message is None:
            del self._said[event]
            self._log.info(event, over)
        else:
            self._said[event] = message
            self._log.error(event, message)
