"""When to try again: full jitter, as the only kind that spreads those who failed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.facts import ReceiverState


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a receiver that failed is left alone."""

    first: float = 1.0
    """Seconds at most after the first failure; twice as many after each further one."""
    most: float = 300.0
    """Seconds at most, however often it failed."""
    longest_asked: float = 3600.0
    """Seconds at most that a receiver is left alone because it asked for it."""

    def delay(self, failures: int, *, asked: float | None, chance: Callable[[], float]) -> float:
        """Seconds to wait after so many failures in a row, at least one.

        Args:
            failures: In a row, this one included.
            asked: What the receiver asked for by Retry-After.
            chance: Uniform in [0, 1).
        """
        window = min(self.most, self.first * 2.0 ** min(failures - 1, 30))
        least = 0.0 if asked is None else min(max(asked, 0.0), self.longest_asked)
        # Behind what was asked for, not instead of it: all who were sent away would come back at one moment.
        return least + chance() * window


def failed(state: ReceiverState, error: str, now: datetime, delay: float) -> ReceiverState:
    """The receiver after a failure that may pass."""
    return replace(state, failures=state.failures + 1, retry_at=now + timedelta(seconds=delay), error=error)


def broke(state: ReceiverState, error: str) -> ReceiverState:
    """The receiver after a failure that will not."""
    return replace(state, failures=state.failures + 1, retry_at=None, error=error, broken=error)


def works(state: ReceiverState) -> ReceiverState:
    """The receiver after a success."""
    return replace(state, failures=0, retry_at=None, error=None, broken=None)
