"""Leader election: one process holds the lock on a file that is never replaced."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from modeltop.alerting.event_log.location import uncovered_paths
from modeltop.core.text import sanitize
from modeltop.history.files import read_range, xdg_folder
from modeltop.history.store.durable import close, open_file, store_error
from modeltop.history.store.lock import LOCKED_ERRORS, is_locked, open_lock_file
from modeltop.history.store.paths import LEADER_LOCK, STATE_FOLDER

MAX_FILE_BYTES = 64_000_000
"""Bytes of a state file that are read at most."""
MAX_LISTED = 3
"""Paths that one message names."""
T = TypeVar("T")


def read_state_file(path: Path, build: Callable[[Any, float], T]) -> T | None:
    """Return the result of `build` from a JSON file and its modification time; None if it is missing or not ours."""
    try:
        descriptor = open_file(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        modified = os.fstat(descriptor).st_mtime
        return build(json.loads(read_range(descriptor, 0, MAX_FILE_BYTES)), modified)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    finally:
        close(descriptor)


def aware_datetime(text: object) -> datetime:
    """Parse a time in ISO 8601.

    Raises:
        ValueError: It is none, or has no zone.
    """
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The leading process, as the lock file names it."""

    pid: int
    host: str
    paths: tuple[str, ...] = ()
    """What it reads: real paths and addresses; empty if it is of a version that does not say."""

    def __str__(self) -> str:
        return f"process {self.pid} on {sanitize(self.host, 60)}"


class LeaderLock:
    """The lock on a state folder that permits sending. It ends with the process at the latest, however that ends."""

    def __init__(self, folder: Path, holder: LockHolder) -> None:
        self._path = folder / LEADER_LOCK
        self._holder = holder
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> bool:
        """Try to acquire the lock without waiting. Return False if another process holds it.

        Raises:
            StoreError: The lock file cannot be made, written or locked, so a second process could not be excluded.
        """
        if self.is_held():
            return True
        self.release()
        try:
            self._descriptor = self._lock()
        except OSError as error:
            raise store_error(self._path, error) from error
        return self._descriptor is not None

    def is_held(self) -> bool:
        """Return whether this process holds the lock, on the very file that others would lock."""
        return self._descriptor is not None and self._is_lock_file(self._descriptor)

    def release(self) -> None:
        """Release the lock, if this process holds it."""
        if self._descriptor is not None:
            close(self._descriptor)
            self._descriptor = None

    def _lock(self) -> int | None:
        descriptor = open_lock_file(self._path)
        try:
            # flock, not lockf: that is silently lost when anything in this process closes the same file.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._is_lock_file(descriptor):  # deleted and made anew between opening and locking
                close(descriptor)
                return None
            self._write_holder(descriptor)
        except OSError as error:
            close(descriptor)
            if error.errno in LOCKED_ERRORS:
                return None
            raise
        return descriptor

    def _is_lock_file(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except OSError:
            return False

    def _write_holder(self, descriptor: int) -> None:
        """Write this process into the lock file; on a full disk the lock holds all the same."""
        line = json.dumps(asdict(self._holder)).encode("ascii") + b"\n"
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, line, 0)


def has_leader(folder: Path) -> bool:
    """Return whether any process leads now.

    The lock is shared for a moment: a process that tries to lead just then tries again a second later.
    """
    return is_locked(folder / LEADER_LOCK)


def read_holder(folder: Path) -> LockHolder | None:
    """Return the process that leads or led last; None if the lock file names none."""

    def build(document: dict[str, Any], _: float) -> LockHolder:
        return LockHolder(int(document["pid"]), str(document["host"]), tuple(map(str, document.get("paths", ()))))

    return read_state_file(folder / LEADER_LOCK, build)


def coverage_gap(leader: LockHolder | None, holder: LockHolder) -> str | None:
    """Return one clause about what a process on standby would watch, but not the leader; None if that is nothing."""
    missing = uncovered_paths(holder.paths, leader.paths) if leader is not None and leader.paths else []
    return f"{leader} does not watch {_listed(missing)}: end it, or watch both by one watcher" if missing else None


def overlaps(folder: Path) -> Iterator[str]:
    """Yield one clause about each watcher with another state that watches some of what the leader of `folder` watches.

    Found are those of stores that it reads, and those of plain paths whose user is the same.
    """
    leader = read_holder(folder)
    paths = () if leader is None else leader.paths
    others = {folder / STATE_FOLDER for path in map(Path, paths) for folder in (path, path.parent)}
    with contextlib.suppress(OSError, RuntimeError):
        others.update(xdg_folder("state").iterdir())
    for other in sorted(others):
        holder = read_holder(other) if has_leader(other) else None
        if holder is None or holder == leader:
            continue
        shared = {*paths} - {*uncovered_paths(paths, holder.paths)}
        shared |= {*holder.paths} - {*uncovered_paths(holder.paths, paths)}
        if shared:
            yield f"{holder} also watches {_listed(sorted(shared))}: both notify, and they share no acknowledgements"


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MAX_LISTED} more" if len(paths) > MAX_LISTED else ""
    return ", ".join(sanitize(path, 200) for path in paths[:MAX_LISTED]) + more
