"""How the watcher is, in one small file that any process may read at any time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import StoreError
from monitor.facts import Health
from monitor.store.disk import close, open_file, write_atomically

NAME = "watch.json"
_MOST = 1_000_000
"""Bytes; a larger file is not ours."""
_BLOCK = 4096
"""Bytes to a multiple of which the file is filled: on a full disk it can still be overwritten where it lies."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the file holds."""

    health: Health
    once: bool = False
    """It runs from cron: between two runs no process is there."""


class Record:
    """The file, written by the leader alone.

    The moment of the last cycle is the file's time of change; what it holds is written only where that changed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._written: Report | None = None

    def write(self, report: Report) -> None:
        """Say how the watcher is. Raises StoreError."""
        if self._written is None or not _same(self._written, report) or not self._touch(report):
            self._written = None
            data = _text(report).encode("ascii")
            data += b" " * (-len(data) % _BLOCK)
            try:
                write_atomically(self._path, data)
            except StoreError:
                if not self._overwrite(data):
                    raise
            self._touch(report)
            self._written = report

    def _touch(self, report: Report) -> bool:
        stamp = int(report.health.at.timestamp() * 1e9)
        try:
            os.utime(self._path, ns=(stamp, stamp))
        except OSError:
            return False
        return True

    def _overwrite(self, data: bytes) -> bool:
        """Write where the old content lies, if it is as long: it takes no space, and it is ours to lose."""
        try:
            descriptor = open_file(self._path, os.O_RDWR)
        except OSError:
            return False
        try:
            return os.fstat(descriptor).st_size == len(data) == os.pwrite(descriptor, data, 0)
        except OSError:
            return False
        finally:
            close(descriptor)


def write(folder: Path, report: Report) -> None:
    """Say once how the watcher is. Raises StoreError."""
    Record(folder).write(report)


def read(folder: Path) -> Health | None:
    """How the watcher was at the end of its last cycle; None where none has ever run, or the file is not ours."""
    found = read_report(folder)
    return None if found is None else found.health


def read_report(folder: Path) -> Report | None:
    """Everything that the file holds; None where it cannot be read."""
    try:
        descriptor = open_file(folder / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        stamp = os.fstat(descriptor).st_mtime
        return _report(json.loads(os.pread(descriptor, _MOST, 0)), stamp)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    finally:
        close(descriptor)


def _same(old: Report, new: Report) -> bool:
    return replace(old, health=replace(old.health, at=new.health.at)) == new


def _text(report: Report) -> str:
    health = report.health
    return json.dumps(
        {
            "version": 1,
            "at": health.at.isoformat(),
            "started": health.started.isoformat(),
            "pid": health.pid,
            "host": health.host,
            "every": health.every,
            "error": health.error,
            "broken": list(health.broken),
            "stopped": health.stopped,
            "once": report.once,
        }
    )


def _report(said: dict[str, object], stamp: float) -> Report:
    error, broken = said["error"], said["broken"]
    if not isinstance(broken, list):
        raise TypeError
    return Report(
        health=Health(
            at=max(datetime.fromtimestamp(stamp, UTC), _moment(said["at"])),
            started=_moment(said["started"]),
            pid=int(str(said["pid"])),
            host=str(said["host"]),
            every=float(str(said["every"])),
            error=None if error is None else str(error),
            broken=tuple(map(str, broken)),
            stopped=said["stopped"] is True,
        ),
        once=said.get("once") is True,
    )


def _moment(text: object) -> datetime:
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found
