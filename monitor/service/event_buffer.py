"""The event log of the daemon: events that cannot be written are buffered until they can."""

from __future__ import annotations

from collections import deque
from itertools import islice

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.state import apply_events
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState

MAX_BUFFERED = 200_000
"""Events that are buffered while nothing can be written; beyond that the oldest are lost."""
BATCH_EVENTS = 500
"""Events in one write."""


class BufferedEventLog:
    """The alerting state, whether or not its events could be saved. Not thread-safe."""

    def __init__(self, event_log: EventLog) -> None:
        self._event_log = event_log
        self._saved_state = AlertingState()
        self._unsaved: deque[Event] = deque(maxlen=MAX_BUFFERED)
        self._state: AlertingState | None = None
        self.error: str | None = None
        """Error that keeps events from being saved; None if everything is on the disk."""

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
                self._event_log.append(*batch)
                for _ in batch:
                    self._unsaved.popleft()
        except StoreError as error:
            self.error = str(error)
            return False
        self.error = None
        return True
