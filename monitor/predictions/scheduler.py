"""Configured logs, computed on their schedule by processes of their own: what an engine takes, it gives back.

One log is computed at a time. When each was computed last is kept beside the lock of computing, so that neither a
restart nor a run from cron computes it before it is due.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from modeltop.core.text import sanitize
from modeltop.history.store.computed import RUN_LOCK_FOLDER
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import file_prefix
from modeltop.predictions.isolated_main import PROGRAM, isolated_environment
from modeltop.predictions.spec import LogSettings

GRACE_SECONDS = 5.0
"""Seconds that a process has to end when it is asked to."""
TAIL_BYTES = 4_000
"""Bytes of what a process said that are looked at."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How the computing of one log ended."""

    name: str
    """Of the table `[logs.NAME]`."""
    exit_code: int
    """0 where all went well."""
    message: str
    """The last line that it said; safe."""
    duration: timedelta


@dataclass(slots=True)
class _RunningJob:
    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    started_at: datetime


class Scheduler:
    """Which logs are due, and the one that is being computed. Never waits but in `finish` and `close`.

    Args:
        logs: Those of the configuration; those without `every` are left out.
        store: Where to.
        config: The file that names them.
        program: What `compute` is asked of; default: this program.
    """

    def __init__(
        self, logs: Mapping[str, LogSettings], *, store: Path, config: Path | None, program: Sequence[str] | None = None
    ) -> None:
        self._every = {name: one.every for name, one in logs.items() if one.every is not None}
        self._store = store
        self._config = config
        self._program = PROGRAM if program is None else tuple(program)
        self._running: _RunningJob | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is being computed, or has ended and was not told yet."""
        return self._running is not None

    def tick(self, now: datetime) -> JobResult | None:
        """Start what is due, if nothing is being computed; tell what has ended since.

        Args:
            now: The clock, aware.
        """
        ended = self._collect_finished(now)
        if self._running is None and (due := self.due(now)):
            self._start(due[0], now)
        return ended

    def due(self, now: datetime) -> list[str]:
        """The logs whose time has come, the longest overdue first."""
        waits = {name: self._last_run(name) + every for name, every in self._every.items()}
        return sorted((name for name, at in waits.items() if at <= now), key=lambda name: waits[name])

    def wait(self, now: datetime, *, patience: timedelta) -> JobResult | None:
        """Wait for what is being computed, as a single run from cron does; after `patience` it is ended."""
        if self._running is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.process.wait(patience.total_seconds())
            if self._running.process.poll() is None:
                self._stop()
        return self._collect_finished(now)

    def close(self) -> None:
        """End what is being computed; nothing of it is kept."""
        if self._running is not None:
            self._stop()
            self._running.output.close()
            self._running = None

    def _start(self, name: str, now: datetime) -> None:
        words = [*self._program, "compute", name, "--store", os.fspath(self._store)]
        if self._config is not None:
            words += ["--config", os.fspath(self._config)]
        said = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        # A session of its own: what ends the watcher's terminal does not tear a run in two.
        process = subprocess.Popen(  # noqa: S603  our own program, no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=isolated_environment(),
            start_new_session=True,
        )
        self._running = _RunningJob(name, process, said, now)

    def _collect_finished(self, now: datetime) -> JobResult | None:
        one = self._running
        if one is None or (code := one.process.poll()) is None:
            return None
        one.output.seek(max(0, one.output.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = one.output.read().decode("utf-8", "replace").splitlines()
        one.output.close()
        self._running = None
        # A log that fails is tried again when it is due again, not at once.
        self._write_marker(one.name, one.started_at)
        message = sanitize(lines[-1].removeprefix("modeltop: "), 300) if lines else f"ended with {code}"
        return JobResult(one.name, code, message, now - one.started_at)

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

    def _write_marker(self, name: str, when: datetime) -> None:
        place, stamp = self._marker_path(name), when.timestamp()
        with contextlib.suppress(OSError):
            with locked(place.parent):
                place.touch()
            os.utime(place, (stamp, stamp))
