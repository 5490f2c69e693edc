"""A thousand models over two years: what a large fleet costs, on the screen and without it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.fleet_data import WORST, append, next_row
from tests.benchmarks.programs import environment, forget, modeltop, worst

MB = 1_000_000


@row("fleet")
def fleet(bench: Bench) -> Iterator[Finding]:
    """1,000 models, 730 days, 6 metrics: the worst on screen, memory, and one more row."""
    home, path = bench.folder("home"), bench.fleet / f"{WORST}.csv"
    first, again, more, peaks = [], [], [], []
    for number in range(bench.runs):
        expected = worst(home, bench.fleet)
        forget(home)
        first.append(_opens(home, bench.fleet, expected.message))
        again.append(_opens(home, bench.fleet, expected.message))
        with modeltop(home, bench.fleet) as terminal:
            terminal.until([expected.message])
            terminal.live(2.5)  # until it has looked at every file again at least once
            value = 0.3 - number / 100
            began = time.perf_counter()
            append(path, next_row(path, accuracy=f"{value:.4f}"))
            more.append(terminal.until([f"{value:.3f}"], since=began).seconds)
            peaks.append(terminal.peak() / MB)
    yield Finding("fleet of 42 MB: the worst, first sight", median(first), 1.5, " s", f"at most {max(first):.2f} s")
    yield Finding("fleet of 42 MB: the worst, seen before", median(again), 1.5, " s", f"at most {max(again):.2f} s")
    yield Finding("fleet of 42 MB: one more row on screen", median(more), 2, " s", f"at most {max(more):.2f} s")
    yield Finding("fleet of 42 MB: peak resident size", median(peaks), 400, " MB", "first look and one more row")


def _opens(home: Path, path: Path, message: str) -> float:
    with modeltop(home, path) as terminal:
        shown = terminal.until([WORST[:12], message])
        terminal.live(1.0)
        terminal.type(b"q")
        terminal.exited()
    return shown.seconds


@row("reading")
def reading(bench: Bench) -> Iterator[Finding]:
    """The same fleet through the reader alone, in a process of its own."""
    found = [read(bench.fleet) for _ in range(bench.runs)]
    yield Finding("Reader on the fleet: time", median(one["full"] for one in found), None, " s")
    peak = median(one["peak"] for one in found) / MB
    yield Finding("Reader on the fleet: peak resident size", peak, None, " MB")


@row("one-more-row")
def one_more_row(bench: Bench) -> Iterator[Finding]:
    """One more row on a file of a million, through the reader."""
    from tests.benchmarks.fleet_data import write_million

    path = write_million(bench.folder("million") / "million.csv")
    found = [read(path, f"2026-01-0{n % 9 + 1}T00:00,model-07,0.9\n") for n in range(bench.runs)]
    more, full = median(one["more"] for one in found), median(one["full"] for one in found)
    note = f"the full read {full:.2f} s, {full / more:,.0f} times as long"
    yield Finding("one more row on a million", more * 1000, None, " ms", note)


def read(path: Path, line: str = "") -> dict[str, float]:
    """What `tests.benchmarks.reader_timing` says of a path."""
    argv = [sys.executable, "-m", "tests.benchmarks.reader_timing", str(path), line]
    env = environment(path.parent / "home")
    done = subprocess.run(argv, env=env, cwd=env["PYTHONPATH"], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
