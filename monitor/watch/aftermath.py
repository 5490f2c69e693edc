"""What follows from a message that arrived, or did not: what is journaled, and how the receiver is from now on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from monitor.events import Event, ReceiverChanged, Sent
from monitor.facts import ReceiverState
from monitor.watch.backoff import Backoff, broke, failed, works
from monitor.watch.log import Log
from monitor.watch.senders import Outcome


class Aftermath:
    """Judges outcomes.

    Args:
        log: Says what was sent, and what could not be.
        backoff: How long a receiver that failed is left alone; None: that is for the next run.
    """

    def __init__(self, log: Log, backoff: Backoff | None) -> None:
        self._log, self._backoff = log, backoff
        self.caps: Mapping[str, int] = {}
        """Messages an hour, by receiver; 0: no cap."""

    def of(self, outcome: Outcome, state: ReceiverState, now: datetime) -> tuple[ReceiverState, tuple[Event, ...]]:
        """How the receiver is after one message, and what is to be journaled.

        Args:
            outcome: What became of the message.
            state: How the receiver was.
            now: The watcher's clock, later than at any outcome before.
        """
        name, error = outcome.receiver, outcome.error
        if error is None:
            self._log.info("sent", f"told {name} of {outcome.title}", receiver=name)
            after = self._brief(name, works(state))
            mended = (ReceiverChanged(now, name, after),) if state.failures or state.broken else ()
            return replace(after, sent=(*after.sent, now)), (*mended, Sent(now, outcome.deliveries))
        if error.permanent:
            self._log.error("broken", f"{name} is broken: {error}", receiver=name)
            after = self._brief(name, broke(state, str(error)))
            return after, (Sent(now, outcome.deliveries, str(error)), ReceiverChanged(now, name, after))
        delay = (self._backoff or Backoff()).delay(state.failures + 1, asked=error.retry_after, chance=random.random)
        again = f"tried again in {delay:.1f} s" if self._backoff else "left to the next run"
        self._log.warning("failed", f"{name} was not told: {error}; {again}", receiver=name)
        after = self._brief(name, failed(state, str(error), now, delay))
        return after, (ReceiverChanged(now, name, after),)

    def _brief(self, name: str, state: ReceiverState) -> ReceiverState:
        """The state without moments that its hourly cap does not ask for: each change of it is a line."""
        cap = self.caps.get(name, 0)
        return replace(state, sent=state.sent[-cap:] if cap else ())
