"""The folder of an event log and its files: numbered, never replaced; only the newest grows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.text import redact_credentials
from modeltop.history.files import xdg_folder
from modeltop.history.store.paths import STATE_FOLDER, is_store, slug

_NAME = re.compile(r"journal\.(?P<number>[0-9]{6,9})\.jsonl")


def state_folder(store: Path | None, paths: Iterable[str | Path] = ()) -> Path:
    """Return the folder of the event log and of the watcher's files; it need not exist.

    Args:
        store: The store; its event log lies within it, so everyone who shares the store shares the event log.
        paths: Without a store, the files and folders that are read. A single folder that is a store has its event
            log within, as with `--store`. Else there is one for each set of absolute paths, in any order, in the XDG
            state folder, called `<slug of the first>-<8 hexadecimal digits of them all>`.

    Raises:
        StoreError: There is no home folder.
    """
    if store is not None:
        return store / STATE_FOLDER
    paths = list(paths)
    if len(paths) == 1 and is_store(folder := Path(paths[0])):
        return folder / STATE_FOLDER
    # A link keeps its own name; an address is no path, and its password no part of a name.
    named = (path if re.match(r"\w+:https?://", str(path)) else os.path.abspath(path) for path in paths)  # noqa: PTH100
    absolute = sorted({redact_credentials(str(path)) for path in named})
    digest = hashlib.sha256("\0".join(absolute).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    first = os.path.splitext(os.path.basename(absolute[0]))[0] if absolute else ""  # noqa: PTH119, PTH122  as above
    try:
        return xdg_folder("state") / f"{slug(first)}-{digest}"
    except RuntimeError:
        raise StoreError("no home folder is known for this user: set XDG_STATE_HOME to a folder of yours") from None


def segment_path(folder: Path, number: int) -> Path:
    """Return the path of one file, counted from 1.

    >>> segment_path(Path("state"), 7).name
    'journal.000007.jsonl'
    """
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
