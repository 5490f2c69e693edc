"""Follows a journal: each line is read once, across rotation; nothing that stands in the files can raise."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from modeltop.alerting.event_log.codec import SCHEMA, NewerSchema, UnreadableLine, parse_line
from modeltop.alerting.event_log.segments import FileStat, file_stat, segment_numbers, segment_path
from modeltop.alerting.state import apply_events
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState
from modeltop.core.text import sanitize
from modeltop.history.files import read_range
from modeltop.history.store.durable import close, open_file

TRIES = 3
"""Looks at a folder in which files come and go meanwhile."""


@dataclass(frozen=True, slots=True)
class _ReadPosition:
    """Up to where a file was read."""

    number: int
    device: int
    inode: int
    head: int = 0
    """Length of its first line."""
    offset: int = 0
    tail: bytes = b""
    """The last line read: found there again, the file still is what it was."""


@dataclass(frozen=True, slots=True)
class _ReadState:
    """What was read."""

    state: AlertingState = field(default_factory=AlertingState)
    position: _ReadPosition | None = None
    has_unknown_events: bool = False


class EventLogReader:
    """The facts of a folder, kept up to date by reading what is new.

    Args:
        folder: It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = _ReadState()
        self._seen: dict[str, FileStat | None] | None = None

    @property
    def newest_segment(self) -> int:
        """The number of the file that grows; 0 where there is none yet."""
        return self._known.position.number if self._known.position else 0

    @property
    def has_unknown_events(self) -> bool:
        """Whether a line is of a kind that only a later version knows: all facts written from here would lack it."""
        return self._known.has_unknown_events

    @property
    def bytes_since_checkpoint(self) -> int:
        """Bytes of the newest file behind its first line."""
        return self._known.position.offset - self._known.position.head if self._known.position else 0

    def file_stats(self) -> dict[str, FileStat | None]:
        """How the newest file and its successor stand now."""
        return _stats(self.folder, self.newest_segment)

    def changed(self) -> bool:
        """Whether `facts` could say anything else; costs two `os.stat`."""
        return self._seen is None or self.file_stats() != self._seen

    def state(self) -> AlertingState:
        """Everything up to the newest whole line; where it cannot be read, what was known before, and why."""
        if not self.changed():
            return self._known.state
        for attempt in range(1, TRIES + 1):
            try:
                self._follow()
                break
            except OSError as error:
                self._seen = None
                if attempt == TRIES or not isinstance(error, FileNotFoundError):
                    reason = f"{sanitize(self.folder)} cannot be read: {error.strerror}: change its permissions"
                    return replace(self._known.state, read_only_reason=reason)
        return self._known.state

    def _follow(self) -> None:
        # Looked at before they are read: what comes meanwhile is a change.
        seen = _stats(self.folder, 0)
        present = segment_numbers(self.folder)
        known = self._known if self._known.position and _still(self.folder, self._known.position) else _ReadState()
        begin = known.position.number if known.position else _begin(self.folder, present)
        for number in present:
            if number >= begin:
                seen = _stats(self.folder, number)
                known = _read(segment_path(self.folder, number), number, known)
        self._known, self._seen = known, seen


def _stats(folder: Path, number: int) -> dict[str, FileStat | None]:
    paths = segment_path(folder, number) if number else folder, segment_path(folder, number + 1)
    return {os.fspath(path): file_stat(path) for path in paths}


def _begin(folder: Path, present: list[int]) -> int:
    """The newest file that begins with all facts; without any, the oldest."""
    for number in reversed(present):
        if isinstance(parse_line(next(iter(_lines(segment_path(folder, number))), b"")), AlertingState):
            return number
    return 0


def _still(folder: Path, place: _ReadPosition) -> bool:
    """Whether the file is the one that was read, and up to there what it was."""
    try:
        descriptor = open_file(segment_path(folder, place.number), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        found = os.fstat(descriptor)
        same = (found.st_dev, found.st_ino) == (place.device, place.inode)
        return same and read_range(descriptor, place.offset - len(place.tail), place.offset) == place.tail
    finally:
        close(descriptor)


def _read(path: Path, number: int, known: _ReadState) -> _ReadState:
    descriptor = open_file(path, os.O_RDONLY)
    try:
        found = os.fstat(descriptor)
        place = known.position
        if place is None or place.number != number:
            place = _ReadPosition(number, found.st_dev, found.st_ino)
        data = read_range(descriptor, place.offset, found.st_size)
    finally:
        close(descriptor)
    lines = data.split(b"\n")[:-1]
    if lines:
        offset = place.offset + sum(map(len, lines)) + len(lines)
        place = replace(place, head=place.head or len(lines[0]) + 1, offset=offset, tail=lines[-1] + b"\n")
    return _taken(replace(known, position=place), lines, path)


def _taken(known: _ReadState, lines: Iterable[bytes], path: Path) -> _ReadState:
    facts, foreign, reason = known.state, known.has_unknown_events, known.state.read_only_reason
    damaged, events = 0, list[Event]()
    for line in lines:
        said = parse_line(line)
        if isinstance(said, AlertingState):
            facts, damaged = said, 0
            events.clear()
        elif isinstance(said, NewerSchema):
            reason = f"{sanitize(path)} is of a newer modeltop (schema {said.schema}, not {SCHEMA}): upgrade modeltop"
        elif isinstance(said, UnreadableLine):
            damaged += said is UnreadableLine.DAMAGED
            foreign |= said is UnreadableLine.UNKNOWN
        else:
            events.append(said)
    facts = apply_events(facts, events)
    return _ReadState(
        replace(facts, damaged_lines=facts.damaged_lines + damaged, read_only_reason=reason), known.position, foreign
    )


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, one by one. Raises OSError."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def read_events(folder: Path) -> Iterator[Event]:
    """Every event that is still kept, oldest first; what cannot be read is passed over. Raises OSError."""
    for number in segment_numbers(folder):
        for line in _lines(segment_path(folder, number)):
            said = parse_line(line)
            if not isinstance(said, (AlertingState, NewerSchema, UnreadableLine)):
                yield said
