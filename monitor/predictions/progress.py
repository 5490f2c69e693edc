"""How far the reading of a log has come."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Engine
    from modeltop.predictions.spec import Reading

EVERY = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Done:
    """One look at a read under way."""

    what: str
    """Such as `reading` or `features`."""
    share: float | None
    """0 to 1; None where the engine does not tell."""
    rows: int
    """Rows read so far."""
    total_rows: int | None
    bytes: int
    """Bytes of the log read so far, in proportion."""
    total_bytes: int | None


Progress = Callable[[Done], None]
"""Told a few times a second, from another thread than the one that reads."""


@contextlib.contextmanager
def told(progress: Progress | None, engine: Engine, reading: Reading, what: str) -> Iterator[None]:
    """While this lasts, `progress` is told how far the engine has come."""
    if progress is None:
        yield
        return
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(EVERY):
            progress(_done(engine.share(), reading, what))

    watcher = threading.Thread(target=tell, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    progress(_done(1.0, reading, what))


def _done(share: float | None, reading: Reading, what: str) -> Done:
    part = share or 0.0
    return Done(what, share, int(part * reading.total), reading.total, int(part * reading.bytes), reading.bytes or None)
