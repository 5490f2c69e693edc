"""The service: one leads and makes its rounds, the others stand by and take over."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from modeltop.service.cycle import Cycle
from modeltop.service.health import DaemonIdentity, read_last_health
from modeltop.service.leader import LeaderLock, read_holder
from modeltop.service.log import DaemonLog
from modeltop.service.wakeup import SignalFlags, handle_signals

POLL_SECONDS = 1.0
"""Seconds between two questions whether anything changed, or whether the leader has gone."""
COST_FACTOR = 20
"""A look that costs much is repeated after this many times its cost at the earliest: 5 % of a core."""
AFTER_FAILURE = 10.0
"""Seconds after a look that failed."""


class Daemon:
    """Leads, or stands by until it can; ends when it is asked to.

    Args:
        cycle: What a leader does.
        leader: The lock.
        identity: Where it stands.
        log: What it says of itself.
    """

    def __init__(self, cycle: Cycle, leader: LeaderLock, identity: DaemonIdentity, log: DaemonLog) -> None:
        self._cycle, self._leader, self._identity, self._log = cycle, leader, identity, log
        self._run_now()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises StoreError where the lock cannot be written."""
        with handle_signals(self._cycle.wakeup) as wishes, self._leader:
            known: str | None = None
            while not wishes.stop:
                if self._leader.acquire():
                    self._lead(wishes)
                    known = None
                    continue
                who = str(read_holder(self._identity.folder) or "another process")
                if who != known:
                    self._log.info("standby", f"{who} leads; stands by until it ends")
                known = who
                self._cycle.wakeup.wait(POLL_SECONDS)

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
                self._run_cycle()
            elif not self._cycle.seconds_until_due():
                self._cycle.send_due()
            self._cycle.wakeup.wait(min(POLL_SECONDS, self._cycle.seconds_until_due()))
        if not flags.stop:
            self._log.error("lost", "the lock file was removed or replaced: another may lead now")
        self._cycle.stop()

    def _run_now(self) -> None:
        self._last_run, self._min_wait = float("-inf"), 0.0

    def _run_cycle(self) -> None:
        started = time.monotonic()
        succeeded = self._cycle.run()
        self._last_run = time.monotonic()
        self._min_wait = COST_FACTOR * (self._last_run - started) if succeeded else AFTER_FAILURE

    def _is_due(self) -> bool:
        """Whether to look: at once when something changed, else when it is time, but not again and again."""
        elapsed = time.monotonic() - self._last_run
        if elapsed < min(self._min_wait, self._cycle.settings.every):
            return False
        return elapsed >= self._cycle.settings.every or self._cycle.needs_run()


DEADLINE = 45.0
"""Seconds for the messages of one run; what is not sent by then is for the next."""
RETRY_SECONDS = 1.0
"""Seconds between two looks at a source that cannot be read."""
MAX_RUNS = 3
"""Looks at most: a source that cannot be read three times in a row is an alert."""


def run_once(cycle: Cycle, leader: LeaderLock, identity: DaemonIdentity, log: DaemonLog) -> int:
    """Look and tell; retries are left for the next run.

    Returns:
        0 where all went well, or another leads and is alive; 1 where something could not be read, saved or sent.

    Raises:
        StoreError: The lock cannot be written.
    """
    with leader:
        if not leader.acquire():
            log.info("standby", f"{read_holder(identity.folder) or 'another process'} leads; nothing is left to do")
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
