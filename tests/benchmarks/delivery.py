"""Alerts through a receiver that fails at random, sent by a watcher that is killed again and again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.routing import NotificationPolicy, Route, RoutingConfig
from modeltop.core.incident import IncidentStatus
from tests.benchmarks.base import ROOT, Bench, Finding, row
from tests.benchmarks.programs import environment
from tests.benchmarks.webhook_server import Receiving

ALERTS, KILLS, SHARE = 1000, 20, 0.3

RIGHT = (["trigger"], ["trigger", "resolve"], ["late"], ["trigger", "late"])
"""What may be told of one incident, in order; a trigger of which the sender never heard that it was accepted may be
followed by begin and end told late.
"""

_CONFIG = """
on_no_data = "ok"
[receivers.hook]
type = "webhook"
url_env = "HOOK"
group = 0
hourly = 0
"""
_WATCH = """
import os, platform, sys
from pathlib import Path
from modeltop.config.load import load
from modeltop.service.cycle import Cycle
from modeltop.service.daemon import Daemon
from modeltop.service.health import DaemonIdentity
from modeltop.service.leader import LeaderLock, LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings, Pipeline
from modeltop.service.receiver_health import Backoff

store, config_file = Path(sys.argv[1]), Path(sys.argv[2])
def settings():
    config = load(config_file)
    return DaemonSettings(config, Pipeline(config, [store], live=True, failures_before_alert=3))
(store / "state").mkdir(exist_ok=True)
identity = DaemonIdentity(store / "state", LockHolder(os.getpid(), platform.node()))
log = DaemonLog(sys.stderr)
# Waits are as short as a loopback is quick; all else is as it is in service.
cycle = Cycle(settings, identity, log, backoff=Backoff(initial_seconds=0.02, max_seconds=0.2))
Daemon(cycle, LeaderLock(identity.folder, identity.holder), identity, log).run()
"""


@dataclass(slots=True)
class Fleet:
    """Models in one file: an hour a row, each fine or not; every stretch that is not must be told once."""

    folder: Path
    stretches: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bad: set[str] = field(default_factory=set)
    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def begin(self, models: int) -> None:
        """Ten hours of health, then all go wrong."""
        self.folder.mkdir()
        names = [f"m{number:04d}" for number in range(models)]
        hours = [self.moment - timedelta(hours=hour) for hour in range(12, 2, -1)]
        lines = ["date,model,accuracy", *(f"{hour.isoformat()},{name},0.95" for name in names for hour in hours)]
        (self.folder / "fleet.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
        self.moment -= timedelta(hours=2)
        self.turn(names)

    def turn(self, models: list[str]) -> None:
        """From good to bad, or back, in the next row of each of these."""
        self.moment += timedelta(seconds=1)
        lines = []
        for name in models:
            self.bad.symmetric_difference_update({name})
            self.stretches[name] += name in self.bad
            lines.append(f"{self.moment.isoformat()},{name},{0.5 if name in self.bad else 0.95}\n")
        with (self.folder / "fleet.csv").open("ab", buffering=0) as file:
            file.write("".join(lines).encode())


@row("delivery")
def delivery(bench: Bench) -> Iterator[Finding]:
    """1,000 alerts, 30 % of requests fail, 20 kills: lost, resolved without a trigger, out of order, repeated."""
    yield from measured(bench.folder("delivery"), alerts=ALERTS, kills=KILLS)


def measured(folder: Path, *, alerts: int, kills: int, seed: int = 4) -> Iterator[Finding]:
    """What became of the alerts."""
    chance, fleet = random.Random(seed), Fleet(folder / "store")
    fleet.begin(alerts)
    began = time.monotonic()
    with Receiving(SHARE, seed) as server:
        config = folder / "modeltop.toml"
        config.write_text(
            # One limit, so that an alert stands as long as its row is bad.
            'on_no_data = "ok"\n[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.9 }\n'
            '[receivers.hook]\ntype = "webhook"\nurl_env = "HOOK"\ngroup = 0\nhourly = 0\n'
        )
        for _ in range(kills):
            with _watcher(folder, server.url) as process:
                _wait(lambda seen=server.requests: server.requests > seen, 60)
                time.sleep(chance.uniform(0.0, 1.5))
                fleet.turn(chance.sample(sorted(fleet.stretches), alerts // 20))
                time.sleep(chance.uniform(0.0, 1.5))
                process.kill()
        with _watcher(folder, server.url) as process:
            _wait(lambda: _settled(fleet), 600)
            process.terminate()
            process.wait(30)
    seconds = time.monotonic() - began
    requests = f"{server.requests:,} requests, {server.failed:,} of them failed, {kills} kills, {seconds:.0f} s"
    yield from _judged(fleet, server, requests)


def _watcher(folder: Path, url: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", _WATCH, str(folder / "store"), str(folder / "modeltop.toml")]
    env = environment(folder / "home") | {"HOOK": url, "PYTHONPATH": str(ROOT / ".dev")}
    with (folder / "watch.log").open("ab") as log:
        return subprocess.Popen(argv, env=env, cwd=folder, stderr=log)


def _wait(met, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come; see watch.log")
        time.sleep(0.05)


def _settled(fleet: Fleet) -> bool:
    """Whether all is followed, and there is nothing left to be told."""
    facts = EventLog(fleet.folder / "state").state()
    standing = {one.key.model for one in facts.incidents.values() if one.status is IncidentStatus.OPEN}
    if standing != fleet.bad or len(facts.incidents) < sum(fleet.stretches.values()):
        return False
    wanted = RoutingConfig(
        routes=(Route("everything", ("hook",)),), policies={"hook": NotificationPolicy(group=0, hourly=0)}
    )
    planned = plan_notifications(facts, wanted, facts.last_event_at or fleet.moment)
    return not planned.batches and planned.retry_at is None


def _judged(fleet: Fleet, server: Receiving, note: str) -> Iterator[Finding]:
    told: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    order: dict[str, list[str]] = defaultdict(list)
    models: dict[str, set[str]] = defaultdict(set)
    repeated = 0
    for part in server.parts():
        # What is told late is begin and end in one.
        what = "late" if part["reason"] == "late" else part["kind"]
        keys = told[part["id"]][what]
        repeated += part["key"] in keys
        if part["key"] not in keys:
            order[part["id"]].append(what)
        keys[part["key"]] = None
        models[part["model"]].add(part["id"])
    lost = sum(max(0, count - len(models[model])) for model, count in fleet.stretches.items())
    ends = sum(fleet.stretches.values()) - len(fleet.bad)
    late = sum("late" in kinds for kinds in told.values())
    untold = ends - late - sum("resolve" in kinds for kinds in told.values())
    early = sum(kinds[0] == "resolve" for kinds in order.values())
    mixed = sum(kinds not in RIGHT for kinds in order.values())
    twice = sum(len(keys) > 1 for kinds in told.values() for keys in kinds.values())
    yield Finding("delivery: alerts lost", lost, 0, "", f"{sum(fleet.stretches.values()):,} alerts; {note}")
    yield Finding("delivery: ends lost", untold, 0, "", f"{ends:,} ended, {late} of them told late")
    yield Finding("delivery: resolved without a trigger", early, 0)
    yield Finding("delivery: incidents out of order", mixed, 0)
    yield Finding("delivery: repeated under another key", twice, 0, "", f"{repeated} repeated under the same key")
