"""The lock of a folder: one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.text import sanitize
from modeltop.history.store.durable import TEMP_PREFIX, as_store_error, close, file_mode, open_file, sync_folder

LOCK = ".lock"
"""The folder's one lock file. It is never deleted or replaced: who waits for it must wait for the same file."""


LOCKED_ERRORS = (errno.EWOULDBLOCK, errno.EAGAIN)
LOCK_TIMEOUT = 30.0
"""Seconds for which a command waits for another holder."""


@contextlib.contextmanager
def locked(folder: Path, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Hold a folder's lock; a missing folder is made, and another holder waited for, for `timeout` seconds; 0: one try.

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


def is_locked(path: Path) -> bool:
    """Return whether any process holds the lock of a file.

    The lock is shared for a moment: a process that tries to get it just then has to try again.
    """
    try:
        descriptor = open_file(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in LOCKED_ERRORS
    finally:
        close(descriptor)
    return False


def open_lock_file(path: Path) -> int:
    """Open a lock file, which is made if it is missing, and return its descriptor.

    Raises:
        OSError: It is something else, or the system refuses.
    """
    with contextlib.suppress(FileNotFoundError):
        return open_file(path, os.O_RDWR)
    descriptor, temporary = tempfile.mkstemp(prefix=TEMP_PREFIX, dir=path.parent)
    try:
        # It has its permissions before its name: between the two another user would be refused.
        os.fchmod(descriptor, file_mode(path.parent))
        os.link(temporary, path)
    except BaseException as error:
        close(descriptor)
        if not isinstance(error, FileExistsError):
            raise
        return open_file(path, os.O_RDWR)
    finally:
        Path(temporary).unlink()
    return descriptor


def make_folder(folder: Path) -> None:
    """Make a folder and its parents if missing: private, or shared if its parent is (setgid and group-writable).

    Raises:
        OSError: The system refuses.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    mode = folder.parent.stat().st_mode
    temporary = Path(tempfile.mkdtemp(prefix=TEMP_PREFIX, dir=folder.parent))
    try:
        if mode & stat.S_ISGID and mode & stat.S_IWGRP:
            temporary.chmod(0o2770)
        temporary.rename(folder)  # with its permissions, as a lock file
    except OSError:
        temporary.rmdir()
        if not folder.is_dir():
            raise
    sync_folder(folder.parent)
