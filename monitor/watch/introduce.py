"""Receivers that are new, whose settings have changed, or whose secrets cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from monitor.events import ReceiverChanged
from monitor.facts import Facts, ReceiverState
from monitor.notify.base import Receiver, fingerprint, unusable
from monitor.text import safe
from monitor.watch.backoff import broke, works

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
