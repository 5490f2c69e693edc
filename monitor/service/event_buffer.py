"""The journal as the watcher sees it: what cannot be written is remembered, and written once it can be."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from modeltop.alerting.state import fold_all
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import Facts

MOST = 200_000
"""Events that are remembered while nothing can be written; of more, the oldest are lost to the journal."""
AT_ONCE = 500
"""Events in one write."""


class Journal(Protocol):
    """What is asked of it; `modeltop.alerting.event_log.event_log.Journal` is one."""

    def facts(self) -> Facts:
        """All that it says, folded; raises nothing."""

    def append(self, *events: Event) -> None:
        """Keep them; on return they are on the disk. Raises StoreError."""


class Ledger:
    """The facts, whether or not they could be saved. Not to be used from two threads at once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known = Facts()
        self._unsaved: deque[Event] = deque(maxlen=MOST)
        self._facts: Facts | None = None
        self.trouble: str | None = None
        """Why something is not saved; None: everything is on the disk."""

    def facts(self) -> Facts:
        """What is known now: what others wrote, and what is still to be written."""
        known = self._journal.facts()
        if known is not self._known or self._facts is None:
            self._known = known
            self._facts = fold_all(known, self._unsaved)
        return self._facts

    @property
    def notice(self) -> str | None:
        """What people have to know of it; None: everything is on the disk."""
        return None if self.trouble is None else f"the watcher's state was not saved: {self.trouble}"

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
                first = [self._unsaved[index] for index in range(min(AT_ONCE, len(self._unsaved)))]
                self._journal.append(*first)
                for _ in first:
                    self._unsaved.popleft()
        except StoreError as error:
            self.trouble = str(error)
            return False
        self.trouble = None
        return True
