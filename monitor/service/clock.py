"""The daemon's clock: that of the machine, but never backwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MAX_LAG = timedelta(minutes=5)
"""A clock that lags the event log by more than this is reported as wrong."""


class Clock:
    """A clock that stays monotonic if the machine's clock is set back, until that has caught up."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self.monotonic = wall, steady
        self._floor: datetime | None = None
        self._floor_read_at = 0.0

    def now(self, floor: datetime | None = None) -> datetime:
        """Return the time, aware UTC: never before an earlier answer, nor before `floor`, the last event's time."""
        moments = [self._wall()]
        if self._floor is not None:
            moments.append(self._floor + timedelta(seconds=self.monotonic() - self._floor_read_at))
        if floor is not None:
            moments.append(floor)
        self._floor, self._floor_read_at = max(moments), self.monotonic()
        return self._floor

    def lag(self) -> timedelta:
        """Return how far the machine's clock is behind `now`, at least zero."""
        return timedelta() if self._floor is None else max(timedelta(), self._floor - self._wall())
