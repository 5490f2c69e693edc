"""The lock of a folder: one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.text import sanitize
from modeltop.history.store.durable import OPEN_FLAGS, as_store_error, close, file_mode, open_file, sync_folder

LOCK = ".lock"
"""The folder's one lock file. It is never deleted or replaced: who waits for it must wait for the same file."""


@contextlib.contextmanager
def locked(folder: Path, timeout: float = 30.0) -> Iterator[None]:
    """Hold a folder's lock; a missing folder is made, and another holder waited for, for `timeout` seconds.

    Raises:
        StoreError: The folder or the lock is not available.
    """
    with as_store_error(folder):
        descriptor = _lock(folder, time.monotonic() + timeout)
    try:
        yield
    finally:
        close(descriptor)


def _lock(folder: Path, deadline: float) -> int:
    while True:
        make_folder(folder)
        descriptor = open_lock_file(folder / LOCK)
        try:
            # flock, not lockf: that is silently lost when anything in this process closes the same file.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The folder may have been deleted and made anew between opening and locking.
            if os.path.samestat(os.fstat(descriptor), (folder / LOCK).stat()):
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            close(descriptor)
            raise
        close(descriptor)
        if time.monotonic() > deadline:
            raise StoreError(f"another process has been holding {sanitize(folder / LOCK)}: see who does, or try again")
        time.sleep(random.uniform(0.001, 0.02))  # noqa: S311  spreads the waiters, keeps no secret


def open_lock_file(path: Path) -> int:
    """Open a lock file, which is made if it is missing, and return its descriptor.

    Raises:
        OSError: It is something else, or the system refuses.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | OPEN_FLAGS, 0o600)
    except FileExistsError:
        return open_file(path, os.O_RDWR)
    try:
        os.fchmod(descriptor, file_mode(path.parent))
    except BaseException:
        close(descriptor)
        raise
    return descriptor


def make_folder(folder: Path) -> None:
    """Make a folder if it is missing: private, or shared if its parent is (setgid and group-writable).

    Raises:
        OSError: The system refuses.
    """
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    mode = folder.parent.stat().st_mode
    folder.mkdir(mode=0o700, exist_ok=True)
    if mode & stat.S_ISGID and mode & stat.S_IWGRP:
        folder.chmod(0o2770)
    sync_folder(folder.parent)
