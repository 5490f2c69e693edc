"""Receivers that are new, whose settings have changed, or whose secrets cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modeltop.alerting.notifiers.base import Receiver, fingerprint, unusable
from modeltop.core.event import ReceiverChanged
from modeltop.core.incident import Facts, ReceiverState
from modeltop.core.text import safe


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


OFTEN = 3
"""Failures in a row that a person should know of."""


def introduced(receivers: Mapping[str, Receiver], facts: Facts, now: datetime) -> list[ReceiverChanged]:
    """What is new of them, to be journaled: from now on one is known, mended by other settings, or broken."""
    events = []
    for name, receiver in receivers.items():
        why = unusable(receiver.notifier)
        # That a secret cannot be read is part of the settings: once it can be, they have changed.
        settings = fingerprint(receiver.notifier) + ("" if why is None else " unusable")
        state = facts.receivers.get(name)
        if state is not None and state.settings == settings:
            continue
        fresh = ReceiverState(now, settings=settings) if state is None else replace(works(state), settings=settings)
        events.append(ReceiverChanged(now, name, fresh if why is None else broke(fresh, why)))
    return events


def broken(receivers: Mapping[str, Receiver], facts: Facts) -> dict[str, str]:
    """Which of them do not work, and why."""
    states = ((name, facts.receivers.get(name)) for name in receivers)
    return {name: state.broken for name, state in states if state is not None and state.broken is not None}


def failing(receivers: Mapping[str, Receiver], facts: Facts) -> str | None:
    """Which of them have failed again and again, in one clause; None where none has."""
    states = ((name, facts.receivers.get(name)) for name in receivers)
    said = [
        f"{safe(name, 60)} has failed {state.failures} times in a row: {state.error}"
        for name, state in states
        if state is not None and state.broken is None and state.failures >= OFTEN
    ]
    return "; ".join(said) or None
