"""A day of a fleet, replayed at speed through the watcher: how many messages people would have got."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers.base import Receiver
from modeltop.alerting.routing import NotificationPolicy, Route
from modeltop.config.load import Config
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.service.clock import Clock
from modeltop.service.cycle import Cycle
from modeltop.service.health import DaemonIdentity
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings, Pipeline
from tests.benchmarks.base import Bench, Finding, row

MODELS = 200
PERIOD = timedelta(minutes=15)
DAY = datetime(2025, 3, 11, tzinfo=UTC)
BEFORE = 96
"""Periods of the day before, all well."""
PACES = {
    "as configured by default": NotificationPolicy(),
    "grouping off": NotificationPolicy(group=0, hourly=20),
    "cap off": NotificationPolicy(group=3, hourly=0),
    "grouping and cap off": NotificationPolicy(group=0, hourly=0),
    "one that groups by itself": NotificationPolicy(exempt=True),
}


@dataclass(frozen=True)
class Ear:
    """Counts what it is told."""

    got: list[Message] = field(default_factory=list, repr=False)
    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False

    def send(self, message: Message) -> None:
        """Take it."""
        self.got.append(message)


def planted(chance: np.random.Generator) -> np.ndarray:
    """Accuracy by period and model: noise, five lasting falls, an outage upstream, three that flap, forty blips."""
    values = 0.95 + chance.normal(0, 0.006, (BEFORE + 96, MODELS))
    today = values[BEFORE:]
    for number, (begin, periods, depth) in enumerate(
        [(8, 60, 0.07), (22, 12, 0.15), (37, 30, 0.09), (60, 36, 0.2), (71, 8, 0.12)]
    ):
        today[begin : begin + periods, number] -= depth
    today[56:62, 20:80] -= 0.12  # 14:00 to 15:30: what sixty models read from was late
    for model in (100, 101, 102):
        today[::4, model] -= 0.06
        today[1::4, model] -= 0.06
    today[chance.integers(0, 96, 40), chance.integers(110, 199, 40)] -= 0.1
    return np.clip(values, 0, 1)


@row("day")
def day(bench: Bench) -> Iterator[Finding]:
    """A day of 200 models replayed at speed: incidents, and messages with and without grouping."""
    began = time.monotonic()
    replay = _Replay(bench.folder("day"))
    replay.run()
    seconds = time.monotonic() - began
    incidents = replay.fired
    note = f"{MODELS} models, {replay.cycles:,} cycles, {seconds:.0f} s"
    yield Finding("a day of the fleet: incidents", len(incidents), note=note)
    for name, ear in replay.ears.items():
        parts = [part for message in ear.got for part in message.sections]
        kinds = Counter(part.reason.value for part in parts)
        told = ", ".join(f"{count} {reason}" for reason, count in kinds.most_common())
        digests = sum(message.is_digest for message in ear.got)
        yield Finding(f"a day of the fleet: messages, {name}", len(ear.got), note=f"{told}; {digests} digests")
        missing = incidents - {part.incident for part in parts}
        yield Finding(f"a day of the fleet: incidents untold, {name}", len(missing), 0)


class _Replay:
    """The watcher in this process, its clock moved a minute at a time."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        (self.store / "state").mkdir(parents=True)
        self._wall = DAY
        self._steady = 0.0
        self.cycles = 0
        self.fired: set[str] = set()
        self.ears = {name: Ear() for name in PACES}
        check = Threshold(warn=Limit(below=0.9), critical=Limit(below=0.85), margin=0.005)
        rule = Rule(name="floor", metric="accuracy", detector=check, confirm=(2, 2), recover=2)
        receivers = {name: Receiver(name, ear, PACES[name]) for name, ear in self.ears.items()}
        self._config = Config(rules=(rule,), receivers=receivers, routes=(Route("everything", tuple(receivers)),))
        self._values = planted(np.random.default_rng(20250311))

    def run(self) -> None:
        """From midnight to midnight."""
        self._write(range(BEFORE))
        rounds = self._rounds()
        for minute in range(24 * 60):
            self._wall = DAY + timedelta(minutes=minute)
            self._steady = 60.0 * minute
            if minute % 15 == 0:
                self._write([BEFORE + minute // 15])
            self._cycle(rounds)
        rounds.stop()

    def _rounds(self) -> Cycle:
        def load() -> DaemonSettings:
            return DaemonSettings(
                self._config, Pipeline(self._config, [self.store], live=True, failures_before_alert=3)
            )

        log = DaemonLog(Path(os.devnull).open("w", encoding="ascii"))  # noqa: SIM115  as long as the process
        post = DaemonIdentity(self.store / "state", LockHolder(os.getpid(), "replay"))
        rounds = Cycle(load, post, log, Clock(lambda: self._wall, lambda: self._steady))
        rounds.start()
        return rounds

    def _cycle(self, rounds: Cycle) -> None:
        rounds.run()
        self.cycles += 1
        if rounds.last_result is not None:
            self.fired |= {
                one.incident.id for one in rounds.last_result.incident_changes if one.transition.value == "fired"
            }
        while rounds.dispatcher.is_sending():
            rounds.wakeup.wait(1.0)
            rounds.send_due()

    def _write(self, periods: Iterator[int] | range | list[int]) -> None:
        lines = []
        for period in periods:
            start = DAY + PERIOD * (period - BEFORE)
            lines += [
                f"{start.isoformat()},m{model:03d},{value:.4f}\n" for model, value in enumerate(self._values[period])
            ]
        path = self.store / "fleet.csv"
        header = "" if path.exists() else "date,model,accuracy\n"
        with path.open("a", encoding="ascii") as file:
            file.write(header + "".join(lines))
