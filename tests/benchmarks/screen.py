"""Cost of the screen: bytes and milliseconds of an update, and processor time while idle."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.fleet_data import append, next_row
from tests.benchmarks.programs import SAMPLE_FLEET, modeltop, worst_alert
from tests.benchmarks.terminal import LARGE, SMALL, Terminal, cpu_seconds

QUIET_SECONDS = 0.4
"""Seconds without output after which a screen counts as complete."""
IDLE_SECONDS = 5.0
SLOW_BYTES_PER_SECOND = 10_000


class Targets(NamedTuple):
    """Most kilobytes at one size of the terminal."""

    full_screen: float
    move: float


TARGETS = {SMALL: Targets(30, 12), LARGE: Targets(60, 24)}


@benchmark("idle")
def idle(context: BenchmarkContext) -> Iterator[Result]:
    """Idle for 5 s: bytes written, and the processor's time."""
    for columns, rows in TARGETS:
        written, cpu_percent = [], []
        with _open_app(context.folder("home"), SAMPLE_FLEET, (columns, rows)) as terminal:
            terminal.wait_until_quiet(2.0)
            for _ in range(min(context.runs, 3)):
                size, cpu_before = terminal.size, cpu_seconds(terminal.process.pid)
                _read_for(terminal, IDLE_SECONDS)
                written.append(terminal.size - size)
                cpu_percent.append(100 * (cpu_seconds(terminal.process.pid) - cpu_before) / IDLE_SECONDS)
        name, most = f"idle for 5 s at {columns}x{rows}", max(cpu_percent)
        yield Result(f"{name}: written", max(written), 0, " B", "the most of all runs")
        yield Result(f"{name}: processor", median(cpu_percent), 1, " %", f"at most {most:.2g} %")


@benchmark("move")
def move(context: BenchmarkContext) -> Iterator[Result]:
    """To the next model and to the next metric: bytes, and milliseconds until the last of them."""
    for size, targets in TARGETS.items():
        with _open_app(context.folder("home"), SAMPLE_FLEET, size) as terminal:
            for action, keys in {"next model": (b"j", b"k"), "next metric": (b"\x1b[D", b"\x1b[C")}.items():
                yield from _time_moves(context, terminal, f"{action} at {size[0]}x{size[1]}", keys, targets.move)


def _time_moves(
    context: BenchmarkContext, terminal: Terminal, name: str, keys: tuple[bytes, bytes], target: float
) -> Iterator[Result]:
    sizes, latencies = [], []
    for number in range(2 * context.runs):
        size, sent_at = terminal.size, terminal.send_keys(keys[number % 6 >= 3])
        terminal.wait_until_quiet(QUIET_SECONDS)
        sizes.append(terminal.size - size)
        latencies.append(1000 * (terminal.reads[-1][0] - sent_at))
    yield Result(f"{name}: written", median(sizes) / 1000, target, " kB", f"at most {max(sizes) / 1000:.3g} kB")
    yield Result(f"{name}: until the last byte", median(latencies), 50, " ms", f"at most {max(latencies):.0f} ms")


@benchmark("full-screen")
def full_screen(context: BenchmarkContext) -> Iterator[Result]:
    """All that is written from exec until the first full screen is complete."""
    for size, targets in TARGETS.items():
        sizes, frames = [], []
        for _ in range(context.runs):
            with _open_app(context.folder("home"), SAMPLE_FLEET, size) as terminal:
                sizes.append(terminal.size / 1000)
                frames.append(terminal.frames)
        name = f"first full screen at {size[0]}x{size[1]}: written"
        yield Result(name, median(sizes), targets.full_screen, " kB", f"in {median(frames):.0f} frames")


@benchmark("slow-quit")
def slow_quit(context: BenchmarkContext) -> Iterator[Result]:
    """From `q` to the end of the process on a 10 kB/s terminal, while data arrive five times a second."""
    durations = []
    for number in range(context.runs):
        folder = context.folder(f"live-{number}") / "fleet"
        shutil.copytree(SAMPLE_FLEET, folder)
        alert, stop = worst_alert(context.folder("home"), folder), threading.Event()
        feeder = threading.Thread(target=_append_rows, args=(folder / f"{alert.model}.csv", stop))
        with modeltop(context.folder("home"), folder, rate=SLOW_BYTES_PER_SECOND) as terminal:
            terminal.wait_for([alert.message])
            terminal.wait_until_live(0.5)
            feeder.start()
            try:
                _read_for(terminal, 3.0)
                durations.append(-terminal.send_keys(b"q") + terminal.wait_for_exit())
            finally:
                stop.set()
                feeder.join()
    yield Result("quit at 10 kB/s while data arrive", median(durations), 1, " s", f"at most {max(durations):.2g} s")


def _append_rows(path: Path, stop: threading.Event) -> None:
    number = 0
    while not stop.wait(0.2):
        number += 1
        append(path, next_row(path, accuracy=f"{0.5 + number % 7 / 20:.4f}", f1_score=f"{0.6 + number % 5 / 20:.4f}"))


def _read_for(terminal: Terminal, seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        terminal.read(0.02)


def _open_app(home: Path, path: Path, size: tuple[int, int] = SMALL) -> Terminal:
    terminal = modeltop(home, path, size=size)
    terminal.wait_for([worst_alert(home, path).message])
    terminal.wait_until_live(QUIET_SECONDS)
    return terminal
