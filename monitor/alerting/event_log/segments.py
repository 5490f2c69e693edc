"""The files of a journal: numbered, never renamed nor replaced; only the newest grows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.history.store.paths import slug

STATE = "state"
"""The folder within a store."""


def state_folder(store: Path | None, paths: Iterable[Path] = ()) -> Path:
    """The folder that remembers what people did and receivers were told; it need not exist.

    Args:
        store: The store; its journal lies within it, so that all who share the one share the other.
        paths: Without a store, the files and folders looked at: one journal for each set of absolute paths, in any
            order, in the XDG state folder, called `<slug of the first>-<8 hexadecimal digits of them all>`.

    Raises:
        StoreError: No home folder is known.
    """
    if store is not None:
        return store / STATE
    named = sorted({os.path.abspath(path) for path in paths})  # noqa: PTH100  a link keeps its own name
    digest = hashlib.sha256("\0".join(named).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    first = os.path.splitext(os.path.basename(named[0]))[0] if named else ""  # noqa: PTH119, PTH122  as above
    return _base() / "modeltop" / f"{slug(first)}-{digest}"


def _base() -> Path:
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification tells programs to ignore a relative path.
    if base and Path(base).is_absolute():
        return Path(base)
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:
        raise StoreError("no home folder is known for this user: set XDG_STATE_HOME to a folder of yours") from None


FileStat = tuple[int, int, int, int, int]

_NAME = re.compile(r"journal\.(?P<number>[0-9]{6,9})\.jsonl")


def segment_path(folder: Path, number: int) -> Path:
    """The path of one file, counted from 1.

    >>> segment_path(Path("state"), 7).name
    'journal.000007.jsonl'
    """
    return folder / f"journal.{number:06}.jsonl"


def segment_numbers(folder: Path) -> list[int]:
    """Which files there are, oldest first. None in a folder that is not there. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            found = [_NAME.fullmatch(entry.name) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted({int(name["number"]) for name in found if name})


def file_stat(path: Path) -> FileStat | None:
    """Device, inode, mode, size and time of change, or None where there is nothing to see."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns
