"""How far the reading of a log has come."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Engine
    from modeltop.predictions.spec import ResolvedLog

INTERVAL_SECONDS = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """One look at a read under way."""

    stage: str
    """Such as `reading` or `features`."""
    fraction: float | None
    """0 to 1; None where the engine does not tell."""
    rows: int
    """Rows read so far."""
    total_rows: int | None
    bytes: int
    """Bytes of the log read so far, in proportion."""
    total_bytes: int | None


Progress = Callable[[ReadProgress], None]
"""Told a few times a second, from another thread than the one that reads."""


@contextlib.contextmanager
def report_progress(progress: Progress | None, engine: Engine, reading: ResolvedLog, what: str) -> Iterator[None]:
    """While this lasts, `progress` is told how far the engine has come."""
    if progress is None:
        yield
        return
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(INTERVAL_SECONDS):
            progress(_read_progress(engine.progress(), reading, what))

    watcher = threading.Thread(target=tell, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    progress(_read_progress(1.0, reading, what))


def _read_progress(share: float | None, reading: ResolvedLog, what: str) -> ReadProgress:
    part = share or 0.0
    return ReadProgress(
        what,
        share,
        int(part * reading.row_count),
        reading.row_count,
        int(part * reading.total_bytes),
        reading.total_bytes or None,
    )
