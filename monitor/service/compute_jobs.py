"""The watcher's prediction logs: computed when they are due, by processes of their own, and said when they fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.config.load import Config
from modeltop.core.text import sanitize
from modeltop.service.log import DaemonLog

if TYPE_CHECKING:
    from modeltop.predictions.scheduler import JobResult, Scheduler

ONCE_TIMEOUT = timedelta(minutes=30)
"""How long one log may take in a run from cron."""


class ComputeJobs:
    """Asked once a second; costs nothing where no log has a schedule.

    Args:
        store: Where to.
        log: Says what was computed.
        says: Takes what is wrong with a log, or None once it is well again.
    """

    def __init__(self, store: Path, log: DaemonLog, says: Callable[[str, str | None], None]) -> None:
        self._store, self._log, self._says = store, log, says
        self._config: Config | None = None
        self._schedule: Scheduler | None = None

    def tick(self, config: Config, now: datetime) -> None:
        """Start what is due and take in what has ended; the history that changed is found by the next look."""
        schedule = self._of(config)
        if schedule is not None:
            self._tell(schedule.tick(now))

    def run_due(self, config: Config, now: datetime) -> None:
        """Compute whatever is due, one after the other, before the one look of a run from cron."""
        schedule = self._of(config)
        for _ in schedule.due(now) if schedule is not None else ():
            assert schedule is not None
            self._tell(schedule.tick(now))
            self._tell(schedule.wait(now, patience=ONCE_TIMEOUT))

    def stop(self) -> None:
        """Leave nothing running."""
        if self._schedule is not None:
            self._schedule.close()

    def _of(self, config: Config) -> Scheduler | None:
        if config is self._config or (self._schedule is not None and self._schedule.is_busy):
            return self._schedule
        self._config, self._schedule = config, None
        if any(one.every is not None for one in config.logs.values()):
            from modeltop.predictions.scheduler import Scheduler  # most watchers compute nothing

            self._schedule = Scheduler(config.logs, store=self._store, config=config.path)
        return self._schedule

    def _tell(self, done: JobResult | None) -> None:
        if done is None:
            return
        about = f"log {sanitize(done.name, 40)}"
        self._says(about, None if done.exit_code == 0 else f"{about} was not computed: {done.message}")
        if done.exit_code == 0:
            self._log.info("computed", f"{about}: {done.message}", seconds=done.duration.total_seconds())
