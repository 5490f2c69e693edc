"""Leader election: one process holds the lock on a file that is never replaced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from modeltop.core.text import sanitize
from modeltop.history.store.durable import OPEN_FLAGS, close, file_mode, open_file, store_error

LOCK_FILE_NAME = "watch.lock"
"""Never deleted or replaced: all processes must wait for the same file."""
MAX_LOCK_BYTES = 4096
"""Bytes of the lock file that are read at most."""
LOCKED_ERRORS = (errno.EWOULDBLOCK, errno.EAGAIN)


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The leading process, as the lock file names it."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {sanitize(self.host, 60)}"


class LeaderLock:
    """The lock that permits sending. It ends with the process at the latest, however that ends.

    Args:
        folder: The state folder, which exists.
        holder: This process, as others are to see it.
    """

    def __init__(self, folder: Path, holder: LockHolder) -> None:
        self._path = folder / LOCK_FILE_NAME
        self._holder = holder
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> bool:
        """Try to take the lock without waiting. Return False where another process holds it.

        Raises:
            StoreError: The lock file cannot be made, written or locked: then nobody could keep a second one away.
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
        """Give the lock up."""
        if self._descriptor is not None:
            close(self._descriptor)
            self._descriptor = None

    def _lock(self) -> int | None:
        descriptor = self._open()
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

    def _open(self) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | OPEN_FLAGS, 0o600)
        except FileExistsError:
            return open_file(self._path, os.O_RDWR)
        try:
            os.fchmod(descriptor, file_mode(self._path.parent))
        except BaseException:
            close(descriptor)
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
    """Return the process that leads or led last; None where the lock file names none."""
    try:
        descriptor = open_file(folder / LOCK_FILE_NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        document = json.loads(os.pread(descriptor, MAX_LOCK_BYTES, 0))
        return LockHolder(int(document["pid"]), str(document["host"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    finally:
        close(descriptor)
