"""What a configuration makes of the daemon; reloaded at SIGHUP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from modeltop.config.load import Config
from modeltop.rules.snapshot import Snapshot


class Pollable(Protocol):
    """The part of `service.pipeline.Pipeline` that the daemon and the screen poll."""

    def needs_run(self) -> bool:
        """Return whether a new snapshot could differ from the last."""

    def run(self, clock: datetime) -> Snapshot:
        """Take a snapshot at the true time `clock`."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """The configuration and the pipeline of one daemon."""

    config: Config
    pipeline: Pollable
    store: Path | None = None
    """Folder that configured logs are computed into; None where plain paths are watched."""

    @property
    def every(self) -> float:
        """Interval between two cycles in seconds, at most."""
        return self.config.watch.every.total_seconds()


LoadSettings = Callable[[], DaemonSettings]
"""Reads the configuration; raises MonitorError where it is invalid, and then no part of it is used."""
