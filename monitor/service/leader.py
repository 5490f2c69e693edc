"""Leader election: one process holds the lock on a file that is never replaced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from modeltop.core.text import sanitize
from modeltop.history.files import read_range
from modeltop.history.store.durable import close, open_file, store_error
from modeltop.history.store.lock import open_lock_file

LOCK_FILE_NAME = "watch.lock"
"""Never deleted or replaced: all processes must wait for the same file."""
LOCKED_ERRORS = (errno.EWOULDBLOCK, errno.EAGAIN)
MAX_FILE_BYTES = 64_000_000
"""Bytes of a state file that are read at most."""
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

    def __str__(self) -> str:
        return f"process {self.pid} on {sanitize(self.host, 60)}"


class LeaderLock:
    """The lock on a state folder that permits sending. It ends with the process at the latest, however that ends."""

    def __init__(self, folder: Path, holder: LockHolder) -> None:
        self._path = folder / LOCK_FILE_NAME
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
        line = json.dumps({"pid": self._holder.pid, "host": self._holder.host}).encode("ascii") + b"\n"
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, line, 0)


def has_leader(folder: Path) -> bool:
    """Return whether any process leads now.

    The lock is shared for a moment: a process that tries to lead just then tries again a second later.
    """
    try:
        descriptor = open_file(folder / LOCK_FILE_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in LOCKED_ERRORS
    finally:
        close(descriptor)
    return False


def read_holder(folder: Path) -> LockHolder | None:
    """Return the process that leads or led last; None if the lock file names none."""
    return read_state_file(
        folder / LOCK_FILE_NAME, lambda document, _: LockHolder(int(document["pid"]), str(document["host"]))
    )
