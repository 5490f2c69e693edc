"""The folder of an event log: the same for the same data, however its paths are spelled."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from modeltop.alerting.event_log.segments import segment_numbers, segment_path
from modeltop.core.errors import StoreError
from modeltop.core.event import (
    Acknowledged,
    BaselineRestarted,
    NoteAdded,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.text import redact_credentials
from modeltop.history.files import STDIN, xdg_folder
from modeltop.history.store.durable import as_store_error, create
from modeltop.history.store.lock import is_locked, locked
from modeltop.history.store.paths import LEADER_LOCK, STATE_FOLDER, is_store, slug

MOVE_TIMEOUT = 1.0
"""Seconds in which another process must let go of an event log that is to be moved."""
_PERSONAL = (Acknowledged, Unacknowledged, SilenceCreated, SilenceExpired, NoteAdded, BaselineRestarted)
"""Events that are in force wherever the event log is."""


def state_folder(store: Path | None, paths: Iterable[str | Path] = ()) -> Path:
    """Return the folder of the event log and of the watcher's files; it need not exist.

    An event log of the same data that an earlier version wrote elsewhere, by the spelling of a path, is moved there;
    while that is impossible, such as while its watcher runs, it is the one.

    Args:
        store: The store; its event log lies within it, so everyone who shares the store shares the event log.
        paths: Without a store, the files and folders that are read. If all are of one store, the event log is that of
            the store. Else there is one for each set of real paths, in any order, in the XDG state folder, called
            `<slug of the first>-<8 hexadecimal digits of them all>`.

    Raises:
        StoreError: There is no home folder.
    """
    given = [str(path) for path in paths] if store is None else [str(store)]
    real = real_paths(given)
    home = enclosing_store(real) if store is None else store
    folder = _xdg_state_folder(real) if home is None else home / STATE_FOLDER
    older: list[Path] = []
    with suppress(StoreError):
        older = [_xdg_state_folder(names) for names in (_named(given, os.path.abspath), real)]
    for former in dict.fromkeys(older):
        if former == folder or not os.path.isdir(former):  # noqa: PTH112  as below
            continue
        if is_locked(former / LEADER_LOCK):
            return folder if is_locked(folder / LEADER_LOCK) else former
        try:
            _move(former, folder)
        except (StoreError, OSError):
            return folder if _has_journal(folder) else former
    return folder


def real_paths(paths: Iterable[str | Path]) -> tuple[str, ...]:
    """Return paths without links and `..`, and addresses without passwords, sorted: the same for the same data."""
    return _named(paths, os.path.realpath)


def uncovered_paths(paths: Iterable[str], others: Sequence[str]) -> list[str]:
    """Return the real paths that are neither among others, nor in one of these folders, nor match a pattern of them.

    >>> uncovered_paths(["/m/a.csv", "/m/b/c.csv", "/m"], ["/m"])
    ['/m/b/c.csv']
    """
    return [path for path in paths if not any(_covers(other, path) for other in others)]


def _covers(other: str, path: str) -> bool:
    return other in (path, str(Path(path).parent)) or fnmatchcase(path, other) or fnmatchcase(f"{path}/", other)


def _named(paths: Iterable[str | Path], name: Callable[[str], str]) -> tuple[str, ...]:
    # An address is no path, and its password no part of a name.
    names = (path if re.match(r"\w+:https?://", path) else name(path) for path in map(str, paths))
    return tuple(sorted({redact_credentials(name) for name in names}))


def enclosing_store(paths: Sequence[str]) -> Path | None:
    """Return the store that all real paths are, or are files of; None without one."""
    # os.path: a Path raises of a name that is too long, or in a folder that this user may not enter.
    folders = {path if os.path.isdir(path) else os.path.dirname(path) for path in paths}  # noqa: PTH112, PTH120
    folder = Path(folders.pop()) if len(folders) == 1 and Path(paths[0]).name != STDIN else None
    return folder if folder is not None and is_store(folder) else None


def _xdg_state_folder(names: Sequence[str]) -> Path:
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    first = os.path.splitext(os.path.basename(names[0]))[0] if names else ""  # noqa: PTH119, PTH122  of `..`, too
    try:
        return xdg_folder("state") / f"{slug(first)}-{digest}"
    except RuntimeError:
        raise StoreError("no home folder is known for this user: set XDG_STATE_HOME to a folder of yours") from None


def _has_journal(folder: Path) -> bool:
    with suppress(OSError):
        return bool(segment_numbers(folder))
    return True  # it cannot be read, and that is reported


def _move(former: Path, folder: Path) -> None:
    """Move an event log to another folder; if there is one already, what people did is appended to it."""
    from modeltop.alerting.event_log.event_log import EventLog  # late: it is rarely needed

    if not segment_numbers(former):
        return
    with locked(former, MOVE_TIMEOUT):
        numbers = segment_numbers(former)
        if numbers and segment_numbers(folder):
            events = [event for event in EventLog(former).events() if isinstance(event, _PERSONAL)]
            EventLog(folder).append(*events, timeout=MOVE_TIMEOUT)
        elif numbers:
            with locked(folder, MOVE_TIMEOUT), as_store_error(folder):
                for number in numbers:
                    create(segment_path(folder, number), segment_path(former, number).read_bytes())
        for number in numbers:
            path = segment_path(former, number)
            path.rename(path.with_name(f"{path.name}.old"))
