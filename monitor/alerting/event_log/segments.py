"""The files of an event log: numbered, never replaced; only the newest grows."""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"journal\.(?P<number>[0-9]{6,9})\.jsonl")


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of one file, counted from 1."""
    return folder / f"journal.{number:06}.jsonl"


def segment_numbers(folder: Path) -> list[int]:
    """Return the numbers of the files there are, oldest first; none if the folder does not exist.

    Raises:
        OSError: The folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            matches = [_NAME.fullmatch(entry.name) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted({int(match["number"]) for match in matches if match})
