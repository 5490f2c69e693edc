"""The journal of one store: append-only, durable before anyone is told, followed by many."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from modeltop.alerting.event_log.codec import encode_checkpoint, encode_event
from modeltop.alerting.event_log.reader import EventLogReader, read_events
from modeltop.alerting.event_log.segments import FileStat, segment_numbers, segment_path
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState
from modeltop.history.store import durable
from modeltop.history.store.lock import locked

MAX_SEGMENT_BYTES = 1 << 19
"""Bytes of lines after which the next file begins, with all facts in its first line: no older one need be read."""
MAX_SEGMENTS = 128
"""Files kept for the story; older ones are deleted."""


class EventLog:
    """What people did and what receivers were told; one object may be shared by threads.

    Only plain text about alerts is kept: names, reasons, moments, and no secret.

    Args:
        folder: See `segments`; made at the first append, private, or shared where the store is.
        clock: The true time, aware.
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), limit: int = MAX_SEGMENT_BYTES
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._limit = limit
        self._follower = EventLogReader(folder)
        self._guard = threading.RLock()

    def state(self) -> AlertingState:
        """Everything up to the newest line; only what is new is read, and whatever stands there nothing is raised."""
        with self._guard:
            return self._follower.state()

    def changed(self) -> bool:
        """Whether `facts` could say anything else than it last did; costs two `os.stat`."""
        return self._follower.changed()

    def file_stats(self) -> dict[str, FileStat | None]:
        """How the files that grow stand now: the same, the same facts."""
        return self._follower.file_stats()

    def events(self) -> Iterator[Event]:
        """Every event that is still kept, oldest first. Raises StoreError where the files cannot be read."""
        try:
            yield from read_events(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be read: {error.strerror}: change its permissions") from error

    def now(self) -> datetime:
        """The clock, but never behind the newest line: time in the journal does not run backwards."""
        return self.now_given(self.state())

    def now_given(self, facts: AlertingState) -> datetime:
        """The same where the facts are at hand, as in `act`."""
        clock = self._clock()
        return clock if facts.last_event_at is None else max(clock, facts.last_event_at)

    def append(self, *events: Event) -> None:
        """Keep the events; on return they are on the disk.

        Raises:
            StoreError: Nothing was kept: the folder, the lock or the disk cannot be had, or a newer version writes it.
        """
        self.update(lambda _: events)

    def update(self, decide: Callable[[AlertingState], Sequence[Event]]) -> AlertingState:
        """Decide by the newest facts and keep what was decided, with nobody in between: of two people the first wins.

        Args:
            decide: Whatever it raises is raised here, and nothing is kept.

        Returns:
            The facts afterwards.

        Raises:
            StoreError: As for `append`.
        """
        with locked(self.folder), self._guard:  # in this order: who waits for another process holds up no reader
            facts = self._follower.state()
            events = tuple(decide(facts))
            if events:
                if facts.read_only_reason:
                    raise StoreError(facts.read_only_reason)
                self._write(b"".join(map(encode_event, events)), facts)
            return self._follower.state()

    def _write(self, lines: bytes, facts: AlertingState) -> None:
        number = self._follower.newest_segment
        path = segment_path(self.folder, number or 1)
        try:
            if not number:
                durable.create(path, lines)
            elif not (self._full() and self._next(number + 1, lines, facts)):
                durable.append_lines(path, lines)
        except OSError as error:
            raise durable.store_error(path, error) from error

    def _full(self) -> bool:
        # Facts of a large fleet may fill much of a file by themselves, so its first line does not count.
        return self._follower.bytes_since_checkpoint > self._limit and not self._follower.has_unknown_events

    def _next(self, number: int, lines: bytes, facts: AlertingState) -> bool:
        """Begin the next file; False where that cannot be done, as on a disk that holds one line more but not this."""
        try:
            durable.create(segment_path(self.folder, number), encode_checkpoint(facts) + lines)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            for old in segment_numbers(self.folder)[:-MAX_SEGMENTS]:
                segment_path(self.folder, old).unlink()
        return True
