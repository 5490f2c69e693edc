"""Calls to the file system that cost nothing at start-up: this module imports nothing heavy."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from modeltop.core.errors import SourceError

MAX_BYTES = 256 * 2**20
"""Largest file read: four million periods; more is a prediction log, and would not fit beside a small server's work."""

STDIN = "-"
"""Path of standard input."""
PIPED = "stdin"
"""Name of standard input in messages, and of its model if the table names none."""
FileStat = tuple[int, int, int, int, int, int]
"""Device, inode, mode, size in bytes, and when contents and inode last changed (mtime and ctime), in nanoseconds since
1970. Programs set the mtime back, as `cp -p` does, never the ctime."""

_XDG_DEFAULTS = {"config": ".config", "data": ".local/share", "state": ".local/state", "cache": ".cache"}


class TooLargeError(SourceError):
    """A file is larger than `MAX_BYTES`, or would be once unpacked."""


def file_stat(path: str | os.PathLike[str]) -> FileStat | None:
    """Return the state of a path by one `os.stat`; None if inaccessible."""
    try:
        state = os.stat(path)  # noqa: PTH116  a Path would be built a thousand times a second
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def partition_of(path: str) -> dict[str, str]:
    """Return the keys and values of the folders right above a file that are those of a partition, as Hive writes them.

    >>> partition_of("/data/quality/model=fraud/dt=2026-01-09/part-0.parquet")
    {'model': 'fraud', 'dt': '2026-01-09'}
    """
    found: dict[str, str] = {}
    for folder in os.path.abspath(path).split("/")[-2::-1]:  # noqa: PTH100  as above
        key, equals, value = folder.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.-]*", key):
            break
        found = {key: unquote(value), **found}
    return found


def read_range(descriptor: int, start: int, end: int) -> bytes:
    """Return the bytes of an open file from one offset up to another; fewer if the file ends before.

    Args:
        descriptor: Open for reading; its own position is neither used nor moved.
        start: Offset of the first byte.
        end: Offset behind the last byte.

    Raises:
        OSError: The system refuses.
    """
    parts: list[bytes] = []
    while start < end and (part := os.pread(descriptor, end - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def xdg_folder(kind: Literal["config", "data", "state", "cache"], environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of modeltop for one kind of files (XDG Base Directory Specification 0.8); it need not exist.

    Raises:
        RuntimeError: Neither the variable, such as `XDG_DATA_HOME`, nor a home folder is known.
    """
    base = environ.get(f"XDG_{kind.upper()}_HOME", "")
    # The specification requires programs to ignore a relative path.
    folder = Path(base) if base.startswith("/") else Path.home() / _XDG_DEFAULTS[kind]
    return folder / "modeltop"


def kind_of(mode: int) -> str | None:
    """Return what a file of that mode is, such as FIFO, if it is no regular file: reading it may never end."""
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"))
    return None if stat.S_ISREG(mode) else next((name for test, name in kinds if test(mode)), "device")
