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
        set_error: Takes what is wrong with a log, or None once it is well again.
    """

    def __init__(self, store: Path, log: DaemonLog, set_error: Callable[[str, str | None], None]) -> None:
        self._store, self._log, self._set_error = store, log, set_error
        self._config: Config | None = None
        self._scheduler: Scheduler | None = None

    def tick(self, config: Config, now: datetime) -> None:
        """Start what is due and take in what has ended; the history that changed is found by the next look."""
        scheduler = self._scheduler_for(config)
        if scheduler is not None:
            self._report(scheduler.tick(now))

    def run_due(self, config: Config, now: datetime) -> None:
        """Compute whatever is due, one after the other, before the one look of a run from cron."""
        scheduler = self._scheduler_for(config)
        for _ in scheduler.due(now) if scheduler is not None else ():
            assert scheduler is not None
            self._report(scheduler.tick(now))
            self._report(scheduler.wait(now, patience=ONCE_TIMEOUT))

    def stop(self) -> None:
        """Leave nothing running."""
        if self._scheduler is not None:
            self._scheduler.close()

    def _scheduler_for(self, config: Config) -> Scheduler | None:
        if config is self._config or (self._scheduler is not None and self._scheduler.is_busy):
            return self._scheduler
        self._config, self._scheduler = config, None
        if any(one.every is not None for one in config.logs.values()):
            from modeltop.predictions.scheduler import Scheduler  # most watchers compute nothing

            self._scheduler = Scheduler(config.logs, store=self._store, config=config.path)
        return self._scheduler

    def _report(self, result: JobResult | None) -> None:
        if result is None:
            return
        subject = f"log {sanitize(result.name, 40)}"
        self._set_error(subject, None if result.exit_code == 0 else f"{subject} was not computed: {result.message}")
        if result.exit_code == 0:
            self._log.info("computed", f"{subject}: {result.message}", seconds=result.duration.total_seconds())
