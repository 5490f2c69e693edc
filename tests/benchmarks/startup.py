"""How long a person waits: for the first frame, for the worst alert, for `check`."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from tests.benchmarks.base import ROOT, Bench, Finding, in_turns, row
from tests.benchmarks.programs import EMPTY, MODELTOP, READY, SAMPLE, environment, forget, leet, modeltop, worst
from tests.benchmarks.terminal import Terminal

QUIET = 0.4
"""Seconds without a byte after which the app is taken to have shown everything."""


@row("seen-before")
def seen_before(bench: Bench) -> Iterator[Finding]:
    """Exec to the worst alert on screen, data seen before, beside `wandb leet`."""
    yield from _beside_leet(bench, "worst alert, data seen before / wandb leet", 0.8, fresh=False)


@row("first-sight")
def first_sight(bench: Bench) -> Iterator[Finding]:
    """Exec to the worst alert on screen, at first sight, beside `wandb leet`."""
    yield from _beside_leet(bench, "worst alert, first sight / wandb leet", 1.2, fresh=True)


def _beside_leet(bench: Bench, what: str, figure: float, *, fresh: bool) -> Iterator[Finding]:
    for label, path in {"fleet": SAMPLE, "10 days": ROOT / "sample_data" / "model_performance_tracking.csv"}.items():
        other = leet(bench.folder(f"leet-{fresh}-{label}"), _steps(path))
        if other is None:
            yield Finding(f"{what}, {label}", None, figure, " x", "wandb leet not installed")
            continue
        home = bench.folder("home")
        words = [*worst(home, path)][1:]

        def opens(home: Path = home, path: Path = path, words: Sequence[str] = words) -> float:
            if fresh:
                forget(home)
            return _opens(home, path, words)

        pairs = in_turns(bench.runs, opens, other.opens)
        yield Finding(f"{what}, {label}", pairs.ratio, figure, " x", pairs.note("leet"))


def _opens(home: Path, path: Path, words: Sequence[str]) -> float:
    with modeltop(home, path) as terminal:
        shown = terminal.until(words)
        terminal.live(QUIET)
        terminal.type(b"q")
        terminal.exited()
    return shown.seconds


def _steps(path: Path) -> list[Mapping[str, float]]:
    """The metrics under path as a run would log them: a step a period."""
    history = Reader([path], catalog=MetricRegistry()).read()
    steps: dict[int, dict[str, float]] = {}
    several = len({key.model for key in history.series}) > 1
    for key, series in history.series.items():
        name = f"{key.model}/{key.metric}" if several else key.metric
        for time_, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
            steps.setdefault(time_, {})[name] = value
    return [steps[time_] for time_ in sorted(steps)]


@row("first-frame")
def first_frame(bench: Bench) -> Iterator[Finding]:
    """Exec to anything to read at all, and to the first full frame of the app itself, beside an empty Textual app."""
    home = bench.folder("home")

    def again(words: Sequence[str]) -> float:
        return _opens(home, SAMPLE, words)

    def fresh(words: Sequence[str]) -> float:
        forget(home)
        return again(words)

    def theirs() -> float:
        with Terminal(EMPTY, env=environment(home), cwd=home) as terminal:
            return terminal.until(["empty"]).seconds

    for when, ours, word in (("first sight", fresh, "modeltop"), ("data seen before", again, "1 Models")):
        pairs = in_turns(bench.runs, lambda ours=ours, word=word: ours([word]), theirs)
        yield Finding(f"first to read, {when} / empty Textual app", pairs.ratio, 1.3, " x", pairs.note("empty app"))
    pairs = in_turns(bench.runs, lambda: fresh(READY), theirs)
    yield Finding("the app's own first frame / empty Textual app", pairs.ratio, None, " x", pairs.note("empty app"))


@row("check")
def check(bench: Bench) -> Iterator[Finding]:
    """`check` on the sample fleet, whole process, beside `import pandas`."""
    home = bench.folder("home")

    def whole(*argv: str) -> float:
        began = time.perf_counter()
        subprocess.run(argv, env=environment(home), cwd=home, stdout=subprocess.DEVNULL, check=False)
        return time.perf_counter() - began

    pairs = in_turns(
        bench.runs,
        lambda: whole(*MODELTOP, "check", str(SAMPLE)),
        lambda: whole(sys.executable, "-c", "import pandas"),
    )
    yield Finding("check on the sample fleet / import pandas", pairs.ratio, 1.3, " x", pairs.note("pandas"))
