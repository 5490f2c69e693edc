"""The watcher, the app and a writer on one store, for minutes: errors, memory, processor."""

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
from tests.benchmarks.base import ROOT, Bench, Finding, row
from tests.benchmarks.programs import MODELTOP, READY, environment
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.webhook_server import Receiving

MODELS, DAYS = 50, 90
MINUTES = float(os.environ.get("MODELTOP_SOAK_MINUTES", "10"))
SETTLED = 60.0
"""Seconds after which memory is compared with its size at the end; less in a short soak."""
_CONFIG = """
[receivers.hook]
type = "webhook"
url_env = "HOOK"
"""


@dataclass(slots=True)
class _Memory:
    """What a process held, by time."""

    pid: int
    sizes: list[tuple[float, int]] = field(default_factory=list)

    def look(self, seconds: float) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        self.sizes += [(seconds, int(line.split()[1]) * 1024) for line in status if line.startswith("VmRSS:")]

    def grown(self, after: float) -> tuple[float, str]:
        """The size at the end over that after so many seconds, and both in words; the median of three looks each."""
        later = [size for seconds, size in self.sizes if seconds >= after] or [size for _, size in self.sizes]
        first, last = sorted(later[:3])[len(later[:3]) // 2], sorted(later[-3:])[len(later[-3:]) // 2]
        return last / first, f"{first / 2**20:.1f} MB after {after:.0f} s, {last / 2**20:.1f} MB at the end"


@row("soak")
def soak(bench: Bench) -> Iterator[Finding]:
    """Ten minutes of watch, app and a writer of a row a second over 50 models (MODELTOP_SOAK_MINUTES)."""
    yield from measured(bench.folder("soak"), seconds=60 * MINUTES)


def measured(folder: Path, *, seconds: float) -> Iterator[Finding]:
    """What became of the three."""
    store = folder / "store"
    _fill(store)
    (folder / "modeltop.toml").write_text(_CONFIG, encoding="ascii")
    env = environment(folder / "home")
    words = ["--config", str(folder / "modeltop.toml"), "--store", str(store)]
    with Receiving() as server, (folder / "watch.log").open("ab") as log:
        argv = [*MODELTOP, "watch", *words]
        told = env | {"HOOK": server.url, "PYTHONPATH": str(ROOT / ".dev")}
        with subprocess.Popen(argv, env=told, cwd=folder, stderr=log) as watcher:
            try:
                with Terminal([*MODELTOP, *words], env=env, cwd=folder) as app:
                    outcome = _run(app, watcher, Store(store), seconds)
                state = health.read_last_health(store / "state")
            finally:
                watcher.terminate()
                watcher.wait(30)
    yield from _judged(outcome, state, (folder / "watch.log").read_text(encoding="utf-8"), server)


@dataclass(slots=True)
class _Outcome:
    rows: int
    seconds: float
    cpu: float
    """Of a core, the app's, after it had shown everything."""
    watch_cpu: float
    app: _Memory
    watch: _Memory
    alive: bool


def _run(app: Terminal, watcher: subprocess.Popen[bytes], store: Store, seconds: float) -> _Outcome:
    app.until(READY)
    app.live(1.0)
    chance = random.Random(50)
    memories = _Memory(app.process.pid), _Memory(watcher.pid)
    began, used, watched = time.monotonic(), app.cpu(), _cpu(watcher.pid)
    written, shown = 0, app.text
    while (passed := time.monotonic() - began) < seconds and app.process.poll() is None and watcher.poll() is None:
        if passed >= written:
            store.append([_record(written, chance)])
            written += 1
            if written % 5 == 0:
                shown = app.text
                for memory in memories:
                    memory.look(passed)
        app.read(0.05)
    alive = READY[0] in shown and app.process.poll() is None and watcher.poll() is None
    passed = time.monotonic() - began
    cpu = (app.cpu() - used) / passed if alive else float("inf")
    watch_cpu = (_cpu(watcher.pid) - watched) / passed if alive else float("inf")
    return _Outcome(written, passed, cpu, watch_cpu, *memories, alive=alive)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fill(store: Path) -> None:
    chance, today = random.Random(49), datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    records = [
        PeriodRow(f"m{model:02d}", today - timedelta(days=day), _values(chance, 0.95), count=1000)
        for model in range(MODELS)
        for day in range(DAYS, 0, -1)
    ]
    Store(store).append(records)


def _record(number: int, chance: random.Random) -> PeriodRow:
    """The next row; now and then a model goes wrong for two of its rows."""
    model, turn = number % MODELS, number // MODELS
    level = 0.8 if (model + turn) % 10 in (0, 1) else 0.95
    return PeriodRow(f"m{model:02d}", datetime.now(UTC).replace(microsecond=0), _values(chance, level), count=1000)


def _values(chance: random.Random, level: float) -> dict[str, float]:
    value = round(level + chance.uniform(-0.01, 0.01), 4)
    return {"accuracy": value, "f1_score": value, "avg_confidence": 0.9}


def _judged(outcome: _Outcome, state: WatcherHealth | None, log: str, server: Receiving) -> Iterator[Finding]:
    wrong = [line for line in log.splitlines() if " error " in line or " warning " in line or "Traceback" in line]
    said = state.error if state is not None else "no health file"
    note = f"{outcome.rows:,} rows in {outcome.seconds:.0f} s, {len(server.accepted)} messages of {len(server.parts())}"
    yield Finding("soak: errors said", len(wrong) + (said is not None), 0, "", wrong[0] if wrong else said or note)
    yield Finding("soak: processes that ended", int(not outcome.alive), 0, "", note)
    after = min(SETTLED, outcome.seconds / 3)
    for name, memory in (("app", outcome.app), ("watch", outcome.watch)):
        ratio, words = memory.grown(after)
        yield Finding(f"soak: memory of {name}, end / minute 1", ratio, 1.1, " x", words)
    yield Finding("soak: processor of the app", 100 * outcome.cpu, 5, " %")
    yield Finding("soak: processor of watch", 100 * outcome.watch_cpu, None, " %")
