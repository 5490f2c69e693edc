"""How the watcher is, in a few words: whoever looks at the screen must know whether anybody else is told."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.snapshot import Snapshot
from monitor.text import age, safe

ROOM = 24
"""Cells from which there is room for a reason or a name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the header says."""

    text: str
    bad: bool
    """Whether people may not be told of alerts, or not remembered to have been."""


def watcher(snapshot: Snapshot, limit: int) -> Told | None:
    """What to say of the watcher in about `limit` cells; None where none has ever run.

    Judged for the moment of the look, not for the present: an idle screen looks once a minute only.
    """
    health = snapshot.health
    if health is None:
        return None
    if health.stopped:
        return Told("watch stopped", bad=True)
    if health.late(snapshot.clock):
        return Told(f"watch silent {age(snapshot.clock - health.at)}", bad=True)
    said = []
    if health.error:
        said.append(f"watch: {safe(health.error, limit - 7)}" if limit >= ROOM else "watch error")
    if health.broken:
        one = len(health.broken) == 1
        said.append(f"{safe(health.broken[0], max(limit - 7, 8)) if one else len(health.broken)} broken")
    if not said:
        return Told("watch ok", bad=False)
    return Told("; ".join(said) if limit >= ROOM else said[0], bad=True)
