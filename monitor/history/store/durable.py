"""How bytes reach the disk: in one step, durable on return, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.text import sanitize
from modeltop.history.files import read_range

TEMP_NAME = ".newborn"
"""Name under which a part is written before it gets its own; only the holder of the lock touches it."""

TEMP_PREFIX = ".new-"
"""Start of the name of a file or folder that gets its own once it is complete."""

OPEN_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Flags of every `os.open` in a store: no link leads out of it, and opening a FIFO does not block."""

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space, then try again",
    errno.EDQUOT: "the disk quota is used up: free some space, then try again",
    errno.EFBIG: "the file would grow over the limit of this process: see ulimit -f",
    errno.EROFS: "the file system is read-only: name another folder by --store",
    errno.EACCES: "permission denied: change its permissions, or name another folder by --store",
    errno.EPERM: "the system does not permit it: name another folder by --store",
    errno.ENOTDIR: "a file is where a folder should be: name a folder by --store",
    errno.EEXIST: "something else has that name: move it away, or name another folder by --store",
    errno.EISDIR: "a folder is where a file should be: move it away",
    errno.ELOOP: "a symbolic link is where a file should be: put the file itself there",
    errno.ENXIO: "a FIFO or a device is where a file should be: move it away",
    errno.ENOENT: "it was removed meanwhile: try again",
    errno.ENOLCK: "this file system has no locks: name a folder on a local disk by --store",
    errno.EIO: "the disk failed: look into the system's log",
}


def store_error(path: Path, error: OSError) -> StoreError:
    """Return the error as one clause: the path, the reason, the remedy."""
    reason = _REASONS.get(error.errno or 0) or f"{error.strerror or error}: name another folder by --store"
    return StoreError(f"cannot write {sanitize(path)}: {reason}")


@contextlib.contextmanager
def as_store_error(path: Path) -> Iterator[None]:
    """Raise an OSError within as the StoreError about a path."""
    try:
        yield
    except OSError as error:
        raise store_error(path, error) from error


def file_mode(folder: Path) -> int:
    """Return the permissions of a new file: those of its folder for the group, reading for others, and never more."""
    return 0o600 | (folder.stat().st_mode & 0o064)


def close(descriptor: int) -> None:
    """Close a descriptor, and ignore errors: they report nothing that fsync has not reported."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        close(descriptor)


def create(path: Path, data: bytes) -> None:
    """Make a new file, with all its bytes or not at all; the lock must be held.

    Raises:
        FileExistsError: Something has that name already; it is left alone.
        OSError: It cannot be done; nothing is left behind.
    """
    temporary = path.with_name(TEMP_NAME)
    # A crash may have left it, even as a second name of a living part: it is unlinked, never truncated.
    temporary.unlink(missing_ok=True)
    try:
        write_new(temporary, data, file_mode(path.parent))
        os.link(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    try:
        temporary.unlink()
        sync_folder(path.parent)
    except BaseException:
        for name in (path, temporary):
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)
        raise


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Make a new file whose bytes are durable; its name is so once the folder is synced.

    Args:
        path: A name that is free.
        data: All bytes of the file.
        mode: Permissions, such as 0o640.

    Raises:
        OSError: The name is in use, or the system refuses.
    """
    _write_and_close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN_FLAGS, 0o600), data, mode)


