"""Configured logs, computed on their schedule by processes of their own, whose memory is freed when they end.

One log is computed at a time. When each was computed last is stored beside the lock of computing, so that neither a
restart nor a run from cron computes it before it is due.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from modeltop.core.errors import StoreError
from modeltop.core.text import sanitize
from modeltop.history.store.durable import write_atomically
from modeltop.history.store.generation import RUN_LOCK_FOLDER
from modeltop.history.store.lock import make_folder
from modeltop.history.store.paths import file_prefix
from modeltop.predictions.isolated_main import PROGRAM, isolated_environment
from modeltop.predictions.spec import LogSettings

GRACE_SECONDS = 5.0
"""Seconds between SIGTERM and SIGKILL."""
TAIL_BYTES = 4_000
"""Last bytes of the output of a process, in which its last line is."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """Outcome of computing one log."""

    name: str
    """Name of the table `[logs.NAME]`."""
    exit_code: int
    """0 on success."""
    message: str
    """Last line of its output, sanitized."""
    duration: timedelta


@dataclass(slots=True)
class _RunningJob:
    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    started_at: datetime


class Scheduler:
    """The schedule of configured logs, and the process that computes one; waits in `wait` and `close` only.

    Args:
        logs: Logs by name; those without `every` are left out.
        store: The folder that metrics are computed into.
        config: The file that configures them; None for the default one.
    """

    def __init__(self, logs: Mapping[str, LogSettings], *, store: Path, config: Path | None) -> None:
        self._every = {name: log.every for name, log in logs.items() if log.every is not None}
        self._store = store
        self._config = config
        self._running: _RunningJob | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a process is running, or has ended and is not reported yet."""
        return self._running is not None

    def tick(self, now: datetime) -> JobResult | None:
        """Start the log that is longest overdue, unless a process is running; return the result of one that has ended.

        Args:
            now: The current time, aware.
        """
        ended = self._collect_finished(now)
        if self._running is None and (due := self.due(now)):
            self._start(due[0], now)
        return ended

    def due(self, now: datetime) -> list[str]:
        """Return the names of the logs that are due, the longest overdue first."""
        due_times = {name: self._last_run(name) + every for name, every in self._every.items()}
        return sorted((name for name, at in due_times.items() if at <= now), key=lambda name: due_times[name])

    def last_errors(self) -> dict[str, str]:
        """Return the errors of logs whose last run failed, also in another process, by name."""
        errors = {}
        for name in self._every:
            with contextlib.suppress(OSError):
                errors[name] = sanitize(self._marker_path(name).read_text("utf-8", "replace"), 300)
        return {name: error for name, error in errors.items() if error}

    def wait(self, now: datetime, *, patience: timedelta) -> JobResult | None:
        """Wait for the process that is running; return its result.

        Args:
            now: The current time, aware.
            patience: Time after which the process is ended.
        """
        if self._running is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.process.wait(patience.total_seconds())
            if self._running.process.poll() is None:
                self._stop()
        return self._collect_finished(now)

    def close(self) -> None:
        """End the process that is running; nothing of it is stored."""
        if self._running is not None:
            self._stop()
            self._running.output.close()
            self._running = None

    def _start(self, name: str, now: datetime) -> None:
        command = [*PROGRAM, "compute", name, "--store", os.fspath(self._store)]
        if self._config is not None:
            command += ["--config", os.fspath(self._config)]
        output = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        # A session of its own: a signal that ends the watcher's terminal does not interrupt a run.
        process = subprocess.Popen(  # noqa: S603  our own program, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            env=isolated_environment(),
            start_new_session=True,
        )
        self._running = _RunningJob(name, process, output, now)

    def _collect_finished(self, now: datetime) -> JobResult | None:
        job = self._running
        if job is None or (code := job.process.poll()) is None:
            return None
        job.output.seek(max(0, job.output.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = job.output.read().decode("utf-8", "replace").splitlines()
        job.output.close()
        self._running = None
        message = sanitize(lines[-1].removeprefix("modeltop: "), 300) if lines else f"ended with {code}"
        # A log that fails is tried again when it is due again, not at once; until then its error is remembered.
        self._write_marker(job.name, job.started_at, message if code else "")
        return JobResult(job.name, code, message, now - job.started_at)

    def _stop(self) -> None:
        assert self._running is not None
        process = self._running.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _marker_path(self, name: str) -> Path:
        return self._store / RUN_LOCK_FOLDER / f"{file_prefix(name)}.last"

    def _last_run(self, name: str) -> datetime:
        try:
            return datetime.fromtimestamp(self._marker_path(name).stat().st_mtime, UTC)
        except OSError:
            return datetime.min.replace(tzinfo=UTC)

    def _write_marker(self, name: str, when: datetime, error: str) -> None:
        path, stamp = self._marker_path(name), when.timestamp()
        # No lock: who computes by hand holds it for a whole run.
        with contextlib.suppress(OSError, StoreError):
            make_folder(path.parent)
            write_atomically(path, error.encode())
            os.utime(path, (stamp, stamp))
