"""The generations of what `compute` has written: its files change together, whenever a process is killed.

One small file, the pointer, says how things stand: it is empty while a run computes, names the files of the next
generation once all of them are staged, and is gone at the end. Whoever finds it with names in it, and nobody at work,
reads the files it names in place of the old ones; the next run, or `--undo`, puts them in place.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from modeltop.core.errors import StoreError
from modeltop.core.text import sanitize
from modeltop.history.store import durable
from modeltop.history.store.distributions import DISTRIBUTIONS_FOLDER
from modeltop.history.store.lock import LOCK, is_locked, locked
from modeltop.history.store.paths import COMPUTE_POINTER

STAGED, PREVIOUS = ".staged", ".previous"
"""Suffixes of the files of the next generation, and of the one before; an empty one means that there is no file."""
RUN_LOCK_FOLDER = Path(COMPUTE_POINTER).parent.name
"""The folder whose lock a run holds, so that of two runs the second waits or is refused."""
_OWN_FILES = re.compile(rf"(?:{DISTRIBUTIONS_FOLDER}/)?[a-z0-9-]+-[0-9a-f]{{8}}(?:\.computed)?\.csv")


class Undone(NamedTuple):
    """What `undo` found."""

    files: int
    """Files that are as they were before; 0 if there was only an interrupted run."""
    run_at: datetime | None
    """When the run that is undone, or that can still be, wrote its files; None if there is none or it is unknown."""
    interrupted_at: datetime | None
    """When a run began that was killed before it changed anything."""


def read_uncommitted(folder: Path) -> Mapping[str, str | None]:
    """Return the files that a killed process has not put in place: name → that of its new content, None if removed.

    Names are relative to the store, as in `evidence/NAME`.
    """
    if is_locked(folder / LOCK):
        return {}  # it is at work: each file is the old or the new one
    suffix, names = _read_pointer(folder)
    states = {name: _size(folder / (name + suffix)) for name in names}
    return {name: name + suffix if size else None for name, size in states.items() if size is not None}


def _size(path: Path) -> int | None:
    """Return the bytes of a file, None if it is not there."""
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return None


def begin(folder: Path) -> None:
    """Note that a run has begun; the lock of `RUN_LOCK_FOLDER` must be held. What killed runs left is dealt with.

    Raises:
        OSError: The system refuses.
    """
    with locked(folder):
        recover(folder)
    end(folder)
    durable.write_new(folder / COMPUTE_POINTER, b"", durable.file_mode(folder))


def end(folder: Path) -> None:
    """Remove what a run has not committed, and the note that it has begun."""
    if not _read_pointer(folder)[1]:
        for name in files_with_suffix(folder, STAGED):
            (folder / (name + STAGED)).unlink(missing_ok=True)
        (folder / COMPUTE_POINTER).unlink(missing_ok=True)


def commit(folder: Path, names: Iterable[str], suffix: str = STAGED) -> None:
    """Put files in place, which are complete under the suffix; the locks of run and folder must be held.

    Raises:
        OSError: The system refuses; if the pointer is written, the new files are what is read.
    """
    names = list(names)
    for parent in {(folder / name).parent for name in names}:
        durable.sync_folder(parent)
    pointer, new = folder / COMPUTE_POINTER, folder / f"{COMPUTE_POINTER}.new"
    new.unlink(missing_ok=True)
    durable.write_new(new, "\n".join([suffix, *names]).encode(), durable.file_mode(folder))
    new.replace(pointer)
    durable.sync_folder(pointer.parent)
    recover(folder)


def recover(folder: Path) -> None:
    """Finish a commit, whoever has begun it and however far it went; the lock of the folder must be held."""
    suffix, names = _read_pointer(folder)
    if not names:
        return
    if suffix == STAGED:
        for stale in files_with_suffix(folder, PREVIOUS) - set(names):
            (folder / (stale + PREVIOUS)).unlink()
    for name in names:
        path, new = folder / name, folder / (name + suffix)
        size = _size(new)
        if size is None:
            continue  # it is in place
        if suffix == STAGED:
            _back_up(path, folder / (name + PREVIOUS))
        if size:
            new.replace(path)
        else:
            path.unlink(missing_ok=True)
            new.unlink()
    for parent in {(folder / name).parent for name in names}:
        durable.sync_folder(parent)
    (folder / COMPUTE_POINTER).unlink()


def undo(folder: Path) -> Undone:
    """Bring back the files from before the visible generation.

    One generation is stored: an undone run can be repeated, and a second call has nothing to undo. A run that was
    killed before it changed anything is all that is undone, not the one before it.

    Raises:
        StoreError: There is nothing to bring back, or the disk fails.
    """
    if not folder.is_dir():
        raise StoreError(f"{sanitize(folder)} was not found: name the store by --store")
    with locked(folder / RUN_LOCK_FOLDER), locked(folder), durable.as_store_error(folder):
        suffix, names = _read_pointer(folder)
        recover(folder)
        if names and suffix == PREVIOUS:  # another undo was killed
            return Undone(len(names), None, None)
        interrupted_at = _written_at([folder / COMPUTE_POINTER])
        end(folder)
        names = tuple(sorted(files_with_suffix(folder, PREVIOUS)))
        run_at = _written_at(folder / name for name in names)
        if interrupted_at is None and names:
            commit(folder, names, PREVIOUS)
    if interrupted_at is None and not names:
        raise StoreError(
            f"nothing to undo in {sanitize(folder)}: only the last change can be undone, once; compute again to redo it"
        )
    return Undone(len(names) if interrupted_at is None else 0, run_at, interrupted_at)


def _written_at(paths: Iterable[Path]) -> datetime | None:
    """Return when the newest of the files that exist was written; None if none does."""
    times = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _read_pointer(folder: Path) -> tuple[str, tuple[str, ...]]:
    """Return the suffix and the names in the pointer; no names if nothing is to be put in place."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        with os.fdopen(durable.open_file(folder / COMPUTE_POINTER, os.O_RDONLY), "rb") as file:
            suffix, *names = file.read().decode().split("\n")
        # Others may write into a shared store: no name leads out of it.
        if suffix in (STAGED, PREVIOUS) and all(map(_OWN_FILES.fullmatch, names)):
            return suffix, tuple(names)
    return STAGED, ()


def _back_up(path: Path, backup: Path) -> None:
    """Link the current file to its backup name; an empty backup means that there was no file."""
    backup.unlink(missing_ok=True)
    try:
        os.link(path, backup)
    except FileNotFoundError:
        backup.touch(mode=durable.file_mode(path.parent))


def files_with_suffix(folder: Path, suffix: str) -> set[str]:
    """Return the names, without the suffix and relative to the store, of files of ours that have one."""
    paths = (*folder.glob(f"*{suffix}"), *(folder / DISTRIBUTIONS_FOLDER).glob(f"*{suffix}"))
    names = {path.relative_to(folder).as_posix().removesuffix(suffix) for path in paths}
    return {name for name in names if _OWN_FILES.fullmatch(name)}
