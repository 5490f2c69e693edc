"""One thread that looks at the files, so that the screen never waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from modeltop.core.errors import MonitorError
from modeltop.history.merge import Progress
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.alerting.event_log.event_log import EventLog
    from modeltop.service.pipeline import StateReader

POLL_SECONDS = 1.0
"""Seconds between two questions whether anything changed: one `os.stat` a file."""
REFRESH_SECONDS = 60.0
"""Seconds after which unchanged files are judged anew: a model falls silent by the clock alone."""
PROGRESS_SECONDS = 0.25
"""Seconds between two reports of progress."""
ACK_DURATION = timedelta(hours=24)
COST_FACTOR = 100
"""A look that costs much is repeated after this many times its cost at the earliest: 1 % of a core."""


class SnapshotSource(Protocol):
    """What the feed asks; `modeltop.service.pipeline.Observer` is one."""

    def needs_run(self) -> bool:
        """Whether a new look could show anything else."""

    def run(self, clock: datetime, progress: Progress | None = None) -> Snapshot:
        """A look at everything."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What the last look gave."""

    snapshot: Snapshot | None = None
    error: Exception | None = None
    progress: tuple[int, int] | None = None
    """Files read and files in all, while it goes on."""


class Poller:
    """Looks at once, then whenever a file has changed, at most once a second.

    The thread is a daemon: leaving the app never waits for a slow disk.

    Args:
        observer: Asked in the thread alone.
        clock: The true time, aware.
    """

    def __init__(self, observer: SnapshotSource, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._observer = observer
        self._clock = clock
        self._tell: Callable[[PollResult], None] | None = None
        self._lock = threading.Lock()
        self._first = threading.Event()
        self._wake = threading.Event()
        self._stopped = False
        self._looked = 0.0
        self._cost = 0.0
        self._told = -PROGRESS_SECONDS
        self.last_result = PollResult()
        self.paused = False
        self._thread = threading.Thread(target=self._run, name="modeltop feed", daemon=True)

    @property
    def event_log(self) -> EventLog | None:
        """Where what people do is kept; None where there is no place for it."""
        memory: StateReader | None = getattr(self._observer, "state_reader", None)
        return memory.event_log if memory is not None else None

    @property
    def event_log_error(self) -> str:
        """Why there is no such place."""
        memory: StateReader | None = getattr(self._observer, "state_reader", None)
        return memory.error if memory is not None else "there is no folder for it"

    @property
    def ack_duration(self) -> timedelta:
        """How long an acknowledgement lasts, as configured."""
        lasting: timedelta = getattr(self._observer, "ack_duration", ACK_DURATION)
        return lasting

    def start(self) -> None:
        """Begin to look; what comes before anybody listens is kept."""
        if not self._thread.is_alive():
            self._thread.start()

    def wait_for_first(self, seconds: float) -> PollResult:
        """What the first look gave, waiting for it at most so long."""
        self._first.wait(seconds)
        return self.last_result

    def subscribe(self, tell: Callable[[PollResult], None]) -> None:
        """Hand over everything from now on, in the feed's thread; the last news at once if there is some."""
        with self._lock:
            self._tell = tell
            if self.last_result != PollResult():
                tell(self.last_result)

    def poll_now(self) -> None:
        """Look now, changed or not, paused or not."""
        self._looked = 0.0
        self._wake.set()

    def stop(self) -> None:
        """Look no more. Does not wait for a look that goes on."""
        self._stopped = True
        self._tell = None
        self._wake.set()

    def _run(self) -> None:
        self._observe()
        while not self._stopped:
            asked = self._wake.wait(POLL_SECONDS)
            if asked:
                self._wake.clear()  # not where time ran out: somebody may have asked since
            if not self._stopped and (asked or (not self.paused and self._due())):
                self._observe()

    def _due(self) -> bool:
        if time.monotonic() - self._looked > max(REFRESH_SECONDS, COST_FACTOR * self._cost):
            return True
        try:
            return self._observer.needs_run()
        except OSError:
            return True  # the look itself will say what is wrong

    def _observe(self) -> None:
        began = time.monotonic()
        try:
            news = PollResult(snapshot=self._observer.run(self._clock(), self._progress))
        except MonitorError as error:
            news = PollResult(error=error)
        except Exception as error:  # noqa: BLE001  the app decides: it shows the error beside the data it has, or ends
            news = PollResult(error=error)
        self._looked = time.monotonic()
        self._cost = self._looked - began
        self._hand(news)
        self._first.set()

    def _progress(self, done: int, files: int) -> None:
        moment = time.monotonic()
        if self.last_result.snapshot is None and moment - self._told >= PROGRESS_SECONDS:
            self._told = moment
            self._hand(PollResult(progress=(done, files)))

    def _hand(self, news: PollResult) -> None:
        with self._lock:
            self.last_result = news
            if self._tell is not None:
                self._tell(news)
