"""What the commands of people share: the journal of what is looked at, lengths of time, and which alert is meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from modeltop.core.errors import StoreError, UsageError
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from modeltop.alerting.event_log.event_log import EventLog
    from modeltop.core.incident import AlertingState
    from modeltop.core.series import Alert
    from modeltop.rules.snapshot import Snapshot
    from modeltop.service.pipeline import Pipeline

MAX_LISTED = 20


def parse_duration(text: str) -> timedelta:
    """A length of time on the command line, such as `30m`, `24h`, `7d`."""
    from modeltop.config.table import TableReader

    table = TableReader("", {"for": text})
    found = table.duration("for")
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{sanitize(text, 40)!r} is no length of time: write a number and s, m, h, d or w"
        )
    return found


def event_log_for(observer: Pipeline) -> EventLog:
    """Where what people do about the same data is kept. Raises StoreError where there is no place for it."""
    if observer.state_reader.event_log is None:
        raise StoreError(f"nothing can be kept: {observer.state_reader.error}")
    return observer.state_reader.event_log


def resolve_one(target: str, snapshot: Snapshot, facts: AlertingState) -> Alert:
    """The standing alert that is meant.

    Raises:
        UsageError: There is none, or there are several, which are listed.
    """
    from modeltop.alerting.actions import resolve_target

    found = resolve_target(target, snapshot.alerts, facts)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            "\n".join([f"{sanitize(target, 60)} may be any of these: say which", *list_alerts(found, facts)])
        )
    models = {verdict.model for verdict in snapshot.model_statuses}
    what = (
        f"no alert of {sanitize(target, 60)} stands"
        if target in models
        else f"no alert is called {sanitize(target, 60)}"
    )
    raise UsageError(f"{what}: `modeltop alerts` lists those that stand")


def list_alerts(episodes: Iterable[Alert], facts: AlertingState) -> list[str]:
    """A line an alert, with the id by which it is taken; of very many the first."""
    from modeltop.alerting.actions import incident_id
    from modeltop.report.phrases import alert_line

    lines = [f"{sanitize(incident_id(episode, facts), 20)}  {alert_line(episode)}" for episode in episodes]
    return lines if len(lines) <= MAX_LISTED else [*lines[:MAX_LISTED], f"and {len(lines) - MAX_LISTED:,} more"]


def did_you_mean(name: str, among: Iterable[str]) -> str:
    """A question after the name that was meant, to end a sentence; empty where none is near."""
    import difflib

    found = difflib.get_close_matches(name, list(among), n=1)
    return f": did you mean {sanitize(found[0], 60)}?" if found else ""
