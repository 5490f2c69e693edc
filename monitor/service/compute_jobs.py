"""The daemon's prediction logs: computed on schedule by processes of their own, and reported when they fail."""

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


class ComputeJobs:
    """The schedule of configured logs, whose metrics are computed into a store; costs nothing if none has one.

    `set_error` is called with a log and its error, or None once it has none.
    """

    def __init__(self, store: Path, log: DaemonLog, set_error: Callable[[str, str | None], None]) -> None:
        self._store, self._log, self._set_error = store, log, set_error
        self._config: Config | None = None
        self._scheduler: Scheduler | None = None

    def tick(self, config: Config, now: datetime) -> None:
        """Start due jobs and collect finished ones; the next evaluation sees the changed history."""
        scheduler = self._scheduler_for(config)
        if scheduler is not None:
            self._report(scheduler.tick(now))

    def run_due(self, config: Config, now: datetime) -> None:
        """Compute everything that is due, one log after the other, before the single evaluation of a run from cron."""
        scheduler = self._scheduler_for(config)
        for _ in scheduler.due(now) if scheduler is not None else ():
            assert scheduler is not None
            self._report(scheduler.tick(now))
            self._report(scheduler.wait(now, patience=ONCE_TIMEOUT))

    def stop(self) -> None:
        """End the process that is running, if any."""
        if self._scheduler is not None:
            self._scheduler.close()

    def _scheduler_for(self, config: Config) -> Scheduler | None:
        if config is self._config or (self._scheduler is not None and self._scheduler.is_busy):
            return self._scheduler
        self._config, self._scheduler = config, None
        if any(log.every is not None for log in config.logs.values()):
            from modeltop.predictions.scheduler import Scheduler  # most watchers compute nothing

            self._scheduler = Scheduler(config.logs, store=self._store, config=config.path)
            # A run from cron that finds nothing due must not hide that the last one failed.
            for name, error in self._scheduler.last_errors().items():
                self._set_log_error(name, error)
        return self._scheduler

    def _report(self, result: JobResult | None) -> None:
        if result is None:
            return
        self._set_log_error(result.name, result.message if result.exit_code else None)
        if result.exit_code == 0:
            subject = f"log {sanitize(result.name, 40)}"
            self._log.info("computed", f"{subject}: {result.message}", seconds=result.duration.total_seconds())

    def _set_log_error(self, name: str, error: str | None) -> None:
        subject = f"log {sanitize(name, 40)}"
        self._set_error(subject, error and f"{subject} was not computed: {error}")
