"""Of no data people are told only after a second look: a late file is no silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from monitor.records import Condition, Episode


class SecondLook:
    """Holds back an alert of no data that nobody knows of until it has been seen for a while.

    Args:
        wait: Time between the first look and the one that counts.
        seen: By id, when such alerts were first seen, by an earlier run.
    """

    def __init__(self, wait: timedelta, seen: Mapping[str, datetime] | None = None) -> None:
        self.wait = wait
        self.seen = dict(seen or {})

    def of(self, episodes: Iterable[Episode], now: datetime, known: Callable[[Episode], bool]) -> tuple[Episode, ...]:
        """The alerts that count now.

        Args:
            episodes: All that were found.
            now: The moment of the look.
            known: Whether an alert belongs to an incident that is open already.
        """
        kept: list[Episode] = []
        waiting: dict[str, datetime] = {}
        for episode in episodes:
            if episode.condition is not Condition.NO_DATA or episode.id is None or known(episode):
                kept.append(episode)
                continue
            # A clock that was set back must not make anybody wait for years.
            first = min(self.seen.get(episode.id, now), now)
            if now - first >= self.wait:
                kept.append(episode)
            waiting[episode.id] = first
        self.seen = waiting
        return tuple(kept)

    def due(self) -> datetime | None:
        """When the next second look is due; None where none is."""
        return min((first + self.wait for first in self.seen.values()), default=None)
