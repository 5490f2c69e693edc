"""What the commands of people share: the journal of what is looked at, lengths of time, and which alert is meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from modeltop.core.errors import StoreError, UsageError
from modeltop.core.text import safe

if TYPE_CHECKING:
    from modeltop.alerting.event_log.event_log import Journal
    from modeltop.core.incident import Facts
    from modeltop.core.series import Episode
    from modeltop.rules.snapshot import Snapshot
    from modeltop.service.pipeline import Observer

LISTED = 20


def span(text: str) -> timedelta:
    """A length of time on the command line, such as `30m`, `24h`, `7d`."""
    from modeltop.config.table import Table

    table = Table("", {"for": text})
    found = table.duration("for")
    if found is None:
        raise argparse.ArgumentTypeError(f"{safe(text, 40)!r} is no length of time: write a number and s, m, h, d or w")
    return found


def journal_of(observer: Observer) -> Journal:
    """Where what people do about the same data is kept. Raises StoreError where there is no place for it."""
    if observer.memory.journal is None:
        raise StoreError(f"nothing can be kept: {observer.memory.trouble}")
    return observer.memory.journal


def the_one(target: str, snapshot: Snapshot, facts: Facts) -> Episode:
    """The standing alert that is meant.

    Raises:
        UsageError: There is none, or there are several, which are listed.
    """
    from modeltop.alerting.actions import named

    found = named(target, snapshot.episodes, facts)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError("\n".join([f"{safe(target, 60)} may be any of these: say which", *listed(found, facts)]))
    models = {verdict.model for verdict in snapshot.verdicts}
    what = f"no alert of {safe(target, 60)} stands" if target in models else f"no alert is called {safe(target, 60)}"
    raise UsageError(f"{what}: `modeltop alerts` lists those that stand")


def listed(episodes: Iterable[Episode], facts: Facts) -> list[str]:
    """A line an alert, with the id by which it is taken; of very many the first."""
    from modeltop.alerting.actions import name_of
    from modeltop.report.phrases import alert_line

    lines = [f"{safe(name_of(episode, facts), 20)}  {alert_line(episode)}" for episode in episodes]
    return lines if len(lines) <= LISTED else [*lines[:LISTED], f"and {len(lines) - LISTED:,} more"]


def nearest(name: str, among: Iterable[str]) -> str:
    """A question after the name that was meant, to end a sentence; empty where none is near."""
    import difflib

    found = difflib.get_close_matches(name, list(among), n=1)
    return f": did you mean {safe(found[0], 60)}?" if found else ""
