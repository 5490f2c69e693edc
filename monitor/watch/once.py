"""One run from cron: a cycle, its messages, and an exit code."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from monitor.watch.bulletin import Post
from monitor.watch.health import read
from monitor.watch.leader import Leader, holder
from monitor.watch.log import Log
from monitor.watch.rounds import Rounds

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
