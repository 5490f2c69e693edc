"""Delivery of alerts to a receiver that fails at random, by a watcher that is killed repeatedly."""

from __future__ import annotations

import os
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
from tests.benchmarks.base import ROOT, BenchmarkContext, Result, benchmark
from tests.benchmarks.programs import environment
from tests.benchmarks.webhook_server import WebhookServer

ALERTS, FAILURE_RATE = 1000, 0.3
KILLS = int(os.environ.get("MODELTOP_KILLS", "20"))

BETWEEN_FLIPS = timedelta(minutes=3)
"""More than two usual gaps, after which a streak of bad rows is another incident."""

VALID_SEQUENCES = (["trigger"], ["trigger", "resolve"], ["late"], ["trigger", "late"])
"""Valid orders of the notifications of one incident; a trigger whose acceptance the sender did not learn may be
followed by a late notification of begin and end.
"""

_CONFIG = """
on_no_data = "ok"
# One limit, so that an alert is active as long as its row is bad.
[[rules]]
name = "floor"
metric = "accuracy"
critical = { below = 0.9 }
[defaults]
drop = false
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
# Backoff as short as loopback is fast; all else is as in the service.
cycle = Cycle(settings, identity, log, backoff=Backoff(initial_seconds=0.02, max_seconds=0.2))
Daemon(cycle, LeaderLock(identity.folder, identity.holder), identity, log).run()
"""


@dataclass(slots=True)
class Fleet:
    """Models in one file with a row a minute, good or bad; each streak of bad rows must be notified once."""

    folder: Path
    bad_streaks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failing: set[str] = field(default_factory=set)
    latest: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def create(self, models: int, flips: int) -> None:
        """Write ten good rows of each model, then a bad one, so long ago that so many flips lie in the past."""
        self.folder.mkdir()
        names = [f"m{number:04d}" for number in range(models)]
        self.latest -= (flips + 2) * BETWEEN_FLIPS
        minutes = [self.latest - timedelta(minutes=minute) for minute in range(9, -1, -1)]
        lines = ["date,model,accuracy", *(f"{at.isoformat()},{name},0.95" for name in names for at in minutes)]
        (self.folder / "fleet.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
        self.flip(names)

    def flip(self, models: list[str]) -> None:
        """Append a row of each of these models that is bad if the last one was good, and the reverse."""
        self.latest += BETWEEN_FLIPS
        lines = []
        for name in models:
            self.failing.symmetric_difference_update({name})
            self.bad_streaks[name] += name in self.failing
            lines.append(f"{self.latest.isoformat()},{name},{0.5 if name in self.failing else 0.95}\n")
        with (self.folder / "fleet.csv").open("ab", buffering=0) as file:
            file.write("".join(lines).encode())


@benchmark("delivery")
def delivery(context: BenchmarkContext) -> Iterator[Result]:
    """1,000 alerts, 30 % of requests fail, 20 kills (MODELTOP_KILLS): lost, resolved without a trigger, repeated."""
    yield from run_delivery(context.folder("delivery"), alerts=ALERTS, kills=KILLS)


def run_delivery(folder: Path, *, alerts: int, kills: int, seed: int = 4) -> Iterator[Result]:
    """Deliver the alerts and yield the results.

    Args:
        folder: An empty folder.
        alerts: Number of models, each with an alert.
        kills: Number of times that the watcher is killed.
        seed: Seed of the failures and kills.
    """
    rng, fleet = random.Random(seed), Fleet(folder / "store")
    fleet.create(alerts, kills)
    started_at = time.monotonic()
    with WebhookServer(FAILURE_RATE, seed) as server:
        (folder / "modeltop.toml").write_text(_CONFIG)
        for _ in range(kills):
            with _start_watcher(folder, server.url) as process:
                _wait_until(lambda seen=server.requests: server.requests > seen, 60)
                time.sleep(rng.uniform(0.0, 1.5))
                fleet.flip(rng.sample(sorted(fleet.bad_streaks), alerts // 20))
                time.sleep(rng.uniform(0.0, 1.5))
                process.kill()
        with _start_watcher(folder, server.url) as process:
            _wait_until(lambda: _is_settled(fleet), 600)
            process.terminate()
            process.wait(30)
    seconds = time.monotonic() - started_at
    requests = f"{server.requests:,} requests, {server.failed:,} of them failed, {kills} kills, {seconds:.0f} s"
    yield from _results(fleet, server, requests)


def _start_watcher(folder: Path, url: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", _WATCH, str(folder / "store"), str(folder / "modeltop.toml")]
    env = environment(folder / "home") | {"HOOK": url, "PYTHONPATH": str(ROOT / ".dev")}
    with (folder / "watch.log").open("ab") as log:
        return subprocess.Popen(argv, env=env, cwd=folder, stderr=log)


def _wait_until(condition, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come; see watch.log")
        time.sleep(0.05)


def _is_settled(fleet: Fleet) -> bool:
    """Return whether all streaks have an incident, and no notification is pending."""
    log_state = EventLog(fleet.folder / "state").state()
    incidents = log_state.incidents.values()
    failing = {incident.model for incident in incidents if incident.status is IncidentStatus.OPEN}
    if failing != fleet.failing or len(incidents) < sum(fleet.bad_streaks.values()):
        return False
    policies = {"hook": NotificationPolicy(group=0, hourly=0)}
    routing = RoutingConfig(routes=(Route("everything", ("hook",)),), policies=policies)
    plan = plan_notifications(log_state, routing, log_state.last_event_at or fleet.latest)
    return not plan.batches and plan.retry_at is None


def _results(fleet: Fleet, server: WebhookServer, note: str) -> Iterator[Result]:
    keys_by_kind: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    order: dict[str, list[str]] = defaultdict(list)
    models: dict[str, set[str]] = defaultdict(set)
    repeats = 0
    for alert in server.alerts():
        # A late notification is begin and end in one.
        kind = "late" if alert["reason"] == "late" else alert["kind"]
        keys = keys_by_kind[alert["id"]][kind]
        repeats += alert["key"] in keys
        if alert["key"] not in keys:
            order[alert["id"]].append(kind)
        keys[alert["key"]] = None
        models[alert["model"]].add(alert["id"])
    lost = sum(max(0, count - len(models[model])) for model, count in fleet.bad_streaks.items())
    recoveries = sum(fleet.bad_streaks.values()) - len(fleet.failing)
    late = sum("late" in kinds for kinds in keys_by_kind.values())
    unresolved = recoveries - late - sum("resolve" in kinds for kinds in keys_by_kind.values())
    resolved_first = sum(kinds[0] == "resolve" for kinds in order.values())
    out_of_order = sum(kinds not in VALID_SEQUENCES for kinds in order.values())
    new_keys = sum(len(keys) > 1 for kinds in keys_by_kind.values() for keys in kinds.values())
    yield Result("delivery: alerts lost", lost, 0, "", f"{sum(fleet.bad_streaks.values()):,} alerts; {note}")
    yield Result("delivery: ends lost", unresolved, 0, "", f"{recoveries:,} ended, {late} of them told late")
    yield Result("delivery: resolved without a trigger", resolved_first, 0)
    yield Result("delivery: incidents out of order", out_of_order, 0)
    yield Result("delivery: repeated under another key", new_keys, 0, "", f"{repeats} repeated under the same key")
