"""A store whose writer is killed at random moments: what was acknowledged must be there."""

import os
import random
import select
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey, to_datetime
from modeltop.history.reader import Reader
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store
from tests.benchmarks.base import Bench, Finding, row

KILLS = 200
START = datetime(2025, 1, 1, tzinfo=UTC)


@row("kills")
def kills(bench: Bench) -> Iterator[Finding]:
    """Killed 200 times while recording: rows lost, files that cannot be read."""
    folder, chance = bench.folder("killed") / "store", random.Random(200)
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = _killed(folder, acknowledged, chance.uniform(0.0, 0.02))
    history = Reader([folder], catalog=MetricRegistry()).read()
    series = history.series[SeriesKey("churn", "accuracy")]
    found = dict(zip(map(to_datetime, series.times), series.values.tolist(), strict=True))
    lost = [n for n in range(1, acknowledged + 1) if found.get(_period(n)) != _value(n)]
    unreadable = [problem for problem in history.problems if problem.fatal]
    note = f"{acknowledged:,} rows acknowledged before {KILLS} kills"
    yield Finding("killed while recording: rows lost", len(lost), 0, "", note)
    torn = sum("cell" in problem.message or "field" in problem.message for problem in history.problems)
    yield Finding("killed while recording: files unreadable", len(unreadable), 0, "", f"{torn} torn lines said")


def _killed(folder: Path, done: int, seconds: float) -> int:
    """Go on recording behind row `done` in a process that is killed; the last row it acknowledged."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            _record(folder, done, writer)
        finally:
            os._exit(1)
    os.close(writer)
    heard = os.read(reader, 8) if select.select([reader], [], [], 10)[0] else b""  # at work: now at any moment
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(reader, 65536):
        heard += data
    os.close(reader)
    return int.from_bytes(heard[-8:]) if heard else done


def _record(folder: Path, done: int, writer: int) -> None:
    store = Store(folder)
    while True:
        done += 1
        store.append([PeriodRow("churn", _period(done), {"accuracy": _value(done)}, count=done)])
        os.write(writer, done.to_bytes(8))


def _value(number: int) -> float:
    return (number * 7919 % 10_000) / 10_000


def _period(number: int) -> datetime:
    return START + timedelta(hours=number)
