"""What a configuration makes of the watcher; read anew at SIGHUP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from modeltop.config.load import Config
from modeltop.rules.snapshot import Snapshot


class Observer(Protocol):
    """What the watcher asks; `modeltop.service.pipeline.Observer` is one."""

    def changed(self) -> bool:
        """Whether a new look could show anything else."""

    def observe(self, clock: datetime) -> Snapshot:
        """A look at everything."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Whom to look at, and whom to tell."""

    config: Config
    observer: Observer
    store: Path | None = None
    """Where configured logs are computed to; None where plain paths are watched."""

    @property
    def every(self) -> float:
        """Seconds between two cycles at most."""
        return self.config.watch.every.total_seconds()


Load = Callable[[], Setup]
"""Reads the configuration. Raises MonitorError: it is not used, neither in part."""
