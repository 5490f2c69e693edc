"""The journal as the watcher sees it: what cannot be written is remembered, and written once it can be."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from modeltop.alerting.state import apply_events
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState

MAX_BUFFERED = 200_000
"""Events that are remembered while nothing can be written; of more, the oldest are lost to the journal."""
BATCH_EVENTS = 500
"""Events in one write."""


class EventSink(Protocol):
    """What is asked of it; `modeltop.alerting.event_log.event_log.Journal` is one."""

    def state(self) -> AlertingState:
        """All that it says, folded; raises nothing."""

    def append(self, *events: Event) -> None:
        """Keep them; on return they are on the disk. Raises StoreError."""


class BufferedEventLog:
    """The facts, whether or not they could be saved. Not to be used from two threads at once."""

    def __init__(self, journal: EventSink) -> None:
        self._journal = journal
        self._known = AlertingState()
        self._unsaved: deque[Event] = deque(maxlen=MAX_BUFFERED)
        self._facts: AlertingState | None = None
        self.error: str | None = None
        """Why something is not saved; None: everything is on the disk."""

    def state(self) -> AlertingState:
        """What is known now: what others wrote, and what is still to be written."""
        known = self._journal.state()
        if known is not self._known or self._facts is None:
            self._known = known
            self._facts = apply_events(known, self._unsaved)
        return self._facts

    @property
    def notice(self) -> str | None:
        """What people have to know of it; None: everything is on the disk."""
        return None if self.error is None else f"the watcher's state was not saved: {self.error}"

    def append(self, *events: Event) -> None:
        """Keep the events: on the disk where that can be done, else in memory until it can."""
        if self._unsaved or events:
            self._unsaved.extend(events)
            self._facts = None
            self.save()

    def save(self) -> bool:
        """Try to write what is still to be written; whether everything is on the disk."""
        try:
            while self._unsaved:
                first = [self._unsaved[index] for index in range(min(BATCH_EVENTS, len(self._unsaved)))]
                self._journal.append(*first)
                for _ in first:
                    self._unsaved.popleft()
        except StoreError as error:
            self.error = str(error)
            return False
        self.error = None
        return True
