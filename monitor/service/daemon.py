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
        rounds: What a leader does.
        leader: The lock.
        post: Where it stands.
        log: What it says of itself.
    """

    def __init__(self, rounds: Cycle, leader: LeaderLock, post: DaemonIdentity, log: DaemonLog) -> None:
        self._rounds, self._leader, self._post, self._log = rounds, leader, post, log
        self._at_once()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises StoreError where the lock cannot be written."""
        with handle_signals(self._rounds.wakeup) as wishes, self._leader:
            known: str | None = None
            while not wishes.stop:
                if self._leader.acquire():
                    self._lead(wishes)
                    known = None
                    continue
                who = str(read_holder(self._post.folder) or "another process")
                if who != known:
                    self._log.info("standby", f"{who} leads; stands by until it ends")
                known = who
                self._rounds.wakeup.wait(POLL_SECONDS)

    def _lead(self, wishes: SignalFlags) -> None:
        self._rounds.start()
        self._at_once()
        while not wishes.stop and self._leader.is_held():
            if wishes.reload:
                wishes.reload = False
                self._rounds.reload()
                self._at_once()
            self._rounds.compute()
            if self._due():
                self._look()
            elif not self._rounds.seconds_until_due():
                self._rounds.send_due()
            self._rounds.wakeup.wait(min(POLL_SECONDS, self._rounds.seconds_until_due()))
        if not wishes.stop:
            self._log.error("lost", "the lock file was removed or replaced: another may lead now")
        self._rounds.stop()

    def _at_once(self) -> None:
        self._looked, self._wait = float("-inf"), 0.0

    def _look(self) -> None:
        began = time.monotonic()
        done = self._rounds.run()
        self._looked = time.monotonic()
        self._wait = COST_FACTOR * (self._looked - began) if done else AFTER_FAILURE

    def _due(self) -> bool:
        """Whether to look: at once when something changed, else when it is time, but not again and again."""
        passed = time.monotonic() - self._looked
        if passed < min(self._wait, self._rounds.settings.every):
            return False
        return passed >= self._rounds.settings.every or self._rounds.needs_run()


DEADLINE = 45.0
"""Seconds for the messages of one run; what is not sent by then is for the next."""
RETRY_SECONDS = 1.0
"""Seconds between two looks at a source that cannot be read."""
MAX_RUNS = 3
"""Looks at most: a source that cannot be read three times in a row is an alert."""


def run_once(rounds: Cycle, leader: LeaderLock, post: DaemonIdentity, says: DaemonLog) -> int:
    """Look and tell; retries are left for the next run.

    Returns:
        0 where all went well, or another leads and is alive; 1 where something could not be read, saved or sent.

    Raises:
        StoreError: The lock cannot be written.
    """
    with leader:
        if not leader.acquire():
            says.info("standby", f"{read_holder(post.folder) or 'another process'} leads; nothing is left to do")
            health = read_last_health(post.folder)
            return 1 if health is not None and health.is_overdue(datetime.now(UTC)) else 0
        rounds.compute(wait=True)
        deadline = time.monotonic() + DEADLINE
        rounds.start()
        for _ in range(MAX_RUNS):
            rounds.run()
            if rounds.last_result is None or not rounds.last_result.has_unconfirmed_errors:
                break
            time.sleep(RETRY_SECONDS)
        while rounds.dispatcher.is_sending() and (left := deadline - time.monotonic()) > 0:
            rounds.wakeup.wait(left)
            rounds.send_due()
        rounds.stop(seconds=max(0.0, deadline - time.monotonic()))
        return 1 if rounds.has_problems else 0
