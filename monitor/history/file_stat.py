"""How a file or folder stands, by one `os.stat`. Imports nothing heavy: it is asked before anything is read."""

from __future__ import annotations

import os

FileStat = tuple[int, int, int, int, int]


def file_stat(path: str) -> FileStat | None:
    """Device, inode, mode, size and time of change, or None where there is nothing to see."""
    try:
        found = os.stat(path)  # noqa: PTH116  a Path would be built a thousand times a second
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns
