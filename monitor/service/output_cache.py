"""Output of an earlier run in the cache folder, used again only while nothing that it depends on has changed.

With it stands the stat of each file it depends on. This module imports nothing heavy, and it is a cache: files may be
deleted at any time, and what is damaged, or could have been written by someone else, is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from modeltop import __version__
from modeltop.history.files import FileStat, file_stat, xdg_folder

if TYPE_CHECKING:
    from modeltop.rules.snapshot import Snapshot
    from modeltop.service.pipeline import Pipeline

MAX_FILES = 32
SIZE_LIMIT = 2_000_000
"""Maximum bytes of an output with the stats of its files: 300x80 cells in many colors, and 10,000 files."""
MIN_VALUES = 200_000
"""Values of a history from which on evaluating it takes much longer than looking at the files."""
SETTLED_SECONDS = 60.0
"""A file changed later than this before it was read may have changed again without its times showing it."""

FileStats = Mapping[str, FileStat | None]
"""The stat of each file, as `modeltop.service.pipeline.Pipeline.file_stats` returns it."""


class CachedOutput(NamedTuple):
    """Lines of an earlier run."""

    saved_at: float
    lines: list[str]
    code: int = 0


def cache_path(key: object, suffix: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file of an output; its name is a hash of all that the output depends on besides files.

    Args:
        key: What `json` can write.
        suffix: The kind of output, such as `.frame`.
        environ: Environment of the process.

    Raises:
        RuntimeError: No cache folder is known.
    """
    text = json.dumps([__version__, os.getcwd(), key])  # noqa: PTH109  text is wanted
    name = hashlib.sha256(text.encode("ascii")).hexdigest()[:24]
    return (xdg_folder("cache", environ) / name).with_suffix(suffix)


def load_output(path: Path, now: float) -> CachedOutput | None:
    """Return the output, if it is current `now`, in seconds since 1970."""
    try:
        with path.open("rb") as file:
            if not (_is_private(os.fstat(file.fileno())) and _is_private(path.parent.stat())):
                return None
            data = json.loads(file.read(SIZE_LIMIT))
        output = CachedOutput(float(data["seen"]), [str(line) for line in data["lines"]], int(data.get("code", 0)))
        is_current = output.saved_at <= now and (data["until"] is None or now < float(data["until"]))
        is_current &= all(file_stat(name) == (state and tuple(state)) for name, state in dict(data["states"]).items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return output if is_current else None


def _is_private(state: os.stat_result) -> bool:
    return state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def save_output(path: Path, output: CachedOutput, stats: FileStats, valid_until: float | None = None) -> None:
    """Save an output; a failure is ignored, since this is a cache.

    Args:
        path: The file, as `cache_path` returns it.
        output: What to save.
        stats: The stat of each file that it depends on.
        valid_until: When the same files make another output, in seconds since 1970; None: never.
    """
    document = {"seen": output.saved_at, "until": valid_until, "code": output.code, "lines": output.lines}
    data = json.dumps(document | {"states": stats}).encode("ascii")
    if len(data) > SIZE_LIMIT:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(data)
        temporary.replace(path)
        _prune(path.parent, path.suffix)


def _prune(folder: Path, suffix: str) -> None:
    files = sorted(folder.glob(f"*{suffix}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[MAX_FILES:]:
        path.unlink(missing_ok=True)


def lasting_stats(pipeline: Pipeline, snapshot: Snapshot, started_at: float) -> FileStats | None:
    """Return the stats of all files that the output of a snapshot depends on, those of the program among them.

    None if it depends on the clock, or on what has no lasting stat, or if evaluating it took little time.

    Args:
        pipeline: What made the snapshot, in its first run.
        snapshot: The snapshot.
        started_at: Moment in seconds since 1970 before which the program started to read its configuration.
    """
    history = snapshot.history
    if sum(map(len, history.series.values())) < MIN_VALUES or history.problems or snapshot.clock_doubt:
        return None
    if pipeline.depends_on_clock or history.newest is None or history.newest > snapshot.clock:
        return None
    # What people did ends by the clock, and files of distributions change without their folder.
    absent = {os.fspath(folder): file_stat(folder) for folder in pipeline.distributions.folders}
    absent |= pipeline.state_reader.file_stats()
    if any(absent.values()):
        return None
    program = {path for module in list(sys.modules.values()) if (path := getattr(module, "__file__", None))}
    # A folder in which a watcher starts becomes a store, and its files have the state of that.
    folders = {os.path.dirname(os.path.realpath(file.source)) for file in history.files}  # noqa: PTH120  of a thousand
    stats = {**pipeline.file_stats(), **absent, **{path: file_stat(path) for path in program | folders}}
    changed_at = max(max(state[4:]) for state in stats.values() if state) / 1e9
    return stats if changed_at < started_at - SETTLED_SECONDS else None
