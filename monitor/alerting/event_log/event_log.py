"""The event log of one store: append-only, durable before anyone is notified, read by many processes."""

from __future__ import annotations

import contextlib
import logging
import os
import pwd
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from modeltop.alerting.event_log.codec import SCHEMA, encode_checkpoint, encode_event
from modeltop.alerting.event_log.reader import EventLogReader, read_events
from modeltop.alerting.event_log.segments import segment_numbers, segment_path
from modeltop.alerting.state import without_expired
from modeltop.core.errors import StoreError
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState
from modeltop.core.text import sanitize
from modeltop.history.files import FileStat
from modeltop.history.store import durable
from modeltop.history.store.lock import LOCK_TIMEOUT, locked

MAX_SEGMENT_BYTES = 1 << 19
"""Bytes of lines after which the next file is started, with a checkpoint in its first line: no older one is read."""
MAX_SEGMENTS = 128
MAX_NAME_LENGTH = 64
"""Maximum length in characters of a user name read from the environment."""
_LOG = logging.getLogger("modeltop.event_log")


def author(environ: Mapping[str, str] = os.environ) -> str:
    """Return the login name of this process's user, else `uid N`; `SUDO_USER` is mentioned, for anybody can set it."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    sudo_user = environ.get("SUDO_USER", "")[:MAX_NAME_LENGTH]
    return f"{name} (sudo by {sudo_user})" if sudo_user and sudo_user != name else name


class EventLog:
    """The log of people's actions and of sent notifications; one object may be shared by threads.

    It holds plain text about alerts only: names, reasons, moments, and no secret. Files of an older schema are moved
    aside at the first write, to `<name>.old`.

    Args:
        folder: See `segments.state_folder`; created at the first append, private, or shared if the store is.
        clock: The true time, aware.
        limit: See `MAX_SEGMENT_BYTES`.
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), limit: int = MAX_SEGMENT_BYTES
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._limit = limit
        self._reader = EventLogReader(folder)
        self._guard = threading.RLock()

    def state(self) -> AlertingState:
        """Return the state up to the newest line; reads only new lines and never raises."""
        with self._guard:
            return self._reader.state()

    def changed(self) -> bool:
        """Return whether `state` could have changed; costs two `os.stat`."""
        return self._reader.changed()

    def file_stats(self) -> dict[str, FileStat | None]:
        """Return the stat results of the files that grow; while they are equal, the state is unchanged."""
        return self._reader.file_stats()

    def events(self) -> Iterator[Event]:
        """Yield every event that is still retained, oldest first; raise StoreError if the files cannot be read."""
        try:
            yield from read_events(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be read: {error.strerror}: change its permissions") from error

    def now(self) -> datetime:
        """Return the clock's time, or that of the watcher's newest line if later."""
        return self.now_given(self.state())

    def now_given(self, state: AlertingState) -> datetime:
        """Return the same as `now`, for a caller that already has the state, such as a function passed to `update`."""
        clock = self._clock()
        return clock if state.last_event_at is None else max(clock, state.last_event_at)

    def append(self, *events: Event, timeout: float = LOCK_TIMEOUT) -> None:
        """Append events; on return they are on the disk. Another writer is waited for, for `timeout` seconds.

        Raises:
            StoreError: Nothing was written: the folder, the lock or the disk is not available, or a newer version
                writes the log.
        """
        self.update(lambda _: events, timeout=timeout)

    def update(
        self, decide: Callable[[AlertingState], Sequence[Event]], *, timeout: float = LOCK_TIMEOUT
    ) -> AlertingState:
        """Append the events decided from the newest state, under the lock, and return the state afterwards.

        Of two people the first wins: what `decide` raises is raised here, and nothing is written.
        """
        # The lock first, so that a thread that waits for another process holds up no reader.
        with locked(self.folder, timeout), self._guard:
            state = self._reader.state()
            if self._reader.log.outdated and not state.read_only_reason:
                self._move_outdated_aside()
                state = self._reader.state()
            events = tuple(decide(state))
            if events:
                if state.read_only_reason:
                    raise StoreError(state.read_only_reason)
                self._write(b"".join(map(encode_event, events)), state)
            return self._reader.state()

    def _move_outdated_aside(self) -> None:
        for number in sorted(self._reader.log.outdated):
            path = segment_path(self.folder, number)
            try:
                path.rename(path.with_name(f"{path.name}.old"))
            except OSError as error:
                raise durable.store_error(path, error) from error
        _LOG.warning(
            "the journal in %s is of an older modeltop (before schema %d): moved aside, to *.jsonl.old; its silences, "
            "acknowledgements and notes are no longer in force",
            sanitize(self.folder),
            SCHEMA,
        )
        self._reader = EventLogReader(self.folder)

    def _write(self, lines: bytes, state: AlertingState) -> None:
        number = self._reader.newest_segment
        path = segment_path(self.folder, number or 1)
        # The state of a large fleet may fill much of a file by itself, so the checkpoint does not count.
        is_full = self._reader.bytes_since_checkpoint > self._limit and not self._reader.log.has_unknown_events
        try:
            if not number:
                durable.create(path, lines)
            elif not (is_full and self._start_segment(number + 1, lines, state)):
                durable.append_lines(path, lines)
        except OSError as error:
            raise durable.store_error(path, error) from error

    def _start_segment(self, number: int, lines: bytes, state: AlertingState) -> bool:
        """Start the next file; False if that fails, as on a disk with room for one more line but not for this."""
        try:
            durable.create(segment_path(self.folder, number), encode_checkpoint(without_expired(state)) + lines)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            for oldest in segment_numbers(self.folder)[:-MAX_SEGMENTS]:
                segment_path(self.folder, oldest).unlink()
        return True
