"""The event log of the daemon: events that cannot be written are buffered until they can."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from itertools import islice

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.state import apply_events
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState

MAX_BUFFERED = 200_000
"""Events that are buffered while nothing can be written; beyond that the oldest are lost."""
BATCH_EVENTS = 500
PATIENCE = 1.0
"""Seconds in one cycle in which other writers are waited for; what is not written then is buffered."""
PATIENCE_AFTER_ERROR = 0.1
"""The same while events could not be written, such as by a process that keeps the lock."""


class BufferedEventLog:
    """The alerting state, whether or not its events could be saved. Not thread-safe."""

    def __init__(self, event_log: EventLog) -> None:
        self._event_log = event_log
        self._saved_state = AlertingState()
        self._unsaved: deque[Event] = deque(maxlen=MAX_BUFFERED)
        self._state: AlertingState | None = None
        self._patience = PATIENCE
        self.seconds_waited = 0.0
        """Seconds that writing has taken in this cycle."""
        self.error: str | None = None
        """Error that keeps events from being saved; None if everything is on the disk."""

    def start_cycle(self) -> None:
        """Allow other writers to be waited for again."""
        self._patience = PATIENCE if self.error is None else PATIENCE_AFTER_ERROR
        self.seconds_waited = 0.0

    def state(self) -> AlertingState:
        """Return the state that results from the events of all processes and those still to be written."""
        saved_state = self._event_log.state()
        if saved_state is not self._saved_state or self._state is None:
            self._saved_state = saved_state
            self._state = apply_events(saved_state, self._unsaved)
        return self._state

    @property
    def notice(self) -> str | None:
        """The same error as a sentence for people; None if everything is on the disk."""
        return None if self.error is None else f"the watcher's state was not saved: {self.error}"

    def append(self, *events: Event) -> None:
        """Append events on the disk if possible, else in memory until it is."""
        if self._unsaved or events:
            self._unsaved.extend(events)
            self._state = None
            self.save()

    def save(self) -> bool:
        """Try to write the buffered events. Return whether everything is on the disk."""
        try:
            while self._unsaved:
                batch = tuple(islice(self._unsaved, BATCH_EVENTS))
                self._append(batch)
                for _ in batch:
                    self._unsaved.popleft()
        except StoreError as error:
            self.error = str(error)
            return False
        self.error = None
        return True

    def _append(self, batch: Sequence[Event]) -> None:
        started = time.monotonic()
        try:
            self._event_log.append(*batch, timeout=max(0.0, self._patience - self.seconds_waited))
        finally:
            self.seconds_waited += time.monotonic() - started
