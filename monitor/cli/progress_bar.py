"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from modeltop.cli.context import encodable
from modeltop.core.text import sanitize, truncate

if TYPE_CHECKING:
    from modeltop.predictions.progress import Progress, ReadProgress

CELLS = 24
"""Width of the bar itself."""
PAUSE = 0.1
"""Least seconds between two frames."""
ERASE = "\r\x1b[K"


@contextlib.contextmanager
def bar(err: TextIO) -> Iterator[Progress | None]:
    """Draws what it is told; None where nobody would see it, or it would fill a log file."""
    if not err.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    drawn = _Bar(err)
    try:
        yield drawn.show
    finally:
        drawn.end()


class _Bar:
    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._last = float("-inf")
        self._held = threading.Lock()  # an engine reports from its own thread
        self._ended = False

    def show(self, done: ReadProgress) -> None:
        with self._held:
            if self._ended or time.monotonic() - self._last < PAUSE:
                return
            self._last = time.monotonic()
            width = _columns(self._err)
            self._err.write(ERASE + encodable(truncate(progress_line(done), width - 1), self._err))
            self._err.flush()

    def end(self) -> None:
        with self._held:
            self._ended = True
            self._err.write(ERASE)
            self._err.flush()


def _columns(err: TextIO) -> int:
    try:
        return os.get_terminal_size(err.fileno()).columns
    except (OSError, ValueError):
        return 80


def progress_line(done: ReadProgress) -> str:
    """One look at a read under way, as a line.

    >>> from modeltop.predictions.progress import ReadProgress
    >>> progress_line(ReadProgress("reading", 0.25, 5_000_000, 20_000_000, 120_000_000, 480_000_000))
    'reading ━━━━━━──────────────────  25 %  5,000,000 of 20,000,000 rows  120 of 480 MB'
    """
    parts = [sanitize(done.stage, 30)]
    if done.fraction is not None:
        full = min(CELLS, max(0, round(done.fraction * CELLS)))
        parts[0] += f" {'━' * full}{'─' * (CELLS - full)} {done.fraction:4.0%}".replace("%", " %")
    parts.append(f"{done.rows:,} rows" if done.total_rows is None else f"{done.rows:,} of {done.total_rows:,} rows")
    if done.total_bytes:
        parts.append(f"{done.bytes / 1e6:,.0f} of {done.total_bytes / 1e6:,.0f} MB")
    elif done.bytes:
        parts.append(f"{done.bytes / 1e6:,.0f} MB")
    return "  ".join(parts)
