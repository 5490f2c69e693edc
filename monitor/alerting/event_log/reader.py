"""Follows a journal: each line is read once, across rotation; nothing that stands in the files can raise."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from modeltop.alerting.event_log.codec import SCHEMA, Newer, Unread, parse
from modeltop.alerting.event_log.segments import Stat, numbers, segment, stat_of
from modeltop.alerting.state import fold_all
from modeltop.core.event import Event
from modeltop.core.incident import Facts
from modeltop.core.text import safe
from modeltop.history.store.durable import close, open_file, read_from

TRIES = 3
"""Looks at a folder in which files come and go meanwhile."""


@dataclass(frozen=True, slots=True)
class _Place:
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
class _Known:
    """What was read."""

    facts: Facts = field(default_factory=Facts)
    place: _Place | None = None
    foreign: bool = False


class Follower:
    """The facts of a folder, kept up to date by reading what is new.

    Args:
        folder: It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = _Known()
        self._seen: dict[str, Stat | None] | None = None

    @property
    def newest(self) -> int:
        """The number of the file that grows; 0 where there is none yet."""
        return self._known.place.number if self._known.place else 0

    @property
    def foreign(self) -> bool:
        """Whether a line is of a kind that only a later version knows: all facts written from here would lack it."""
        return self._known.foreign

    @property
    def grown(self) -> int:
        """Bytes of the newest file behind its first line."""
        return self._known.place.offset - self._known.place.head if self._known.place else 0

    def seen(self) -> dict[str, Stat | None]:
        """How the newest file and its successor stand now."""
        return _stats(self.folder, self.newest)

    def changed(self) -> bool:
        """Whether `facts` could say anything else; costs two `os.stat`."""
        return self._seen is None or self.seen() != self._seen

    def facts(self) -> Facts:
        """Everything up to the newest whole line; where it cannot be read, what was known before, and why."""
        if not self.changed():
            return self._known.facts
        for attempt in range(1, TRIES + 1):
            try:
                self._follow()
                break
            except OSError as error:
                self._seen = None
                if attempt == TRIES or not isinstance(error, FileNotFoundError):
                    reason = f"{safe(self.folder)} cannot be read: {error.strerror}: change its permissions"
                    return replace(self._known.facts, read_only=reason)
        return self._known.facts

    def _follow(self) -> None:
        # Looked at before they are read: what comes meanwhile is a change.
        seen = _stats(self.folder, 0)
        present = numbers(self.folder)
        known = self._known if self._known.place and _still(self.folder, self._known.place) else _Known()
        begin = known.place.number if known.place else _begin(self.folder, present)
        for number in present:
            if number >= begin:
                seen = _stats(self.folder, number)
                known = _read(segment(self.folder, number), number, known)
        self._known, self._seen = known, seen


def _stats(folder: Path, number: int) -> dict[str, Stat | None]:
    paths = segment(folder, number) if number else folder, segment(folder, number + 1)
    return {os.fspath(path): stat_of(path) for path in paths}


def _begin(folder: Path, present: list[int]) -> int:
    """The newest file that begins with all facts; without any, the oldest."""
    for number in reversed(present):
        if isinstance(parse(next(iter(_lines(segment(folder, number))), b"")), Facts):
            return number
    return 0


def _still(folder: Path, place: _Place) -> bool:
    """Whether the file is the one that was read, and up to there what it was."""
    try:
        descriptor = open_file(segment(folder, place.number), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        found = os.fstat(descriptor)
        same = (found.st_dev, found.st_ino) == (place.device, place.inode)
        return same and read_from(descriptor, place.offset - len(place.tail), place.offset) == place.tail
    finally:
        close(descriptor)


def _read(path: Path, number: int, known: _Known) -> _Known:
    descriptor = open_file(path, os.O_RDONLY)
    try:
        found = os.fstat(descriptor)
        place = known.place
        if place is None or place.number != number:
            place = _Place(number, found.st_dev, found.st_ino)
        data = read_from(descriptor, place.offset, found.st_size)
    finally:
        close(descriptor)
    lines = data.split(b"\n")[:-1]
    if lines:
        offset = place.offset + sum(map(len, lines)) + len(lines)
        place = replace(place, head=place.head or len(lines[0]) + 1, offset=offset, tail=lines[-1] + b"\n")
    return _taken(replace(known, place=place), lines, path)


def _taken(known: _Known, lines: Iterable[bytes], path: Path) -> _Known:
    facts, foreign, reason = known.facts, known.foreign, known.facts.read_only
    damaged, events = 0, list[Event]()
    for line in lines:
        said = parse(line)
        if isinstance(said, Facts):
            facts, damaged = said, 0
            events.clear()
        elif isinstance(said, Newer):
            reason = f"{safe(path)} is of a newer modeltop (schema {said.schema}, not {SCHEMA}): upgrade modeltop"
        elif isinstance(said, Unread):
            damaged += said is Unread.DAMAGED
            foreign |= said is Unread.UNKNOWN
        else:
            events.append(said)
    facts = fold_all(facts, events)
    return _Known(replace(facts, damaged=facts.damaged + damaged, read_only=reason), known.place, foreign)


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, one by one. Raises OSError."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def events_of(folder: Path) -> Iterator[Event]:
    """Every event that is still kept, oldest first; what cannot be read is passed over. Raises OSError."""
    for number in numbers(folder):
        for line in _lines(segment(folder, number)):
            said = parse(line)
            if not isinstance(said, (Facts, Newer, Unread)):
                yield said
