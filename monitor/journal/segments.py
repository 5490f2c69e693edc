"""The files of a journal: numbered, never renamed nor replaced; only the newest grows."""

from __future__ import annotations

import os
import re
from pathlib import Path

Stat = tuple[int, int, int, int, int]

_NAME = re.compile(r"journal\.(?P<number>[0-9]{6,9})\.jsonl")


def segment(folder: Path, number: int) -> Path:
    """The path of one file, counted from 1.

    >>> segment(Path("state"), 7).name
    'journal.000007.jsonl'
    """
    return folder / f"journal.{number:06}.jsonl"


def numbers(folder: Path) -> list[int]:
    """Which files there are, oldest first. None in a folder that is not there. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            found = [_NAME.fullmatch(entry.name) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted({int(name["number"]) for name in found if name})


def stat_of(path: Path) -> Stat | None:
    """Device, inode, mode, size and time of change, or None where there is nothing to see."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns
