"""What a configuration makes of the watcher; read anew at SIGHUP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from modeltop.config.load import Config
from modeltop.rules.snapshot import Snapshot


class Pollable(Protocol):
    """What the watcher asks; `modeltop.service.pipeline.Observer` is one."""

    def needs_run(self) -> bool:
        """Whether a new look could show anything else."""

    def run(self, clock: datetime) -> Snapshot:
        """A look at everything."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """Whom to look at, and whom to tell."""

    config: Config
    pipeline: Pollable
    store: Path | None = None
    """Where configured logs are computed to; None where plain paths are watched."""

    @property
    def every(self) -> float:
        """Seconds between two cycles at most."""
        return self.config.watch.every.total_seconds()


LoadSettings = Callable[[], DaemonSettings]
"""Reads the configuration. Raises MonitorError: it is not used, neither in part."""
