"""Incremental reading of an event log: each line once, across files; invalid content never raises."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from modeltop.alerting.event_log.codec import SCHEMA, OtherSchema, UnreadableLine, parse_line
from modeltop.alerting.event_log.segments import segment_numbers, segment_path
from modeltop.alerting.state import apply_events
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState
from modeltop.core.text import sanitize
from modeltop.history.files import FileStat, file_stat, read_range
from modeltop.history.store.durable import close, open_file

MAX_ATTEMPTS = 3
"""Attempts at a folder in which files appear and disappear meanwhile."""


@dataclass(frozen=True, slots=True)
class _ReadPosition:
    """How far a file was read."""

    number: int
    device: int
    inode: int
    first_line_size: int = 0
    offset: int = 0
    last_line: bytes = b""
    """The last line that was read; if it is still there before `offset`, the file up to `offset` is unchanged."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The content of an event log up to a position."""

    state: AlertingState = field(default_factory=AlertingState)
    position: _ReadPosition | None = None
    has_unknown_events: bool = False
    """Whether a line is of a kind that only a later version knows: a checkpoint written here would lack it."""
    outdated: frozenset[int] = frozenset()
    """Numbers of files with lines of an older schema, which are ignored."""


class EventLogReader:
    """Reader of the alerting state of a folder, which need not exist; each update reads only new lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = ReadLog()
        self._stats: dict[str, FileStat | None] | None = None

    @property
    def newest_segment(self) -> int:
        """The number of the file that grows; 0 if there is none yet."""
        return self.log.position.number if self.log.position else 0

    @property
    def bytes_since_checkpoint(self) -> int:
        """Bytes of the newest file after its first line."""
        return self.log.position.offset - self.log.position.first_line_size if self.log.position else 0

    def file_stats(self) -> dict[str, FileStat | None]:
        """Return the stat results of the newest file and its successor."""
        return _stats(self.folder, self.newest_segment)

    def changed(self) -> bool:
        """Return whether `state` could have changed; costs two `os.stat`."""
        return self._stats is None or self.file_stats() != self._stats

    def state(self) -> AlertingState:
        """Return the state up to the newest complete line; on errors the last one, with the reason in it."""
        if not self.changed():
            return self.log.state
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self._update()
                break
            except OSError as error:
                self._stats = None
                if attempt == MAX_ATTEMPTS or not isinstance(error, FileNotFoundError):
                    reason = f"{sanitize(self.folder)} cannot be read: {error.strerror}: change its permissions"
                    return replace(self.log.state, read_only_reason=reason)
        return self.log.state

    def _update(self) -> None:
        # Taken before reading, so that lines appended in the meantime count as a change.
        stats = _stats(self.folder, 0)
        numbers = segment_numbers(self.folder)
        position = self.log.position
        read = self.log if position and _is_unchanged(self.folder, position) else ReadLog()
        start = read.position.number if read.position else _newest_checkpoint(self.folder, numbers)
        for number in numbers:
            if number >= start:
                stats = _stats(self.folder, number)
                read = _read_segment(segment_path(self.folder, number), number, read)
        self.log, self._stats = read, stats


def _stats(folder: Path, number: int) -> dict[str, FileStat | None]:
    paths = segment_path(folder, number) if number else folder, segment_path(folder, number + 1)
    return {os.fspath(path): file_stat(path) for path in paths}


def _newest_checkpoint(folder: Path, numbers: list[int]) -> int:
    for number in reversed(numbers):
        if isinstance(parse_line(next(iter(_lines(segment_path(folder, number))), b"")), AlertingState):
            return number
    return 0


def _is_unchanged(folder: Path, position: _ReadPosition) -> bool:
    """Return whether the file is the one read before, and unchanged up to the position read."""
    try:
        descriptor = open_file(segment_path(folder, position.number), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        stat = os.fstat(descriptor)
        is_same = (stat.st_dev, stat.st_ino) == (position.device, position.inode)
        start = position.offset - len(position.last_line)
        return is_same and read_range(descriptor, start, position.offset) == position.last_line
    finally:
        close(descriptor)


def _read_segment(path: Path, number: int, read: ReadLog) -> ReadLog:
    descriptor = open_file(path, os.O_RDONLY)
    try:
        stat = os.fstat(descriptor)
        position = read.position
        if position is None or position.number != number:
            position = _ReadPosition(number, stat.st_dev, stat.st_ino)
        data = read_range(descriptor, position.offset, stat.st_size)
    finally:
        close(descriptor)
    lines = data.split(b"\n")[:-1]
    if lines:
        position = replace(
            position,
            first_line_size=position.first_line_size or len(lines[0]) + 1,
            offset=position.offset + sum(map(len, lines)) + len(lines),
            last_line=lines[-1] + b"\n",
        )
    return _apply_lines(replace(read, position=position), lines, path, number)


def _apply_lines(read: ReadLog, lines: Iterable[bytes], path: Path, number: int) -> ReadLog:
    state, unknown, outdated = read.state, read.has_unknown_events, read.outdated
    reason, damaged, events = state.read_only_reason, 0, list[Event]()
    for line in lines:
        parsed = parse_line(line)
        if isinstance(parsed, AlertingState):
            state, damaged = parsed, 0
            events.clear()
        elif isinstance(parsed, OtherSchema):
            if parsed.schema < SCHEMA:
                outdated |= {number}
            else:
                schemas = f"schema {parsed.schema}, not {SCHEMA}"
                reason = f"{sanitize(path)} is of a newer modeltop ({schemas}): upgrade modeltop"
        elif isinstance(parsed, UnreadableLine):
            damaged += parsed is UnreadableLine.DAMAGED
            unknown |= parsed is UnreadableLine.UNKNOWN
        else:
            events.append(parsed)
    state = apply_events(state, events)
    state = replace(state, damaged_lines=state.damaged_lines + damaged, read_only_reason=reason)
    return ReadLog(state, read.position, unknown, outdated)


def _lines(path: Path) -> Iterator[bytes]:
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def read_events(folder: Path) -> Iterator[Event]:
    """Yield every retained event, oldest first, but for lines that cannot be parsed; raise OSError as files do."""
    for number in segment_numbers(folder):
        for line in _lines(segment_path(folder, number)):
            parsed = parse_line(line)
            if not isinstance(parsed, (AlertingState, OtherSchema, UnreadableLine)):
                yield parsed
