"""What the screen costs: bytes, milliseconds, and the processor's time while nobody does anything."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.fleet_data import append, next_row
from tests.benchmarks.programs import SAMPLE, modeltop, worst
from tests.benchmarks.terminal import Terminal

QUIET = 0.4
"""Seconds without a byte after which a screen is taken to be complete."""
IDLE = 5.0
SLOW = 10_000
"""Bytes a second."""


@row("idle")
def idle(bench: Bench) -> Iterator[Finding]:
    """Idle for 5 s: bytes written, and the processor's time."""
    home, written, shares = bench.folder("home"), [], []
    with _opened(home, SAMPLE) as terminal:
        terminal.settle(2.0)
        for _ in range(min(bench.runs, 3)):
            size, used, began = terminal.size, terminal.cpu(), time.perf_counter()
            while time.perf_counter() - began < IDLE:
                terminal.read(0.1)
            written.append(terminal.size - size)
            shares.append(100 * (terminal.cpu() - used) / IDLE)
    yield Finding("idle for 5 s: written", max(written), 0, " B", "the most of all runs")
    yield Finding("idle for 5 s: processor", median(shares), 1, " %", f"at most {max(shares):.2g} %")


@row("move")
def move(bench: Bench) -> Iterator[Finding]:
    """To the next model and to the next metric: bytes, and milliseconds until the last of them."""
    with _opened(bench.folder("home"), SAMPLE) as terminal:
        for what, (there, back) in {"next model": (b"j", b"k"), "next metric": (b"\x1b[D", b"\x1b[C")}.items():
            sizes, times = [], []
            for number in range(2 * bench.runs):
                size, moment = terminal.size, terminal.type(there if number % 6 < 3 else back)
                terminal.settle(QUIET)
                sizes.append(terminal.size - size)
                times.append(1000 * (terminal.arrivals[-1][0] - moment))
            yield Finding(f"{what}: written", median(sizes) / 1000, 12, " kB", f"at most {max(sizes) / 1000:.3g} kB")
            yield Finding(f"{what}: until the last byte", median(times), 50, " ms", f"at most {max(times):.0f} ms")


@row("full-screen")
def full_screen(bench: Bench) -> Iterator[Finding]:
    """All that is written from exec until the first full screen is complete."""
    sizes, frames = [], []
    for _ in range(bench.runs):
        with _opened(bench.folder("home"), SAMPLE) as terminal:
            sizes.append(terminal.size / 1000)
            frames.append(terminal.frames)
    yield Finding("first full screen: written", median(sizes), 30, " kB", f"in {median(frames):.0f} frames")


@row("slow-quit")
def slow_quit(bench: Bench) -> Iterator[Finding]:
    """From `q` to the end of the process on a 10 kB/s terminal, while data arrive five times a second."""
    took = []
    for number in range(bench.runs):
        folder = bench.folder(f"live-{number}") / "fleet"
        shutil.copytree(SAMPLE, folder)
        expected, over = worst(bench.folder("home"), folder), threading.Event()
        feed = threading.Thread(target=_feed, args=(folder / f"{expected.model}.csv", over))
        with modeltop(bench.folder("home"), folder, rate=SLOW) as terminal:
            terminal.until([expected.message])
            terminal.live(0.5)
            feed.start()
            try:
                _watch(terminal, 3.0)
                took.append(-terminal.type(b"q") + terminal.exited())
            finally:
                over.set()
                feed.join()
    yield Finding("quit at 10 kB/s while data arrive", median(took), 1, " s", f"at most {max(took):.2g} s")


def _feed(path: Path, over: threading.Event) -> None:
    number = 0
    while not over.wait(0.2):
        number += 1
        append(path, next_row(path, accuracy=f"{0.5 + number % 7 / 20:.4f}", f1_score=f"{0.6 + number % 5 / 20:.4f}"))


def _watch(terminal: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        terminal.read(0.02)


def _opened(home: Path, path: Path) -> Terminal:
    terminal = modeltop(home, path)
    terminal.until([worst(home, path).message])
    terminal.live(QUIET)
    return terminal
