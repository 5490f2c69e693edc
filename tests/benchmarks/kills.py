"""Durability of a store whose writer is killed at random: no acknowledged row is lost."""

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
from tests.benchmarks.base import BenchmarkContext, Result, benchmark

KILLS = 300
START = datetime(2025, 1, 1, tzinfo=UTC)


@benchmark("kills")
def kills(context: BenchmarkContext) -> Iterator[Result]:
    """Killed 300 times while recording: rows lost, files that cannot be read."""
    folder, rng = context.folder("killed") / "store", random.Random(300)
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = _record_until_killed(folder, acknowledged, rng.uniform(0.0, 0.02))
    history = Reader([folder], catalog=MetricRegistry()).read()
    series = history.series[SeriesKey("churn", "accuracy")]
    recorded = dict(zip(map(to_datetime, series.times), series.values.tolist(), strict=True))
    lost = [n for n in range(1, acknowledged + 1) if recorded.get(_period(n)) != _value(n)]
    unreadable = [problem for problem in history.problems if problem.fatal]
    note = f"{acknowledged:,} rows acknowledged before {KILLS} kills"
    yield Result("killed while recording: rows lost", len(lost), 0, "", note)
    torn = sum("cell" in problem.message or "field" in problem.message for problem in history.problems)
    yield Result("killed while recording: files unreadable", len(unreadable), 0, "", f"{torn} torn lines said")


def _record_until_killed(folder: Path, last_row: int, seconds: float) -> int:
    """Record after `last_row` in a process that is killed after so many seconds; return the last acknowledged row."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            _record_forever(folder, last_row, writer)
        finally:
            os._exit(1)
    os.close(writer)
    output = (
        os.read(reader, 8) if select.select([reader], [], [], 10)[0] else b""
    )  # the first row is acknowledged: kill at any time from now on
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(reader, 65536):
        output += data
    os.close(reader)
    return int.from_bytes(output[-8:]) if output else last_row


def _record_forever(folder: Path, last_row: int, writer: int) -> None:
    store = Store(folder)
    while True:
        last_row += 1
        store.append([PeriodRow("churn", _period(last_row), {"accuracy": _value(last_row)}, count=last_row)])
        os.write(writer, last_row.to_bytes(8))


def _value(number: int) -> float:
    return (number * 7919 % 10_000) / 10_000


def _period(number: int) -> datetime:
    return START + timedelta(hours=number)
