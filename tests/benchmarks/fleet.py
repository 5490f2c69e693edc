"""Time and memory of a fleet of a thousand models over two years, in the app and in the reader."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.fleet_data import WORST_MODEL, append, next_row
from tests.benchmarks.programs import clear_state, environment, modeltop, time_to_show, worst_alert

MB = 1_000_000


@benchmark("fleet")
def fleet(context: BenchmarkContext) -> Iterator[Result]:
    """1,000 models, 730 days, 6 metrics: the worst on screen, memory, and one more row."""
    home, path = context.folder("home"), context.fleet / f"{WORST_MODEL}.csv"
    cold, warm, appended, peaks = [], [], [], []
    for number in range(context.runs):
        alert = worst_alert(home, context.fleet)
        clear_state(home)
        texts = [WORST_MODEL[:12], alert.message]
        cold.append(time_to_show(home, context.fleet, texts, quiet_seconds=1.0))
        warm.append(time_to_show(home, context.fleet, texts, quiet_seconds=1.0))
        with modeltop(home, context.fleet) as terminal:
            terminal.wait_for([alert.message])
            terminal.wait_until_live(2.5)  # until every file has been polled again at least once
            value = 0.3 - number / 100
            appended_at = time.perf_counter()
            append(path, next_row(path, accuracy=f"{value:.4f}"))
            appended.append(terminal.wait_for([f"{value:.3f}"], since=appended_at).seconds)
            peaks.append(terminal.peak_memory() / MB)
    yield Result("fleet of 42 MB: the worst, first sight", median(cold), 1.5, " s", f"at most {max(cold):.2f} s")
    yield Result("fleet of 42 MB: the worst, seen before", median(warm), 1.5, " s", f"at most {max(warm):.2f} s")
    yield Result("fleet of 42 MB: one more row on screen", median(appended), 2, " s", f"at most {max(appended):.2f} s")
    yield Result("fleet of 42 MB: peak resident size", median(peaks), 400, " MB", "first look and one more row")


@benchmark("reading")
def reading(context: BenchmarkContext) -> Iterator[Result]:
    """The same fleet through the reader alone, in a process of its own."""
    timings = [time_reader(context.fleet) for _ in range(context.runs)]
    yield Result("Reader on the fleet: time", median(timing["full"] for timing in timings), None, " s")
    peak = median(timing["peak"] for timing in timings) / MB
    yield Result("Reader on the fleet: peak resident size", peak, None, " MB")


@benchmark("one-more-row")
def one_more_row(context: BenchmarkContext) -> Iterator[Result]:
    """One more row on a file of a million, through the reader."""
    from tests.benchmarks.fleet_data import write_million

    path = write_million(context.folder("million") / "million.csv")
    timings = [time_reader(path, f"2026-01-0{n % 9 + 1}T00:00,model-07,0.9\n") for n in range(context.runs)]
    incremental, full = (
        median(timing["incremental"] for timing in timings),
        median(timing["full"] for timing in timings),
    )
    note = f"the full read {full:.2f} s, {full / incremental:,.0f} times as long"
    yield Result("one more row on a million", incremental * 1000, None, " ms", note)


def time_reader(path: Path, line: str = "") -> dict[str, float]:
    """Run `tests.benchmarks.reader_timing` on a path, and return its output."""
    argv = [sys.executable, "-m", "tests.benchmarks.reader_timing", str(path), line]
    env = environment(path.parent / "home")
    completed = subprocess.run(argv, env=env, cwd=env["PYTHONPATH"], capture_output=True, text=True, check=True)
    timing: dict[str, float] = json.loads(completed.stdout)
    return timing