def _write_and_close(descriptor: int, data: bytes, mode: int) -> None:
    try:
        _write(descriptor, data)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    """Write everything at once; a short write, as a full disk gives, is an error."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True, slots=True)
class TailMark:
    """The end of a row in a file, as it was when the row was written."""

    end: int
    tail: bytes
    """The row that ends there: if it is still there before `end`, the file up to `end` is unchanged."""


def append(path: Path, lines: Sequence[bytes], mark: TailMark | None) -> tuple[int, TailMark]:
    """Append rows to a file in one write; the lock must be held.

    A row that another writer's crash has torn is closed first, so that it spoils no row but its own.

    Args:
        path: A file that exists.
        lines: One or more rows, each with its newline.
        mark: From an earlier call; spares reading the file up to there.

    Returns:
        The size of the file before in bytes, and the mark of its end now.

    Raises:
        OSError: It cannot be done; the file is as it was.
    """
    descriptor = open_file(path, os.O_RDWR | os.O_APPEND)
    try:
        before = os.fstat(descriptor).st_size
        is_unchanged = mark and read_range(descriptor, mark.end - len(mark.tail), mark.end) == mark.tail
        tail = read_range(descriptor, mark.end if mark and is_unchanged else 0, before)
        payload = terminate_torn_row(tail) + b"".join(lines)
        _write_or_truncate(descriptor, before, payload)
        return before, TailMark(before + len(payload), lines[-1])
    finally:
        close(descriptor)


def append_lines(path: Path, data: bytes) -> None:
    """Append complete lines to a file of plain lines in one write; the lock must be held.

    A line that a crash has torn gets an end.

    Raises:
        OSError: It cannot be done; the file is as it was.
    """
    append(path, [data], TailMark(max(0, path.stat().st_size - 1), b""))


def _write_or_truncate(descriptor: int, before: int, payload: bytes) -> None:
    try:
        _write(descriptor, payload)
        os.fsync(descriptor)
    except BaseException:
        # Nothing is cut that somebody else has written behind it.
        with contextlib.suppress(OSError):
            size = os.fstat(descriptor).st_size
            if size > before and payload.startswith(read_range(descriptor, before, size)):
                os.ftruncate(descriptor, before)
                os.fsync(descriptor)
        raise


def open_file(path: Path, flags: int) -> int:
    """Open a regular file that is no link, and return its descriptor.

    Raises:
        OSError: It is something else, or the system refuses.
    """
    descriptor = os.open(path, flags | OPEN_FLAGS)
    try:
        _check_regular(os.fstat(descriptor).st_mode)
    except OSError:
        close(descriptor)
        raise
    return descriptor


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.ENXIO
        raise OSError(number, os.strerror(number))


def read_head(path: Path, limit: int) -> bytes:
    """Return the first `limit` bytes of a file, or all.

    Raises:
        OSError: It is not a regular file, or the system refuses.
    """
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read(limit)


def rollback(path: Path, before: int | None, after: int) -> None:
    """Undo an append or a creation, unless the file has grown since.

    Args:
        path: The file that was written.
        before: Its bytes before; None if it was created.
        after: Its bytes after.

    Raises:
        OSError: The system refuses.
    """
    if path.stat().st_size != after:
        return
    if before is None:
        path.unlink()
        sync_folder(path.parent)
    else:
        os.truncate(path, before)


_FIELD = re.compile(rb'(?:\A|[,\r\n])"(?:[^"]++|"")*+(?P<end>"?)')
"""A quoted field and the character before it; without `end` it is still open at the end of the bytes."""


def terminate_torn_row(tail: bytes) -> bytes:
    r"""Return what must follow `tail`, which starts with a row, for the next byte to start a row.

    >>> [terminate_torn_row(tail) for tail in (b"2025-01-10,churn,0.9\n", b"2025-01-10,chu", b'2025-01-10,"two\nli')]
    [b'', b'\n', b'"\n']
    """
    if b'"' in tail:
        fields = list(_FIELD.finditer(tail))
        if fields and not fields[-1]["end"]:
            return b'"\n'
    return b"" if not tail or tail.endswith(b"\n") else b"\n"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace or make a file, so that a reader finds the old or the new bytes and a crash leaves either.

    Permissions stay; a new file gets those of its folder, for reading and writing. A symbolic link is followed.

    Raises:
        StoreError: It cannot be done; the file is as it was.
    """
    target = Path(os.path.realpath(path))
    with as_store_error(path):
        _replace(target, data)


def _replace(target: Path, data: bytes) -> None:
    mode = file_mode(target.parent)
    with contextlib.suppress(FileNotFoundError):
        existing = target.stat().st_mode
        _check_regular(existing)
        mode = stat.S_IMODE(existing)
    descriptor, name = tempfile.mkstemp(prefix=TEMP_PREFIX, dir=target.parent)
    try:
        _write_and_close(descriptor, data, mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
