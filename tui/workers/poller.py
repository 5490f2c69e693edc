"""The thread that polls the data, so that the screen never waits for a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.service.pipeline import Pipeline

POLL_SECONDS = 1.0
"""Seconds between two checks for changes, which cost one `os.stat` a file."""
REFRESH_SECONDS = 60.0
"""Seconds after which unchanged files are evaluated again: a model falls silent by the clock alone."""
PROGRESS_SECONDS = 0.25
COST_FACTOR = 100
"""Times its own duration that an expensive run waits for the next: 1 % of a core."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """A snapshot, the error that prevented it, or progress towards it."""

    snapshot: Snapshot | None = None
    error: Exception | None = None
    progress: tuple[int, int] | None = None
    """Files read and files in all, during a run."""


class Poller:
    """Runs the pipeline at once, then whenever a file has changed, at most once a second.

    The thread is a daemon: leaving the app never waits for a slow disk.

    Args:
        pipeline: Run in the thread alone.
        clock: Returns the present, time zone aware.
    """

    def __init__(self, pipeline: Pipeline, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.pipeline = pipeline
        self._clock = clock
        self._subscriber: Callable[[PollResult], None] | None = None
        self._lock = threading.Lock()
        self._first_done = threading.Event()
        self._wake = threading.Event()
        self._stopped = False
        self._is_stale = False
        self._last_run = 0.0
        self._duration = 0.0
        self._last_progress = -PROGRESS_SECONDS
        self.last_result = PollResult()
        self.paused = False
        self._thread = threading.Thread(target=self._loop, name="modeltop poller", daemon=True)

    def start(self) -> None:
        """Start to poll; the newest result is kept for a later subscriber."""
        if not self._thread.is_alive():
            self._thread.start()

    def wait_for_first(self, seconds: float) -> PollResult:
        """Return the result of the first run; after `seconds` the newest progress report."""
        self._first_done.wait(seconds)
        return self.last_result

    def subscribe(self, on_result: Callable[[PollResult], None]) -> None:
        """Call back, in the poller's thread, with each result from now on; at once with the newest, if there is one."""
        with self._lock:
            self._subscriber = on_result
            if self.last_result != PollResult():
                on_result(self.last_result)

    def poll_now(self, *, anew: bool = False) -> None:
        """Run the pipeline now, whether or not anything changed, and even while paused; `anew`: read every file."""
        self._is_stale |= anew
        self._last_run = 0.0
        self._wake.set()

    def stop(self) -> None:
        """Stop polling, without waiting for an unfinished run."""
        self._stopped = True
        self._subscriber = None
        self._wake.set()

    def _loop(self) -> None:
        self._run()
        while not self._stopped:
            requested = self._wake.wait(POLL_SECONDS)
            if requested:
                self._wake.clear()  # not after a timeout: a request may have come in since
            if not self._stopped and (requested or (not self.paused and self._is_due())):
                self._run()

    def _is_due(self) -> bool:
        if time.monotonic() - self._last_run > max(REFRESH_SECONDS, COST_FACTOR * self._duration):
            return True
        try:
            return self.pipeline.needs_run()
        except OSError:
            return True  # the run itself will report the error

    def _run(self) -> None:
        started = time.monotonic()
        if self._is_stale:
            self._is_stale = False
            self.pipeline.mark_stale()
        try:
            result = PollResult(snapshot=self.pipeline.run(self._clock(), self._on_progress))
        except Exception as error:  # noqa: BLE001  the app decides: it shows the error beside the data it has, or ends
            result = PollResult(error=error)
        self._last_run = time.monotonic()
        self._duration = self._last_run - started
        self._publish(result)
        self._first_done.set()

    def _on_progress(self, done: int, files: int) -> None:
        now = time.monotonic()
        if self.last_result.snapshot is None and now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            self._publish(PollResult(progress=(done, files)))

    def _publish(self, result: PollResult) -> None:
        with self._lock:
            self.last_result = result
            if self._subscriber is not None:
                self._subscriber(result)
