"""Time and memory of a fleet of a thousand models over two years, in the app and in the reader."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from modeltop.service.output_cache import SETTLED_SECONDS
from tests.benchmarks.base import BenchmarkContext, PairedTimings, Result, benchmark
from tests.benchmarks.fleet_data import WORST_MODEL, append, next_row
from tests.benchmarks.programs import (
    EMPTY_APP,
    MODELTOP,
    clear_state,
    environment,
    modeltop,
    run_process,
    time_to_show,
    worst_alert,
)
from tests.benchmarks.terminal import Terminal

MB = 1_000_000


READ_WITH_PANDAS = "import pandas, sys; [pandas.read_csv(path) for path in sys.argv[1:]]"


@benchmark("fleet")
def fleet(context: BenchmarkContext) -> Iterator[Result]:
    """1,000 models, 730 days, 6 metrics, beside `pandas.read_csv` of all files in a process of its own."""
    home, folder = context.folder("home"), context.fleet
    wait_until_settled(folder)
    paths = sorted(map(str, folder.glob("*.csv")))
    alert = worst_alert(home, folder)
    texts = [WORST_MODEL[:12], alert.message]
    pandas, first, second, sights = [], [], [], []
    peaks: list[int] = []
    for _ in range(context.runs):
        pandas.append(run_process([sys.executable, "-c", READ_WITH_PANDAS, *paths], home))
        clear_state(home)
        first.append(run_process([*MODELTOP, "check", str(folder)], home))
        second.append(run_process([*MODELTOP, "check", str(folder)], home))
        clear_state(home)
        sights.append(time_to_show(home, folder, texts, quiet_seconds=1.0))
    reads = [run.seconds for run in pandas]
    timings = PairedTimings(sights, reads)
    yield Result("fleet of 42 MB: first sight / pandas", timings.ratio, 0.8, " x", timings.note("pandas"))
    for name, checks, target in (("first", first, 1.2), ("unchanged", second, 0.4)):
        timings = PairedTimings([run.seconds for run in checks], reads)
        cpu = " and ".join(f"{median(run.cpu for run in runs):.2f}" for runs in (checks, pandas))
        note = f"{timings.note('pandas')}; CPU {cpu} s"
        yield Result(f"fleet of 42 MB: check, {name} / pandas", timings.ratio, target, " x", note)
    yield from _fleet_that_grows(context, texts, peaks)
    peak = max(median(peaks), median(run.peak for run in first)) / MB
    yield Result("fleet of 42 MB: peak resident size", peak, 300, " MB", "app with one more row, or check")


def _fleet_that_grows(context: BenchmarkContext, texts: list[str], peaks: list[int]) -> Iterator[Result]:
    home, path = context.folder("home"), context.fleet / f"{WORST_MODEL}.csv"
    warm, looks, appended = [], [], []
    for number in range(context.runs):
        warm.append(time_to_show(home, context.fleet, texts, quiet_seconds=1.0))
        for each in context.fleet.glob("*.csv"):
            append(each, next_row(each))
        after = worst_alert(home, context.fleet)
        with Terminal(EMPTY_APP, env=environment(home), cwd=home) as terminal:
            empty = terminal.wait_for(["empty"]).seconds
        looks.append(time_to_show(home, context.fleet, [after.message], quiet_seconds=1.0) - empty)
        with modeltop(home, context.fleet) as terminal:
            terminal.wait_for([after.message])
            terminal.wait_until_live(2.5)  # until every file has been polled again at least once
            value = 0.3 - number / 100
            appended_at = time.perf_counter()
            append(path, next_row(path, accuracy=f"{value:.4f}"))
            appended.append(terminal.wait_for([f"{value:.3f}"], since=appended_at).seconds)
            peaks.append(terminal.peak_memory())
        texts = [WORST_MODEL[:12], worst_alert(home, context.fleet).message]
        time_to_show(home, context.fleet, texts, quiet_seconds=1.0)
    note = f"at most {max(looks):.2f} s"
    yield Result("fleet of 42 MB: a day more, less an empty app", median(looks), 0.4, " s", note)
    yield Result("fleet of 42 MB: the worst, seen before", median(warm), 1.5, " s", f"at most {max(warm):.2f} s")
    yield Result("fleet of 42 MB: one more row on screen", median(appended), 2, " s", f"at most {max(appended):.2f} s")


def wait_until_settled(folder: Path) -> None:
    """Wait until no file is so young that what was found in it would not be saved."""
    changed_at = max(path.stat().st_ctime for path in (folder, *folder.iterdir()))
    time.sleep(max(0.0, changed_at + SETTLED_SECONDS + 1 - time.time()))


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
