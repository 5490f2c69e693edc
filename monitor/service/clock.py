"""`now` of the watcher: the machine's clock, but never backwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MAX_LAG = timedelta(minutes=5)
"""A clock that is behind by more than this is said to be wrong."""


class Clock:
    """Goes on at its own pace where the machine's clock has been set back, until that has caught up.

    Args:
        wall: The machine's clock.
        steady: Seconds that nobody can set.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self.monotonic = wall, steady
        self._floor: datetime | None = None
        self._floor_read_at = 0.0

    def now(self, floor: datetime | None = None) -> datetime:
        """The moment, not before any that was given earlier, nor before `floor`: the journal's last time."""
        moments = [self._wall()]
        if self._floor is not None:
            moments.append(self._floor + timedelta(seconds=self.monotonic() - self._floor_read_at))
        if floor is not None:
            moments.append(floor)
        self._floor, self._floor_read_at = max(moments), self.monotonic()
        return self._floor

    def lag(self) -> timedelta:
        """How far the machine's clock is behind `now`; zero where it is not."""
        return timedelta() if self._floor is None else max(timedelta(), self._floor - self._wall())
