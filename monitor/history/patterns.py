"""Patterns of paths: `*`, `?`, `[...]`, and `**` for all folders below, as a shell that was not asked leaves them."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from modeltop.history.sources import SUFFIXES
from modeltop.history.store.distributions import DISTRIBUTIONS_FOLDER
from modeltop.history.store.paths import STATE_FOLDER, is_store

_INTERNAL = (STATE_FOLDER, DISTRIBUTIONS_FOLDER)
"""Folders of a store whose files are no history."""


def is_pattern(path: str) -> bool:
    """Return whether a path is a pattern, and no path that exists."""
    return glob.has_magic(path) and not os.path.lexists(path)


def expand(pattern: str) -> tuple[list[str], list[str]]:
    """Return the folders and the files that match a pattern, in order of name; of files those that may be history.

    Hidden files and folders, and folders in a store, match nothing. Links to folders below `**` are not followed.
    """
    matches = sorted({path.rstrip("/") for path in _matches(pattern)})
    folders = [path for path in matches if os.path.isdir(path)]  # noqa: PTH112  a Path would lose `./`
    internal = tuple(f"{path}/" for path in folders if _is_internal(path))
    others = set() if pattern.endswith("**") else set(matches) - set(folders)
    return (
        [path for path in folders if not f"{path}/".startswith(internal)],
        [path for path in matches if path in others and path.lower().endswith(SUFFIXES)],
    )


def searched_folders(pattern: str) -> list[str]:
    """Return the folders in which a new entry may match a pattern."""
    parts = pattern.split("/")
    first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    starts = ("/".join(parts[:end]) or ("/" if pattern.startswith("/") else ".") for end in range(first, len(parts)))
    return [path for start in starts for path in (_matches(start) if glob.has_magic(start) else [start])]


def _matches(pattern: str) -> list[str]:
    head, _, tail = pattern.partition("**")
    if head == pattern:
        return glob.glob(pattern)  # noqa: PTH207  as above
    tops = _matches(head.rstrip("/")) if head.rstrip("/") else ["/" if head else "."]
    below = [folder.removeprefix("./") for top in tops for folder in _walk(top)]
    return [path for folder in below for path in _matches(glob.escape(folder) + tail)] if tail else below


def _walk(top: str) -> list[str]:
    """Return a folder and all folders below it that are not hidden."""
    found: list[str] = []
    for folder, inside, _ in os.walk(top):
        found.append(folder)
        inside[:] = [name for name in inside if not name.startswith(".")]
    return found


def _is_internal(folder: str) -> bool:
    return os.path.basename(folder) in _INTERNAL and is_store(Path(folder).parent)  # noqa: PTH119  as above
