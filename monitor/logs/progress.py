"""How far the reading of a log has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
