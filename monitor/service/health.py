"""How the watcher is, in one small file that any process may read at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.incident import WatcherHealth
from modeltop.core.text import format_age, sanitize
from modeltop.history.store.durable import close, open_file, write_atomically
from modeltop.service.leader import LockHolder, has_leader
from modeltop.service.log import DaemonLog, ProblemLog

HEALTH_FILE_NAME = "watch.json"
MAX_FILE_BYTES = 1_000_000
"""Bytes; a larger file is not ours."""
BLOCK_BYTES = 4096
"""Bytes to a multiple of which the file is filled: on a full disk it can still be overwritten where it lies."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What the file holds."""

    health: WatcherHealth
    one_shot: bool = False
    """It runs from cron: between two runs no process is there."""


class HealthFile:
    """The file, written by the leader alone.

    The moment of the last cycle is the file's time of change; what it holds is written only where that changed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEALTH_FILE_NAME
        self._written: HealthReport | None = None

    def write(self, report: HealthReport) -> None:
        """Say how the watcher is. Raises StoreError."""
        if self._written is None or not _same_but_time(self._written, report) or not self._touch(report):
            self._written = None
            data = _to_document(report).encode("ascii")
            data += b" " * (-len(data) % BLOCK_BYTES)
            try:
                write_atomically(self._path, data)
            except StoreError:
                if not self._overwrite(data):
                    raise
            self._touch(report)
            self._written = report

    def _touch(self, report: HealthReport) -> bool:
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


def write_health(folder: Path, report: HealthReport) -> None:
    """Say once how the watcher is. Raises StoreError."""
    HealthFile(folder).write(report)


def read_last_health(folder: Path) -> WatcherHealth | None:
    """How the watcher was at the end of its last cycle; None where none has ever run, or the file is not ours."""
    report = read_health(folder)
    return None if report is None else report.health


def read_health(folder: Path) -> HealthReport | None:
    """Everything that the file holds; None where it cannot be read."""
    try:
        descriptor = open_file(folder / HEALTH_FILE_NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        stamp = os.fstat(descriptor).st_mtime
        return _from_document(json.loads(os.pread(descriptor, MAX_FILE_BYTES, 0)), stamp)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    finally:
        close(descriptor)


def _same_but_time(old: HealthReport, new: HealthReport) -> bool:
    return replace(old, health=replace(old.health, at=new.health.at)) == new


def _to_document(report: HealthReport) -> str:
    health = report.health
    return json.dumps(
        {
            "version": 1,
            "at": health.at.isoformat(),
            "started": health.started_at.isoformat(),
            "pid": health.pid,
            "host": health.host,
            "every": health.interval_seconds,
            "error": health.error,
            "broken": list(health.disabled_receivers),
            "stopped": health.stopped,
            "once": report.one_shot,
        }
    )


def _from_document(document: dict[str, object], stamp: float) -> HealthReport:
    error, disabled = document["error"], document["broken"]
    if not isinstance(disabled, list):
        raise TypeError
    return HealthReport(
        health=WatcherHealth(
            at=max(datetime.fromtimestamp(stamp, UTC), _aware_datetime(document["at"])),
            started_at=_aware_datetime(document["started"]),
            pid=int(str(document["pid"])),
            host=str(document["host"]),
            interval_seconds=float(str(document["every"])),
            error=None if error is None else str(error),
            disabled_receivers=tuple(map(str, disabled)),
            stopped=document["stopped"] is True,
        ),
        one_shot=document.get("once") is True,
    )


def _aware_datetime(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


@dataclass(frozen=True, slots=True)
class DaemonIdentity:
    """Where a watcher stands."""

    folder: Path
    """The state folder."""
    holder: LockHolder
    one_shot: bool = False
    """From cron: it ends after one cycle."""


class HealthReporter:
    """Collects what is wrong, and tells it.

    Args:
        identity: Where the watcher stands.
        log: What it says of itself.
        now: When it began.
    """

    def __init__(self, identity: DaemonIdentity, log: DaemonLog, now: datetime) -> None:
        self._identity = identity
        self._problem_log = ProblemLog(log)
        self._file = HealthFile(identity.folder)
        self._errors: dict[str, str | None] = {}
        self.started = self.completed = now

    @property
    def error(self) -> str | None:
        """All that is wrong, made safe; None: all well."""
        return "; ".join(sanitize(why, 300) for why in self._errors.values() if why) or None

    def set_error(self, subject: str, error: str | None) -> None:
        """Note how one thing stands: why it is wrong, or None where it is not."""
        self._errors[subject] = error
        self._problem_log.update(subject, error, f"{subject}: all well again")

    def publish(self, every: float, disabled: Mapping[str, str], *, stopped: bool = False) -> None:
        """Write the health file.

        Args:
            every: Seconds between two cycles at most.
            disabled: Receivers that do not work, and why.
            stopped: The watcher was asked to end.
        """
        health = WatcherHealth(
            at=self.completed,
            started_at=self.started,
            pid=self._identity.holder.pid,
            host=self._identity.holder.host,
            interval_seconds=every,
            error=self.error,
            disabled_receivers=tuple(disabled),
            stopped=stopped,
        )
        try:
            self._file.write(HealthReport(health, one_shot=self._identity.one_shot))
        except StoreError as error:
            self.set_error("health file", str(error))
        else:
            self.set_error("health file", None)


ALIVE, DEGRADED, NOT_RUNNING = 0, 1, 3


def print_status(folder: Path, now: datetime, write_line: Callable[[str], None], *, as_json: bool) -> int:
    """Say how the watcher of a state folder is.

    Returns:
        0 alive and well, 1 alive and in trouble (its last error, a broken receiver), 3 not running or late.
    """
    report = read_health(folder)
    has_leader_now = has_leader(folder)
    code, word = _status_of(report, now, has_leader_now=has_leader_now)
    if as_json:
        write_line(json.dumps(_status_document(report, word, has_leader_now=has_leader_now)))
        return code
    write_line(word if report is None else f"{word}: {_describe(report, now)}")
    if report is not None:
        if report.health.error:
            write_line(f"  error: {sanitize(report.health.error, 400)}")
        for name in report.health.disabled_receivers:
            write_line(f"  receiver {sanitize(name, 60)} is broken: change its settings, or mend it and send a test")
    return code


def _status_of(report: HealthReport | None, now: datetime, *, has_leader_now: bool) -> tuple[int, str]:
    if report is None:
        return (DEGRADED, "starting") if has_leader_now else (NOT_RUNNING, "no watcher has ever run here")
    health = report.health
    if health.stopped and not has_leader_now:
        return NOT_RUNNING, "stopped"
    if not has_leader_now and not report.one_shot:
        return NOT_RUNNING, "ended without a word"
    if health.is_overdue(now):
        return NOT_RUNNING, "late"
    if health.error or health.disabled_receivers:
        return DEGRADED, "in trouble"
    return ALIVE, "alive"


def _describe(report: HealthReport, now: datetime) -> str:
    health = report.health
    process = "runs from cron" if report.one_shot else f"process {health.pid} on {sanitize(health.host, 60)}"
    since = f", since {format_age(now - health.started_at)}" if not report.one_shot else ""
    return f"{process}{since}, last cycle {format_age(now - health.at)} ago"


def _status_document(report: HealthReport | None, word: str, *, has_leader_now: bool) -> dict[str, object]:
    if report is None:
        return {"status": word, "leading": has_leader_now}
    health = report.health
    return {
        "status": word,
        "leading": has_leader_now,
        "at": health.at.isoformat(),
        "started": health.started_at.isoformat(),
        "pid": health.pid,
        "host": health.host,
        "every": health.interval_seconds,
        "error": health.error,
        "broken": list(health.disabled_receivers),
        "stopped": health.stopped,
        "once": report.one_shot,
    }
