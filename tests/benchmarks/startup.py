"""Time to the first frame, to the worst alert, and of `check`."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from tests.benchmarks.base import ROOT, BenchmarkContext, Result, benchmark, time_interleaved
from tests.benchmarks.programs import (
    EMPTY_APP,
    MODELTOP,
    READY_TEXT,
    SAMPLE_FLEET,
    clear_state,
    environment,
    record_leet_run,
    time_to_show,
    worst_alert,
)
from tests.benchmarks.terminal import Terminal

QUIET_SECONDS = 0.4
"""Seconds without output after which the app has shown everything."""


@benchmark("seen-before")
def warm_start(context: BenchmarkContext) -> Iterator[Result]:
    """Exec to the worst alert on screen, data seen before, beside `wandb leet`."""
    yield from _compare_with_leet(context, "worst alert, data seen before / wandb leet", 0.3, cold=False)


@benchmark("first-sight")
def cold_start(context: BenchmarkContext) -> Iterator[Result]:
    """Exec to the worst alert on screen, at first sight, beside `wandb leet`."""
    yield from _compare_with_leet(context, "worst alert, first sight / wandb leet", 1.0, cold=True)


def _compare_with_leet(context: BenchmarkContext, name: str, target: float, *, cold: bool) -> Iterator[Result]:
    ten_days = ROOT / "sample_data" / "model_performance_tracking.csv"
    for label, path in {"fleet": SAMPLE_FLEET, "10 days": ten_days}.items():
        leet_run = record_leet_run(context.folder(f"leet-{cold}-{label}"), _steps(path))
        if leet_run is None:
            yield Result(f"{name}, {label}", None, target, " x", "wandb leet not installed")
            continue
        home = context.folder("home")
        expected_text = [*worst_alert(home, path)][1:]

        def time_app(home: Path = home, path: Path = path, expected_text: Sequence[str] = expected_text) -> float:
            if cold:
                clear_state(home)
            return time_to_show(home, path, expected_text, QUIET_SECONDS)

        timings = time_interleaved(context.runs, time_app, leet_run.time_to_open)
        yield Result(f"{name}, {label}", timings.ratio, target, " x", timings.note("leet"))


def _steps(path: Path) -> list[Mapping[str, float]]:
    """Return the metrics under a path as a run would log them, one step for each period."""
    history = Reader([path], catalog=MetricRegistry()).read()
    steps: dict[int, dict[str, float]] = {}
    many_models = len({key.model for key in history.series}) > 1
    for key, series in history.series.items():
        name = f"{key.model}/{key.metric}" if many_models else key.metric
        for timestamp, value in zip(series.times.tolist(), series.values.tolist(), strict=True):
            steps.setdefault(timestamp, {})[name] = value
    return [steps[timestamp] for timestamp in sorted(steps)]


@benchmark("first-frame")
def first_frame(context: BenchmarkContext) -> Iterator[Result]:
    """Exec to anything to read at all, and to the first full frame of the app itself, beside an empty Textual app."""
    home = context.folder("home")

    def warm(texts: Sequence[str]) -> float:
        return time_to_show(home, SAMPLE_FLEET, texts, QUIET_SECONDS)

    def cold(texts: Sequence[str]) -> float:
        clear_state(home)
        return warm(texts)

    def empty_app() -> float:
        with Terminal(EMPTY_APP, env=environment(home), cwd=home) as terminal:
            return terminal.wait_for(["empty"]).seconds

    for start, time_app, text in (("first sight", cold, "modeltop"), ("data seen before", warm, "1 Models")):
        timings = time_interleaved(context.runs, lambda time_app=time_app, text=text: time_app([text]), empty_app)
        yield Result(f"first to read, {start} / empty Textual app", timings.ratio, 1.3, " x", timings.note("empty app"))
    timings = time_interleaved(context.runs, lambda: cold(READY_TEXT), empty_app)
    yield Result("the app's own first frame / empty Textual app", timings.ratio, None, " x", timings.note("empty app"))


@benchmark("check")
def check(context: BenchmarkContext) -> Iterator[Result]:
    """`check` on the sample fleet, whole process, beside `import pandas`."""
    home = context.folder("home")

    def time_process(*argv: str) -> float:
        started_at = time.perf_counter()
        subprocess.run(argv, env=environment(home), cwd=home, stdout=subprocess.DEVNULL, check=False)
        return time.perf_counter() - started_at

    timings = time_interleaved(
        context.runs,
        lambda: time_process(*MODELTOP, "check", str(SAMPLE_FLEET)),
        lambda: time_process(sys.executable, "-c", "import pandas"),
    )
    yield Result("check on the sample fleet / import pandas", timings.ratio, 1.3, " x", timings.note("pandas"))
