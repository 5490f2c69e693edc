"""The journal of one store: append-only, durable before anyone is told, followed by many."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from modeltop.alerting.event_log.codec import checkpoint_of, line_of
from modeltop.alerting.event_log.reader import Follower, events_of
from modeltop.alerting.event_log.segments import Stat, numbers, segment
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import Facts
from modeltop.history.store import durable
from modeltop.history.store.lock import locked

LIMIT = 1 << 19
"""Bytes of lines after which the next file begins, with all facts in its first line: no older one need be read."""
KEPT = 128
"""Files kept for the story; older ones are deleted."""


class Journal:
    """What people did and what receivers were told; one object may be shared by threads.

    Only plain text about alerts is kept: names, reasons, moments, and no secret.

    Args:
        folder: See `segments`; made at the first append, private, or shared where the store is.
        clock: The true time, aware.
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), limit: int = LIMIT
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._limit = limit
        self._follower = Follower(folder)
        self._guard = threading.RLock()

    def facts(self) -> Facts:
        """Everything up to the newest line; only what is new is read, and whatever stands there nothing is raised."""
        with self._guard:
            return self._follower.facts()

    def changed(self) -> bool:
        """Whether `facts` could say anything else than it last did; costs two `os.stat`."""
        return self._follower.changed()

    def seen(self) -> dict[str, Stat | None]:
        """How the files that grow stand now: the same, the same facts."""
        return self._follower.seen()

    def events(self) -> Iterator[Event]:
        """Every event that is still kept, oldest first. Raises StoreError where the files cannot be read."""
        try:
            yield from events_of(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be read: {error.strerror}: change its permissions") from error

    def now(self) -> datetime:
        """The clock, but never behind the newest line: time in the journal does not run backwards."""
        return self.moment(self.facts())

    def moment(self, facts: Facts) -> datetime:
        """The same where the facts are at hand, as in `act`."""
        clock = self._clock()
        return clock if facts.newest is None else max(clock, facts.newest)

    def append(self, *events: Event) -> None:
        """Keep the events; on return they are on the disk.

        Raises:
            StoreError: Nothing was kept: the folder, the lock or the disk cannot be had, or a newer version writes it.
        """
        self.act(lambda _: events)

    def act(self, decide: Callable[[Facts], Sequence[Event]]) -> Facts:
        """Decide by the newest facts and keep what was decided, with nobody in between: of two people the first wins.

        Args:
            decide: Whatever it raises is raised here, and nothing is kept.

        Returns:
            The facts afterwards.

        Raises:
            StoreError: As for `append`.
        """
        with locked(self.folder), self._guard:  # in this order: who waits for another process holds up no reader
            facts = self._follower.facts()
            events = tuple(decide(facts))
            if events:
                if facts.read_only:
                    raise StoreError(facts.read_only)
                self._write(b"".join(map(line_of, events)), facts)
            return self._follower.facts()

    def _write(self, lines: bytes, facts: Facts) -> None:
        number = self._follower.newest
        path = segment(self.folder, number or 1)
        try:
            if not number:
                durable.create(path, lines)
            elif not (self._full() and self._next(number + 1, lines, facts)):
                durable.append_lines(path, lines)
        except OSError as error:
            raise durable.failed(path, error) from error

    def _full(self) -> bool:
        # Facts of a large fleet may fill much of a file by themselves, so its first line does not count.
        return self._follower.grown > self._limit and not self._follower.foreign

    def _next(self, number: int, lines: bytes, facts: Facts) -> bool:
        """Begin the next file; False where that cannot be done, as on a disk that holds one line more but not this."""
        try:
            durable.create(segment(self.folder, number), checkpoint_of(facts) + lines)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            for old in numbers(self.folder)[:-KEPT]:
                segment(self.folder, old).unlink()
        return True
