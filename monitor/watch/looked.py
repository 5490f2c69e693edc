"""What the next run of the watcher has to know of the last look: a small file, worth little and kept all the same."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from monitor.store.disk import close, open_file, read_from, write_atomically

NAME = "looked.json"
_MOST = 64_000_000
"""Bytes; a larger file is not ours."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen."""

    newest: Mapping[str, datetime] = field(default_factory=dict)
    """Per model, its newest period."""
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    """By id, when an alert of no data was first seen that nobody is told of before a second look."""


def save_last_evaluation(folder: Path, looked: Looked) -> None:
    """Keep it for the next run. Raises StoreError."""
    write_atomically(
        folder / NAME, json.dumps({"newest": _said(looked.newest), "waiting": _said(looked.waiting)}).encode()
    )


def load_last_evaluation(folder: Path) -> Looked:
    """What the last run saw; nothing where there was none, or its file cannot be read."""
    try:
        descriptor = open_file(folder / NAME, os.O_RDONLY)
    except OSError:
        return Looked()
    try:
        said = json.loads(read_from(descriptor, 0, _MOST))
        return Looked(_moments(said["newest"]), _moments(said["waiting"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Looked()
    finally:
        close(descriptor)


def _said(moments: Mapping[str, datetime]) -> dict[str, str]:
    return {name: moment.isoformat() for name, moment in moments.items()}


def _moments(said: Mapping[str, str]) -> dict[str, datetime]:
    found = {name: datetime.fromisoformat(text) for name, text in said.items()}
    if any(moment.tzinfo is None for moment in found.values()):
        raise ValueError("a time without a zone")
    return found
