"""The state of receivers: retries with backoff, failures, and changes of their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from modeltop.alerting.notifiers.base import Receiver, fingerprint, unusable_reason
from modeltop.core.event import ReceiverChanged
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.core.text import sanitize


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter (Brooker, AWS Architecture Blog, 2015)."""

    initial_seconds: float = 1.0
    """Longest delay after the first failure, in seconds; doubled after each further one."""
    max_seconds: float = 300.0
    """Longest delay in seconds, however often it failed."""
    max_retry_after: float = 3600.0
    """Longest delay in seconds that a receiver may ask for."""

    def delay(self, failures: int, *, retry_after: float | None, random: Callable[[], float]) -> float:
        """Return the seconds to wait after so many failures in a row, at least 1; `random` draws from [0, 1)."""
        window = min(self.max_seconds, self.initial_seconds * 2.0 ** min(failures - 1, 30))
        minimum = 0.0 if retry_after is None else min(max(retry_after, 0.0), self.max_retry_after)
        # Added to the requested delay: all clients that were turned away would otherwise return at one moment.
        return minimum + random() * window


def after_permanent_failure(state: ReceiverState, error: str) -> ReceiverState:
    """Return the state after a permanent failure: disabled, with the error as the reason."""
    return replace(state, failures=state.failures + 1, retry_at=None, error=error, disabled_reason=error)


def after_success(state: ReceiverState) -> ReceiverState:
    """Return the state after a success: neither failing nor disabled."""
    return replace(state, failures=0, retry_at=None, error=None, disabled_reason=None)


MIN_FAILURES = 3
"""Failures in a row from which on a receiver is reported."""


def receiver_changes(receivers: Mapping[str, Receiver], state: AlertingState, now: datetime) -> list[ReceiverChanged]:
    """Return the events to record at an aware time of receivers that are new, have other settings, or are unusable."""
    events = []
    for name, receiver in receivers.items():
        reason = unusable_reason(receiver.notifier)
        # That a secret cannot be read is part of the settings: once it can be, they have changed.
        settings = fingerprint(receiver.notifier) + ("" if reason is None else " unusable")
        before = state.receivers.get(name) or ReceiverState(now)
        if before.settings_fingerprint == settings:
            continue
        after = replace(after_success(before), settings_fingerprint=settings)
        events.append(ReceiverChanged(now, name, after if reason is None else after_permanent_failure(after, reason)))
    return events


def disabled_receivers(receivers: Mapping[str, Receiver], state: AlertingState) -> dict[str, str]:
    """Return the reasons of disabled receivers by name."""
    states = {name: state.receivers[name] for name in receivers if name in state.receivers}
    return {name: receiver.disabled_reason for name, receiver in states.items() if receiver.disabled_reason}


def failing_receivers(receivers: Mapping[str, Receiver], state: AlertingState) -> str | None:
    """Return a clause about receivers that fail again and again; None if none does."""
    clauses = [
        f"{sanitize(name, 60)} has failed {receiver.failures} times in a row: {receiver.error}"
        for name in receivers
        if (receiver := state.receivers.get(name)) is not None
        and receiver.disabled_reason is None
        and receiver.failures >= MIN_FAILURES
    ]
    return "; ".join(clauses) or None
