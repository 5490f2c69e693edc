"""The service: one leads and makes its rounds, the others stand by and take over."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from modeltop.service.cycle import Rounds
from modeltop.service.health import Post, read
from modeltop.service.leader import Leader, holder
from modeltop.service.log import Log
from modeltop.service.wakeup import Wishes, listening

LOOK = 1.0
"""Seconds between two questions whether anything changed, or whether the leader has gone."""
SHARE = 20
"""A look that costs much is repeated after this many times its cost at the earliest: 5 % of a core."""
AFTER_FAILURE = 10.0
"""Seconds after a look that failed."""


class Watcher:
    """Leads, or stands by until it can; ends when it is asked to.

    Args:
        rounds: What a leader does.
        leader: The lock.
        post: Where it stands.
        log: What it says of itself.
    """

    def __init__(self, rounds: Rounds, leader: Leader, post: Post, log: Log) -> None:
        self._rounds, self._leader, self._post, self._log = rounds, leader, post, log
        self._at_once()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises StoreError where the lock cannot be written."""
        with listening(self._rounds.bell) as wishes, self._leader:
            known: str | None = None
            while not wishes.stop:
                if self._leader.take():
                    self._lead(wishes)
                    known = None
                    continue
                who = str(holder(self._post.folder) or "another process")
                if who != known:
                    self._log.info("standby", f"{who} leads; stands by until it ends")
                known = who
                self._rounds.bell.wait(LOOK)

    def _lead(self, wishes: Wishes) -> None:
        self._rounds.begin()
        self._at_once()
        while not wishes.stop and self._leader.leads():
            if wishes.reload:
                wishes.reload = False
                self._rounds.reload()
                self._at_once()
            self._rounds.compute()
            if self._due():
                self._look()
            elif not self._rounds.wait():
                self._rounds.deliver()
            self._rounds.bell.wait(min(LOOK, self._rounds.wait()))
        if not wishes.stop:
            self._log.error("lost", "the lock file was removed or replaced: another may lead now")
        self._rounds.end()

    def _at_once(self) -> None:
        self._looked, self._wait = float("-inf"), 0.0

    def _look(self) -> None:
        began = time.monotonic()
        done = self._rounds.cycle()
        self._looked = time.monotonic()
        self._wait = SHARE * (self._looked - began) if done else AFTER_FAILURE

    def _due(self) -> bool:
        """Whether to look: at once when something changed, else when it is time, but not again and again."""
        passed = time.monotonic() - self._looked
        if passed < min(self._wait, self._rounds.setup.every):
            return False
        return passed >= self._rounds.setup.every or self._rounds.changed()


DEADLINE = 45.0
"""Seconds for the messages of one run; what is not sent by then is for the next."""
BETWEEN = 1.0
"""Seconds between two looks at a source that cannot be read."""
LOOKS = 3
"""Looks at most: a source that cannot be read three times in a row is an alert."""


def once(rounds: Rounds, leader: Leader, post: Post, says: Log) -> int:
    """Look and tell; retries are left for the next run.

    Returns:
        0 where all went well, or another leads and is alive; 1 where something could not be read, saved or sent.

    Raises:
        StoreError: The lock cannot be written.
    """
    with leader:
        if not leader.take():
            says.info("standby", f"{holder(post.folder) or 'another process'} leads; nothing is left to do")
            health = read(post.folder)
            return 1 if health is not None and health.late(datetime.now(UTC)) else 0
        rounds.compute(wait=True)
        deadline = time.monotonic() + DEADLINE
        rounds.begin()
        for _ in range(LOOKS):
            rounds.cycle()
            if rounds.last is None or not rounds.last.doubts:
                break
            time.sleep(BETWEEN)
        while rounds.dispatch.busy() and (left := deadline - time.monotonic()) > 0:
            rounds.bell.wait(left)
            rounds.deliver()
        rounds.end(seconds=max(0.0, deadline - time.monotonic()))
        return 1 if rounds.troubled else 0
