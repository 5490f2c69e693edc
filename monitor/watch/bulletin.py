"""How the watcher is: said in its log where that is news, and in its health file where other processes look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.errors import StoreError
from monitor.facts import Health
from monitor.text import safe
from monitor.watch.health import Record, Report
from monitor.watch.leader import Holder
from monitor.watch.log import Lasting, Log


@dataclass(frozen=True, slots=True)
class Post:
    """Where a watcher stands."""

    folder: Path
    """The state folder."""
    me: Holder
    once: bool = False
    """From cron: it ends after one cycle."""


class Bulletin:
    """Collects what is wrong, and tells it.

    Args:
        post: Where the watcher stands.
        log: What it says of itself.
        now: When it began.
    """

    def __init__(self, post: Post, log: Log, now: datetime) -> None:
        self._post = post
        self._lasting = Lasting(log)
        self._record = Record(post.folder)
        self._errors: dict[str, str | None] = {}
        self.started = self.completed = now

    @property
    def error(self) -> str | None:
        """All that is wrong, made safe; None: all well."""
        return "; ".join(safe(why, 300) for why in self._errors.values() if why) or None

    def says(self, about: str, why: str | None) -> None:
        """Note how one thing stands: why it is wrong, or None where it is not."""
        self._errors[about] = why
        self._lasting.trouble(about, why, f"{about}: all well again")

    def publish(self, every: float, broken: Mapping[str, str], *, stopped: bool = False) -> None:
        """Write the health file.

        Args:
            every: Seconds between two cycles at most.
            broken: Receivers that do not work, and why.
            stopped: The watcher was asked to end.
        """
        health = Health(
            at=self.completed,
            started=self.started,
            pid=self._post.me.pid,
            host=self._post.me.host,
            every=every,
            error=self.error,
            broken=tuple(broken),
            stopped=stopped,
        )
        try:
            self._record.write(Report(health, once=self._post.once))
        except StoreError as error:
            self.says("health file", str(error))
        else:
            self.says("health file", None)
