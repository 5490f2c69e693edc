"""A day of a fleet, replayed at speed through the watcher: messages by notification policy."""

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
from tests.benchmarks.base import BenchmarkContext, Result, benchmark

MODELS = 200
PERIOD = timedelta(minutes=15)
DAY = datetime(2025, 3, 11, tzinfo=UTC)
PERIODS_BEFORE = 96
"""Healthy periods, those of the day before."""
POLICIES = {
    "as configured by default": NotificationPolicy(),
    "grouping off": NotificationPolicy(group=0, hourly=20),
    "cap off": NotificationPolicy(group=3, hourly=0),
    "grouping and cap off": NotificationPolicy(group=0, hourly=0),
    "one that groups by itself": NotificationPolicy(exempt=True),
}


@dataclass(frozen=True)
class RecordingNotifier:
    """Notifier that keeps the messages it is sent."""

    received: list[Message] = field(default_factory=list, repr=False)
    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False

    def send(self, message: Message) -> None:
        """Keep the message."""
        self.received.append(message)


def simulate_accuracy(rng: np.random.Generator) -> np.ndarray:
    """Simulate noise, five lasting drops, an upstream outage, three flapping models and forty spikes.

    Returns:
        Accuracy by period and model, [192, 200].
    """
    values = 0.95 + rng.normal(0, 0.006, (PERIODS_BEFORE + 96, MODELS))
    today = values[PERIODS_BEFORE:]
    for model_index, (start, periods, depth) in enumerate(
        [(8, 60, 0.07), (22, 12, 0.15), (37, 30, 0.09), (60, 36, 0.2), (71, 8, 0.12)]
    ):
        today[start : start + periods, model_index] -= depth
    today[56:62, 20:80] -= 0.12  # 14:00 to 15:30: upstream outage of sixty models
    for model in (100, 101, 102):
        today[::4, model] -= 0.06
        today[1::4, model] -= 0.06
    today[rng.integers(0, 96, 40), rng.integers(110, 199, 40)] -= 0.1
    return np.clip(values, 0, 1)


@benchmark("day")
def day(context: BenchmarkContext) -> Iterator[Result]:
    """A day of 200 models replayed at speed: incidents, and messages with and without grouping."""
    started_at = time.monotonic()
    replay = _Replay(context.folder("day"))
    replay.run()
    elapsed = time.monotonic() - started_at
    incidents = replay.fired
    note = f"{MODELS} models, {replay.cycles:,} cycles, {elapsed:.0f} s"
    yield Result("a day of the fleet: incidents", len(incidents), note=note)
    for name, notifier in replay.notifiers.items():
        sections = [section for message in notifier.received for section in message.sections]
        reasons = Counter(section.reason.value for section in sections)
        breakdown = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        digests = sum(message.is_digest for message in notifier.received)
        yield Result(
            f"a day of the fleet: messages, {name}", len(notifier.received), note=f"{breakdown}; {digests} digests"
        )
        unsent = incidents - {section.incident for section in sections}
        yield Result(f"a day of the fleet: incidents untold, {name}", len(unsent), 0)


class _Replay:
    """Watcher in this process, on a clock that is advanced by a minute at a time."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        (self.store / "state").mkdir(parents=True)
        self._wall = DAY
        self._monotonic = 0.0
        self.cycles = 0
        self.fired: set[str] = set()
        self.notifiers = {name: RecordingNotifier() for name in POLICIES}
        detector = Threshold(warn=Limit(below=0.9), critical=Limit(below=0.85), margin=0.005)
        rule = Rule(name="floor", metric="accuracy", detector=detector, confirm=(2, 2), recover=2)
        receivers = {name: Receiver(name, notifier, POLICIES[name]) for name, notifier in self.notifiers.items()}
        self._config = Config(rules=(rule,), receivers=receivers, routes=(Route("everything", tuple(receivers)),))
        self._values = simulate_accuracy(np.random.default_rng(20250311))

    def run(self) -> None:
        """Replay from midnight to midnight."""
        self._write(range(PERIODS_BEFORE))
        cycle = self._start_cycle()
        for minute in range(24 * 60):
            self._wall = DAY + timedelta(minutes=minute)
            self._monotonic = 60.0 * minute
            if minute % 15 == 0:
                self._write([PERIODS_BEFORE + minute // 15])
            self._run_cycle(cycle)
        cycle.stop()

    def _start_cycle(self) -> Cycle:
        def load() -> DaemonSettings:
            return DaemonSettings(
                self._config, Pipeline(self._config, [self.store], live=True, failures_before_alert=3)
            )

        log = DaemonLog(Path(os.devnull).open("w", encoding="ascii"))  # noqa: SIM115  as long as the process
        identity = DaemonIdentity(self.store / "state", LockHolder(os.getpid(), "replay"))
        cycle = Cycle(load, identity, log, Clock(lambda: self._wall, lambda: self._monotonic))
        cycle.start()
        return cycle

    def _run_cycle(self, cycle: Cycle) -> None:
        cycle.run()
        self.cycles += 1
        if cycle.last_result is not None:
            self.fired |= {
                change.incident.id
                for change in cycle.last_result.incident_changes
                if change.transition.value == "fired"
            }
        while cycle.dispatcher.is_sending():
            cycle.wakeup.wait(1.0)
            cycle.send_due()

    def _write(self, periods: Iterator[int] | range | list[int]) -> None:
        lines = []
        for period in periods:
            start = DAY + PERIOD * (period - PERIODS_BEFORE)
            lines += [
                f"{start.isoformat()},m{model:03d},{value:.4f}\n" for model, value in enumerate(self._values[period])
            ]
        path = self.store / "fleet.csv"
        header = "" if path.exists() else "date,model,accuracy\n"
        with path.open("a", encoding="ascii") as file:
            file.write(header + "".join(lines))
