"""`[watch]`: how the watcher goes about it."""

from __future__ import annotations

from pathlib import Path

from monitor.routing import WatchSettings
from monitor.settings.table import Table


def parse_watch(table: Table, base: Path) -> WatchSettings:
    """What is configured of the watcher; what is not, holds by default.

    Args:
        table: `[watch]`.
        base: The folder from which relative paths count.
    """
    usual = WatchSettings()
    heartbeat = None
    if table.data:
        from monitor.settings.receivers import parse_secret  # most files say nothing of the watcher

        heartbeat = parse_secret(table, "heartbeat", base)
    return WatchSettings(
        every=table.duration("every") or usual.every,
        no_data_wait=table.duration("no_data_wait") or usual.no_data_wait,
        ack_for=table.duration("ack_for") or usual.ack_for,
        heartbeat=heartbeat,
        log=table.choice("log", ("text", "json"), usual.log),
    )
