"""Receivers that are new, whose settings have changed, or whose secrets cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modeltop.alerting.notifiers.base import Receiver, fingerprint, unusable_reason
from modeltop.core.event import ReceiverChanged
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.core.text import sanitize


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a receiver that failed is left alone."""

    initial_seconds: float = 1.0
    """Seconds at most after the first failure; twice as many after each further one."""
    max_seconds: float = 300.0
    """Seconds at most, however often it failed."""
    max_retry_after: float = 3600.0
    """Seconds at most that a receiver is left alone because it asked for it."""

    def delay(self, failures: int, *, retry_after: float | None, random: Callable[[], float]) -> float:
        """Seconds to wait after so many failures in a row, at least one.

        Args:
            failures: In a row, this one included.
            retry_after: What the receiver asked for by Retry-After.
            random: Uniform in [0, 1).
        """
        window = min(self.max_seconds, self.initial_seconds * 2.0 ** min(failures - 1, 30))
        least = 0.0 if retry_after is None else min(max(retry_after, 0.0), self.max_retry_after)
        # Behind what was asked for, not instead of it: all who were sent away would come back at one moment.
        return least + random() * window


def after_temporary_failure(state: ReceiverState, error: str, now: datetime, delay: float) -> ReceiverState:
    """The receiver after a failure that may pass."""
    return replace(state, failures=state.failures + 1, retry_at=now + timedelta(seconds=delay), error=error)


def after_permanent_failure(state: ReceiverState, error: str) -> ReceiverState:
    """The receiver after a failure that will not."""
    return replace(state, failures=state.failures + 1, retry_at=None, error=error, disabled_reason=error)


def after_success(state: ReceiverState) -> ReceiverState:
    """The receiver after a success."""
    return replace(state, failures=0, retry_at=None, error=None, disabled_reason=None)


MIN_FAILURES = 3
"""Failures in a row that a person should know of."""


def receiver_changes(receivers: Mapping[str, Receiver], facts: AlertingState, now: datetime) -> list[ReceiverChanged]:
    """What is new of them, to be journaled: from now on one is known, mended by other settings, or broken."""
    events = []
    for name, receiver in receivers.items():
        why = unusable_reason(receiver.notifier)
        # That a secret cannot be read is part of the settings: once it can be, they have changed.
        settings = fingerprint(receiver.notifier) + ("" if why is None else " unusable")
        state = facts.receivers.get(name)
        if state is not None and state.settings_fingerprint == settings:
            continue
        fresh = (
            ReceiverState(now, settings_fingerprint=settings)
            if state is None
            else replace(after_success(state), settings_fingerprint=settings)
        )
        events.append(ReceiverChanged(now, name, fresh if why is None else after_permanent_failure(fresh, why)))
    return events


def disabled_receivers(receivers: Mapping[str, Receiver], facts: AlertingState) -> dict[str, str]:
    """Which of them do not work, and why."""
    states = ((name, facts.receivers.get(name)) for name in receivers)
    return {
        name: state.disabled_reason for name, state in states if state is not None and state.disabled_reason is not None
    }


def failing_receivers(receivers: Mapping[str, Receiver], facts: AlertingState) -> str | None:
    """Which of them have failed again and again, in one clause; None where none has."""
    states = ((name, facts.receivers.get(name)) for name in receivers)
    said = [
        f"{sanitize(name, 60)} has failed {state.failures} times in a row: {state.error}"
        for name, state in states
        if state is not None and state.disabled_reason is None and state.failures >= MIN_FAILURES
    ]
    return "; ".join(said) or None
