"""Soak test of watcher, app and a writer on one store: errors, memory, processor."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modeltop.core.incident import WatcherHealth
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store
from modeltop.service import health
from tests.benchmarks.base import ROOT, BenchmarkContext, Result, benchmark
from tests.benchmarks.programs import MODELTOP, READY_TEXT, environment
from tests.benchmarks.terminal import Terminal, cpu_seconds
from tests.benchmarks.webhook_server import WebhookServer

MODELS, DAYS = 50, 90
FLEET_MODELS, FLEET_CHANGES = 2000, 50
MINUTES = float(os.environ.get("MODELTOP_SOAK_MINUTES", "10"))
SETTLE_SECONDS = 60.0
"""Seconds after which memory is compared with its size at the end; less in a short soak."""
_CONFIG = """
[receivers.hook]
type = "webhook"
url_env = "HOOK"
"""


@dataclass(slots=True)
class _Memory:
    """Resident size of a process over time."""

    pid: int
    sizes: list[tuple[float, int]] = field(default_factory=list)

    def sample(self, seconds: float) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        self.sizes += [(seconds, int(line.split()[1]) * 1024) for line in status if line.startswith("VmRSS:")]

    def growth(self, after: float) -> tuple[float, str]:
        """Return the ratio of the final size to that after so many seconds, and a note; medians of three samples."""
        later = [size for seconds, size in self.sizes if seconds >= after] or [size for _, size in self.sizes]
        first, last = sorted(later[:3])[len(later[:3]) // 2], sorted(later[-3:])[len(later[-3:]) // 2]
        return last / first, f"{first / 2**20:.1f} MB after {after:.0f} s, {last / 2**20:.1f} MB at the end"


@benchmark("soak")
def soak(context: BenchmarkContext) -> Iterator[Result]:
    """Ten minutes of watch, app and a writer of a row a second over 50 models (MODELTOP_SOAK_MINUTES)."""
    yield from run_soak(context.folder("soak"), seconds=60 * MINUTES)


@benchmark("soak_fleet")
def soak_fleet(context: BenchmarkContext) -> Iterator[Result]:
    """Ten minutes of watch, app and a writer of 50 rows a second over 2,000 models (MODELTOP_SOAK_MINUTES)."""
    folder = context.folder("soak_fleet")
    yield from run_soak(folder, seconds=60 * MINUTES, models=FLEET_MODELS, changes=FLEET_CHANGES)


def run_soak(folder: Path, *, seconds: float, models: int = MODELS, changes: int = 1) -> Iterator[Result]:
    """Run the three for so many seconds, with so many changed files a second, and yield the results."""
    store = folder / "store"
    _write_history(store, models)
    (folder / "modeltop.toml").write_text(_CONFIG, encoding="ascii")
    env = environment(folder / "home")
    options = ["--config", str(folder / "modeltop.toml"), "--store", str(store)]
    with WebhookServer() as server, (folder / "watch.log").open("ab") as log:
        argv = [*MODELTOP, "watch", *options]
        watcher_env = env | {"HOOK": server.url, "PYTHONPATH": str(ROOT / ".dev")}
        with subprocess.Popen(argv, env=watcher_env, cwd=folder, stderr=log) as watcher:
            try:
                with Terminal([*MODELTOP, *options], env=env, cwd=folder) as app:
                    outcome = _run(app, watcher, Store(store), seconds, models, changes)
                state = health.read_last_health(store / "state")
            finally:
                watcher.terminate()
                watcher.wait(30)
    log_text = (folder / "watch.log").read_text(encoding="utf-8")
    yield from _results(outcome, state, log_text, server, is_busy=changes > 1)


@dataclass(slots=True)
class _SoakOutcome:
    rows: int
    seconds: float
    cpu: float
    """Share of a core that the app used after its first screen."""
    watch_cpu: float
    app: _Memory
    watch: _Memory
    alive: bool


def _run(
    app: Terminal, watcher: subprocess.Popen[bytes], store: Store, seconds: float, models: int, changes: int
) -> _SoakOutcome:
    app.wait_for(READY_TEXT)
    app.wait_until_live(1.0)
    rng = random.Random(50)
    memories = _Memory(app.process.pid), _Memory(watcher.pid)
    started_at, app_cpu, watcher_cpu = time.monotonic(), cpu_seconds(app.process.pid), cpu_seconds(watcher.pid)
    written, screen = 0, app.text
    processes = app.process, watcher
    while (elapsed := time.monotonic() - started_at) < seconds and all(process.poll() is None for process in processes):
        if elapsed * changes >= written:
            store.append([_next_row(written, models, rng)])
            written += 1
            if written % (5 * changes) == 0:
                screen = app.text
                for memory in memories:
                    memory.sample(elapsed)
        app.read(0.05 / changes)
    alive = "2 Metrics" in screen and all(process.poll() is None for process in processes)
    elapsed = time.monotonic() - started_at
    cpu = (cpu_seconds(app.process.pid) - app_cpu) / elapsed if alive else float("inf")
    watch_cpu = (cpu_seconds(watcher.pid) - watcher_cpu) / elapsed if alive else float("inf")
    return _SoakOutcome(written, elapsed, cpu, watch_cpu, *memories, alive=alive)


def _write_history(store: Path, models: int) -> None:
    rng, today = random.Random(49), datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [
        PeriodRow(f"m{model:04d}", today - timedelta(days=day), _values(rng, 0.95), count=1000)
        for model in range(models)
        for day in range(DAYS, 0, -1)
    ]
    Store(store).append(rows)


def _next_row(number: int, models: int, rng: random.Random) -> PeriodRow:
    """Return the next row; now and then a model fails for two of its rows."""
    model, round_number = number % models, number // models
    level = 0.8 if (model + round_number) % 10 in (0, 1) else 0.95
    return PeriodRow(f"m{model:04d}", datetime.now(UTC).replace(microsecond=0), _values(rng, level), count=1000)


def _values(rng: random.Random, level: float) -> dict[str, float]:
    value = round(level + rng.uniform(-0.01, 0.01), 4)
    return {"accuracy": value, "f1_score": value, "avg_confidence": 0.9}


def _results(
    outcome: _SoakOutcome, state: WatcherHealth | None, log: str, server: WebhookServer, *, is_busy: bool
) -> Iterator[Result]:
    problems = [
        line for line in log.splitlines() if any(word in line for word in (" error ", " warning ", "Traceback"))
    ]
    health_error = state.error if state is not None else "no health file"
    messages = f"{len(server.accepted)} messages of {len(server.alerts())}"
    note = f"{outcome.rows:,} rows in {outcome.seconds:.0f} s, {messages}"
    errors = len(problems) + (health_error is not None)
    yield Result("soak: errors said", errors, 0, "", problems[0] if problems else health_error or note)
    yield Result("soak: processes that ended", int(not outcome.alive), 0, "", note)
    after = min(SETTLE_SECONDS, outcome.seconds / 3)
    for name, memory in (("app", outcome.app), ("watch", outcome.watch)):
        ratio, growth = memory.growth(after)
        yield Result(f"soak: memory of {name}, end / minute 1", ratio, 1.1, " x", growth)
    yield Result("soak: processor of the app", 100 * outcome.cpu, 50 if is_busy else 5, " %")
    yield Result("soak: processor of watch", 100 * outcome.watch_cpu, 50 if is_busy else None, " %")
