"""The service: one process leads and runs cycles, the others are on standby and replace it if it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modeltop.service.cycle import Cycle
from modeltop.service.health import DaemonIdentity, read_last_health
from modeltop.service.leader import LeaderLock, coverage_gap, read_holder
from modeltop.service.log import DaemonLog
from modeltop.service.wakeup import SignalFlags, handle_signals

POLL_SECONDS = 1.0
"""Seconds between two checks whether files changed, or whether the leader has gone."""
COST_FACTOR = 20
"""An evaluation is repeated after this many times its own duration at the earliest: 5 % of a core."""
AFTER_FAILURE = 10.0


class Daemon:
    """A process that leads, or waits on standby until it can, until a signal ends it."""

    def __init__(
        self,
        cycle: Cycle,
        leader: LeaderLock,
        identity: DaemonIdentity,
        log: DaemonLog,
        find_state: Callable[[], Path] | None = None,
    ) -> None:
        self._cycle, self._leader, self._identity, self._log = cycle, leader, identity, log
        self._find_state = find_state or (lambda: identity.folder)
        self._run_now()

    def run(self) -> bool:
        """Run until SIGTERM or SIGINT; return False if it must be started again, as the state is now elsewhere.

        Raises:
            StoreError: The lock cannot be written.
        """
        with handle_signals(self._cycle.wakeup) as flags, self._leader:
            logged: str | None = None
            while not flags.stop and self._is_state_current():
                if self._leader.acquire():
                    self._lead(flags)
                    logged = None
                    continue
                leader = read_holder(self._identity.folder)
                name = str(leader or "another process")
                if name != logged:
                    self._log.info("standby", f"{name} leads; standing by until it ends")
                    if gap := coverage_gap(leader, self._identity.holder):
                        self._log.error("overlap", gap)
                logged = name
                self._cycle.wakeup.wait(POLL_SECONDS)
            return flags.stop

    def _is_state_current(self) -> bool:
        """Return whether the state is where it was: not if another watcher has begun one in the store that is read."""
        return self._find_state() == self._identity.folder

    def _lead(self, flags: SignalFlags) -> None:
        self._cycle.start()
        self._run_now()
        while not flags.stop and self._leader.is_held():
            if flags.reload:
                flags.reload = False
                self._cycle.reload()
                self._run_now()
            self._cycle.compute()
            if self._is_due():
                if not self._is_state_current():
                    break
                self._run_cycle()
            elif not self._cycle.seconds_until_due():
                self._cycle.send_due()
            self._cycle.wakeup.wait(min(POLL_SECONDS, self._cycle.seconds_until_due()))
        if not flags.stop and not self._leader.is_held():
            self._log.error("lost", "the lock file was removed or replaced: another may lead now")
        self._cycle.stop()

    def _run_now(self) -> None:
        self._last_run, self._min_wait = float("-inf"), 0.0

    def _run_cycle(self) -> None:
        started = time.monotonic()
        succeeded = self._cycle.run()
        self._last_run = time.monotonic()
        cost = self._last_run - started - self._cycle.seconds_waited
        self._min_wait = COST_FACTOR * cost if succeeded else AFTER_FAILURE

    def _is_due(self) -> bool:
        """Return whether to run a cycle: soon after a change, else when the interval has passed."""
        elapsed = time.monotonic() - self._last_run
        if elapsed < min(self._min_wait, self._cycle.settings.every):
            return False
        return elapsed >= self._cycle.settings.every or self._cycle.needs_run()


DEADLINE = 45.0
"""Seconds for the messages of one run; unsent ones are left to the next run."""
RETRY_SECONDS = 1.0
"""Seconds between two attempts to read a source."""
MAX_RUNS = 3
"""Attempts at most: a source that fails three times in a row is an alert."""


def run_once(cycle: Cycle, leader: LeaderLock, identity: DaemonIdentity, log: DaemonLog) -> int:
    """Run one cycle from cron and return the exit code; retries are left to the next run.

    The exit code is 0 on success, or if another process leads and is alive; 1 if any read, save or send failed.

    Raises:
        StoreError: The lock cannot be written.
    """
    with leader:
        if not leader.acquire():
            holder = read_holder(identity.folder)
            log.info(event="standby", message=f"{holder or 'another process'} leads; nothing is left to do")
            if gap := coverage_gap(holder, identity.holder):
                log.error(event="overlap", message=gap)
                return 1
            health = read_last_health(identity.folder)
            return 1 if health is not None and health.is_overdue(datetime.now(UTC)) else 0
        cycle.compute(wait=True)
        deadline = time.monotonic() + DEADLINE
        cycle.start()
        for _ in range(MAX_RUNS):
            cycle.run()
            if cycle.last_result is None or not cycle.last_result.has_unconfirmed_errors:
                break
            time.sleep(RETRY_SECONDS)
        while cycle.dispatcher.is_sending() and (remaining := deadline - time.monotonic()) > 0:
            cycle.wakeup.wait(remaining)
            cycle.send_due()
        cycle.stop(seconds=max(0.0, deadline - time.monotonic()))
        return 1 if cycle.has_problems else 0
