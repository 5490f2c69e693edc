"""The health of the daemon: a small file that any process may read, and pings of a service that misses them."""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modeltop.alerting.routing import SecretSource
from modeltop.core.errors import NotifyError, StoreError
from modeltop.core.incident import WatcherHealth
from modeltop.core.text import format_age, sanitize
from modeltop.history.store.durable import close, open_file, write_atomically
from modeltop.service.leader import LockHolder, aware_datetime, has_leader, overlaps, read_state_file
from modeltop.service.log import DaemonLog

HEALTH_FILE_NAME = "watch.json"
ERROR_WIDTH = 600
BLOCK_BYTES = 4096
"""The file is padded to a multiple of this, so that on a full disk it can still be overwritten in place."""


class HealthFile:
    """The health file, written by the leader alone.

    The moment of the last cycle is the file's time of change; its content is written only when that changes.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEALTH_FILE_NAME
        self._written: WatcherHealth | None = None

    def write(self, health: WatcherHealth) -> None:
        """Write it, or touch the file if only the time changed; raise StoreError if that fails."""
        old = self._written and replace(self._written, at=health.at)
        if old != health or not self._touch(health.at):
            self._written = None
            data = json.dumps({"version": 1, **_to_document(health)}).encode("ascii")
            data += b" " * (-len(data) % BLOCK_BYTES)
            try:
                write_atomically(self._path, data)
            except StoreError:
                if not self._overwrite(data):
                    raise
            self._touch(health.at)
            self._written = health

    def _touch(self, at: datetime) -> bool:
        stamp = int(at.timestamp() * 1e9)
        try:
            os.utime(self._path, ns=(stamp, stamp))
        except OSError:
            return False
        return True

    def _overwrite(self, data: bytes) -> bool:
        """Overwrite the old content in place, which needs no space; only if it has the same length."""
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


def read_last_health(folder: Path) -> WatcherHealth | None:
    """Return the health at the end of the last cycle; None if none has ever run, or the file is not ours."""
    return read_state_file(folder / HEALTH_FILE_NAME, _from_document)


def _to_document(health: WatcherHealth) -> dict[str, object]:
    return {
        "at": health.at.isoformat(),
        "started": health.started_at.isoformat(),
        "pid": health.pid,
        "host": health.host,
        "every": health.interval_seconds,
        "error": health.error,
        "broken": list(health.disabled_receivers),
        "receivers": dict(health.disabled_receivers),
        "stopped": health.stopped,
        "once": health.one_shot,
        "clock_offset": health.clock_offset_seconds,
    }


def _from_document(document: dict[str, object], stamp: float) -> WatcherHealth:
    error, disabled, offset = document["error"], document["broken"], document.get("clock_offset")
    clauses = document.get("receivers", {})
    if not isinstance(disabled, list) or not isinstance(clauses, dict):
        raise TypeError
    return WatcherHealth(
        at=max(datetime.fromtimestamp(stamp, UTC), aware_datetime(document["at"])),
        started_at=aware_datetime(document["started"]),
        pid=int(str(document["pid"])),
        host=str(document["host"]),
        interval_seconds=float(str(document["every"])),
        error=None if error is None else str(error),
        disabled_receivers={str(name): str(clauses.get(name, "")) for name in disabled},
        stopped=document["stopped"] is True,
        clock_offset_seconds=None if offset is None else float(str(offset)),
        one_shot=document.get("once") is True,
    )


@dataclass(frozen=True, slots=True)
class DaemonIdentity:
    """The state folder and the process of one daemon."""

    folder: Path
    holder: LockHolder
    one_shot: bool = False
    accept_clock_command: str = "modeltop watch --accept-clock"
    """The command line, with the watcher's own paths, by which a person trusts the machine's clock."""


class HealthReporter:
    """The current errors of the daemon by subject, published in its log and in the health file."""

    def __init__(self, identity: DaemonIdentity, log: DaemonLog, now: datetime) -> None:
        self._identity, self._log = identity, log
        self._file = HealthFile(identity.folder)
        self._errors: dict[str, str | None] = {}
        self.started = self.completed = now

    def has_error(self, subject: str) -> bool:
        """Return whether a subject has an error now."""
        return self._errors.get(subject) is not None

    @property
    def error(self) -> str | None:
        """All current errors, sanitized; None if there are none."""
        return "; ".join(sanitize(error, ERROR_WIDTH) for error in self._errors.values() if error) or None

    def set_error(self, subject: str, error: str | None) -> None:
        """Set the error of one subject, None if it has none any more; a change is logged."""
        if error == self._errors.get(subject):
            return
        self._errors[subject] = error
        if error is None:
            self._log.info(subject, f"{subject}: recovered")
        else:
            self._log.error(subject, error)

    def publish(
        self,
        every: float,
        disabled: Mapping[str, str],
        *,
        stopped: bool = False,
        clock_offset: timedelta | None = None,
    ) -> None:
        """Write the health file.

        Args:
            every: Seconds between two cycles at most.
            disabled: By name of a disabled receiver a clause about it.
            stopped: True if the daemon was asked to end.
            clock_offset: By how much the machine's clock is off; None if it is reliable.
        """
        health = WatcherHealth(
            at=self.completed,
            started_at=self.started,
            pid=self._identity.holder.pid,
            host=self._identity.holder.host,
            interval_seconds=every,
            error=self.error,
            disabled_receivers=disabled,
            stopped=stopped,
            clock_offset_seconds=None if clock_offset is None else clock_offset.total_seconds(),
            one_shot=self._identity.one_shot,
        )
        problem = None
        try:
            self._file.write(health)
        except StoreError as error:
            problem = str(error)
        self.set_error("health file", problem)


ALIVE, DEGRADED, NOT_RUNNING = 0, 1, 3


def print_status(
    folder: Path, now: datetime, write_line: Callable[[str], None], *, as_json: bool, test_command: str
) -> int:
    """Print the health of the daemon of a state folder, as text or as one JSON object.

    Args:
        folder: The state folder.
        now: Aware.
        write_line: Writes one line.
        as_json: Whether to write JSON.
        test_command: The command line to which the name of a receiver is added to test it.

    Returns:
        The exit code: 0 alive, 1 alive with errors or a disabled receiver, 3 not running or overdue.
    """
    health, is_leading = read_last_health(folder), has_leader(folder)
    code, word = _status_of(health, now, has_leader_now=is_leading)
    shared = list(overlaps(folder)) if is_leading else []
    if as_json:
        details = {} if health is None else _to_document(health)
        write_line(json.dumps({"status": word, "leading": is_leading, "overlaps": shared, **details}))
        return code
    if health is None:
        write_line(f"watcher {word}" + ("" if is_leading else ": start it by `modeltop watch`"))
    else:
        write_line(f"watcher {word}: {_describe(health, now)}")
        if health.error:
            write_line(f"  error: {sanitize(health.error, 4 * ERROR_WIDTH)}")
        for name, clause in health.disabled_receivers.items():
            write_line(f"  receiver {sanitize(name, 60)} fails: {sanitize(clause, 400)}")
            write_line(f"    to try it now: {test_command} {sanitize(shlex.quote(name), 60)}")
    for overlap in shared:
        write_line(f"  {overlap}")
    return code


def _status_of(health: WatcherHealth | None, now: datetime, *, has_leader_now: bool) -> tuple[int, str]:
    if health is None:
        return (DEGRADED, "starting") if has_leader_now else (NOT_RUNNING, "not running (never started)")
    if health.stopped and not has_leader_now:
        return NOT_RUNNING, "stopped"
    if not has_leader_now and not health.one_shot:
        return NOT_RUNNING, "ended unexpectedly"
    if health.is_overdue(now):
        return NOT_RUNNING, "late"
    if health.error or health.disabled_receivers:
        return DEGRADED, "degraded"
    return ALIVE, "alive"


def _describe(health: WatcherHealth, now: datetime) -> str:
    now -= timedelta(seconds=health.clock_offset_seconds or 0.0)
    process = "runs from cron" if health.one_shot else f"process {health.pid} on {sanitize(health.host, 60)}"
    since = f", since {format_age(now - health.started_at)}" if not health.one_shot else ""
    return f"{process}{since}, last cycle {format_age(now - health.at)} ago"


PING_TIMEOUT = 5.0
"""Time limit of one ping in seconds."""


class Heartbeat:
    """Pings of a dead man's switch, in a thread; one requested while another runs is skipped."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self.error: str | None = None

    def ping(self, url: SecretSource | None) -> None:
        """Request the address without waiting for the answer."""
        if url is None:
            self.error = None
        if url is None or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._run, args=(url,), name="modeltop heartbeat", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until the ping has ended, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, url: SecretSource) -> None:
        error = _ping_error(url)
        self.error = None if error is None else f"the heartbeat failed: {error}"


def _ping_error(url: SecretSource) -> str | None:
    try:
        # Imported here: importing TLS is slower than all of the rest, and most have no heartbeat.
        from modeltop.alerting.notifiers.http import HttpClient

        client = HttpClient(url.read(), timeout=PING_TIMEOUT)
        response = client.request("GET", None, {})
    except NotifyError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  its text may quote the address, which is a secret
        return f"an internal error, {type(error).__name__}"
    return None if 200 <= response.status < 300 else str(client.response_error(response))
