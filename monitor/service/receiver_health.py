"""The state of receivers: retries with backoff, failures, and changes of their settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from modeltop.alerting.notifiers.base import Receiver, fingerprint, unusable_reason
from modeltop.alerting.state import reenabled
from modeltop.core.event import ReceiverChanged
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.core.text import format_minute, pluralize, sanitize


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter (Brooker, AWS Architecture Blog, 2015)."""

    initial_seconds: float = 1.0
    max_seconds: float = 300.0
    max_retry_after: float = 3600.0
    """Longest delay in seconds that a receiver may ask for."""

    def delay(self, failures: int, *, retry_after: float | None, random: Callable[[], float]) -> float:
        """Return the seconds to wait after so many failures in a row, at least 1; `random` draws from [0, 1)."""
        window = min(self.max_seconds, self.initial_seconds * 2.0 ** min(failures - 1, 30))
        minimum = 0.0 if retry_after is None else min(max(retry_after, 0.0), self.max_retry_after)
        # Added to the requested delay: all clients that were turned away would otherwise return at one moment.
        return minimum + random() * window


PROBE_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1))
"""Delays after which a disabled receiver is probed; the last one again and again."""


def after_permanent_failure(state: ReceiverState, error: str, now: datetime) -> ReceiverState:
    """Return the state after a permanent failure: disabled, with the error as the reason, and probed later."""
    delay = PROBE_DELAYS[min(state.probes, len(PROBE_DELAYS) - 1)]
    return replace(
        state,
        failures=state.failures + 1,
        retry_at=now + delay,
        error=error,
        disabled_reason=error,
        probes=state.probes + 1,
    )


def after_rejection(state: ReceiverState, error: str) -> ReceiverState:
    """Return the state after a message was rejected, which says nothing about the next one."""
    return replace(state, error=error, rejections=state.rejections + 1)


MIN_FAILURES = 3


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
        after = replace(reenabled(before, now), settings_fingerprint=settings)
        after = after if reason is None else after_permanent_failure(after, reason, now)
        events.append(ReceiverChanged(now, name, after))
    return events


def disabled_receivers(
    receivers: Iterable[str], state: AlertingState, pending: Mapping[str, int] = MappingProxyType({})
) -> dict[str, str]:
    """Return disabled receivers by name, each with a clause: why, what it has missed, and when it is tried again.

    `pending` is the number of alerts that a receiver is still to be notified of, by its name.
    """
    disabled = {}
    for name in receivers:
        receiver = state.receivers.get(name)
        if receiver is None or receiver.disabled_reason is None:
            continue
        clauses = [receiver.disabled_reason, *_undelivered(pending.get(name, 0))]
        if receiver.retry_at is not None:
            clauses.append(f"next attempt {format_minute(receiver.retry_at, state.last_event_at or receiver.retry_at)}")
        disabled[name] = "; ".join(clauses)
    return disabled


def failing_receivers(
    receivers: Iterable[str], state: AlertingState, pending: Mapping[str, int], *, one_shot: bool
) -> str | None:
    """Return a clause about receivers that fail again and again, or rejected a message; None if none does.

    Disabled ones are not among them, except in a run from cron (`one_shot`): nothing else reports them there, nor one
    that failed once.
    """
    disabled = disabled_receivers(receivers, state, pending)
    clauses = [f"{sanitize(name, 60)} fails: {clause}" for name, clause in disabled.items() if one_shot]
    for name in receivers:
        receiver = state.receivers.get(name)
        if receiver is None or name in disabled:
            continue
        # What failed may be due no more: then there is nothing to try again, and nothing wrong.
        if name in pending and receiver.failures >= (1 if one_shot else MIN_FAILURES):
            failures = f"has failed {pluralize(receiver.failures, 'time')} in a row: {receiver.error}"
            clauses.append("; ".join((f"{sanitize(name, 60)} {failures}", *_undelivered(pending.get(name, 0)))))
        elif receiver.rejections:
            clauses.append(f"{sanitize(name, 60)} rejected a message, which was dropped: {receiver.error}")
    return "; ".join(clauses) or None


def _undelivered(alerts: int) -> list[str]:
    return [f"{pluralize(alerts, 'alert')} not delivered"] if alerts else []


def any_reachable(receivers: Collection[str], state: AlertingState, pending: Mapping[str, int]) -> bool:
    """Return whether some receiver can be reached as far as is known; true if none is configured.

    One whose last message failed counts as reachable once nothing is to be sent to it any more: it is not tried again.
    """
    return not receivers or not all(
        (receiver := state.receivers.get(name)) is not None
        and (receiver.disabled_reason is not None or (receiver.failures and name in pending))
        for name in receivers
    )
