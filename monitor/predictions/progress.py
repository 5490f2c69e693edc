"""Periodic reports of how much of a log was read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modeltop.predictions.engines.base import Engine
from modeltop.predictions.spec import ResolvedLog

INTERVAL_SECONDS = 0.2
"""Seconds between two reports."""


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """The progress of reading a log at one moment."""

    stage: str
    """Such as `reading` or `features`."""
    fraction: float | None
    """0 to 1; None if the engine does not report it."""
    rows: int
    """Rows read so far."""
    total_rows: int | None
    bytes: int
    """Bytes of the log read so far, estimated from the fraction."""
    total_bytes: int | None


Progress = Callable[[ReadProgress], None]
"""A function called a few times a second, from another thread than the reading one."""


@contextlib.contextmanager
def report_progress(progress: Progress | None, engine: Engine, log: ResolvedLog, stage: str) -> Iterator[None]:
    """Report the progress of the engine until the block ends, and its end.

    Args:
        progress: Called with the progress; None: nothing is reported.
        engine: The engine that reads.
        log: The log that it reads.
        stage: Name of the stage.
    """
    if progress is None:
        yield
        return
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(INTERVAL_SECONDS):
            progress(_read_progress(engine.progress(), log, stage))

    reporter = threading.Thread(target=report, name="progress", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()
    progress(_read_progress(1.0, log, stage))


def _read_progress(fraction: float | None, log: ResolvedLog, stage: str) -> ReadProgress:
    rows, size = (int((fraction or 0.0) * total) for total in (log.row_count, log.total_bytes))
    return ReadProgress(stage, fraction, rows, log.row_count, size, log.total_bytes or None)
