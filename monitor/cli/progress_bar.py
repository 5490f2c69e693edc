"""A progress bar on stderr, if that is a terminal."""

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
PAUSE = 0.1
ERASE = "\r\x1b[K"


@contextlib.contextmanager
def show_progress(err: TextIO) -> Iterator[Progress | None]:
    """Yield a function that draws progress on the terminal of `err`; None if it is not a terminal, such as a file."""
    if not err.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    lock = threading.Lock()  # an engine reports from its own thread
    is_open, drawn_at = True, float("-inf")

    def show(progress: ReadProgress) -> None:
        nonlocal drawn_at
        with lock:
            if is_open and time.monotonic() - drawn_at >= PAUSE:
                drawn_at = time.monotonic()
                err.write(ERASE + encodable(truncate(progress_line(progress), _columns(err) - 1), err))
                err.flush()

    try:
        yield show
    finally:
        with lock:
            is_open = False
            err.write(ERASE)
            err.flush()


def _columns(err: TextIO) -> int:
    try:
        return os.get_terminal_size(err.fileno()).columns
    except (OSError, ValueError):
        return 80


def progress_line(progress: ReadProgress) -> str:
    """Return the progress of a read as a line.

    >>> from modeltop.predictions.progress import ReadProgress
    >>> progress_line(ReadProgress("reading", 0.25, 5_000_000, 20_000_000, 120_000_000, 480_000_000))
    'reading ━━━━━━──────────────────  25 %  5,000,000 of 20,000,000 rows  120 of 480 MB'
    """
    fields = [sanitize(progress.stage, 30)]
    if progress.fraction is not None:
        full = min(CELLS, max(0, round(progress.fraction * CELLS)))
        fields[0] += f" {'━' * full}{'─' * (CELLS - full)} {progress.fraction:4.0%}".replace("%", " %")
    fields.append(
        f"{progress.rows:,} rows"
        if progress.total_rows is None
        else f"{progress.rows:,} of {progress.total_rows:,} rows"
    )
    if progress.total_bytes:
        fields.append(f"{progress.bytes / 1e6:,.0f} of {progress.total_bytes / 1e6:,.0f} MB")
    elif progress.bytes:
        fields.append(f"{progress.bytes / 1e6:,.0f} MB")
    return "  ".join(fields)
