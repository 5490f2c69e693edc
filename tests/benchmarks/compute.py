"""Prediction logs into history: beside a plain count of the same file, as rows, models and features grow."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.base import ROOT, Bench, Finding, Pairs, row
from tests.benchmarks.prediction_logs import write_log
from tests.benchmarks.programs import environment

MILLION = 1_000_000
MODELS, DAYS = 9, 30
REST = 1.2
"""Seconds that a process may take besides its query."""
MEMORY = 500
"""Megabytes."""


class Ran(NamedTuple):
    """One run of the command."""

    seconds: float
    megabytes: float
    said: str


@row("compute")
def compute(bench: Bench) -> Iterator[Finding]:
    """20 million rows of 270 model-days, and twice as many."""
    small = _log(bench, 20, models=MODELS, days=DAYS)
    pairs = _queried(small, bench.runs)
    yield Finding("20 M rows: query of compute / plain count", pairs.ratio, 3.0, " x", pairs.note("count"))
    bare = _queried(small, bench.runs, "0.5")
    yield Finding("20 M rows: the same, the scores alone", bare.ratio, 3.0, " x", bare.note("count"))
    ran = [_ran(bench, small) for _ in range(max(bench.runs, 1))]
    whole, peak = median(one.seconds for one in ran), max(one.megabytes for one in ran)
    query = median(pairs.ours)
    yield Finding("20 M rows: the rest of the process", max(whole - query, 0.0), REST, " s", f"of {whole:.2f} s in all")
    yield Finding("20 M rows: peak memory", peak, MEMORY, " MB", ran[-1].said)
    big = [_ran(bench, _log(bench, 40, models=MODELS, days=DAYS)) for _ in range(max(bench.runs // 2, 1))]
    twice = median(one.seconds for one in big)
    yield Finding("40 M rows / 20 M rows: time", twice / whole, 2.0, " x", f"{twice:.2f} s, {whole:.2f} s")
    yield Finding("40 M rows: peak memory", max(one.megabytes for one in big), MEMORY, " MB", big[-1].said)


@row("compute-fleet")
def fleet(bench: Bench) -> Iterator[Finding]:
    """More models and periods: 1,000 models over 365 days, and a quarter of them, at as many rows a model-day."""
    part, whole = (_ran(bench, _log(bench, rows, models=models, days=365)) for rows, models in ((5, 250), (20, 1_000)))
    note = f"{part.seconds:.1f} s, {whole.seconds:.1f} s"
    yield Finding("1,000 x 365 / 250 x 365 model-days: time", whole.seconds / part.seconds, 4.4, " x", note)
    yield Finding(
        "1,000 x 365 model-days: peak memory", whole.megabytes, MEMORY, " MB", f"{part.megabytes:.0f} MB of 250"
    )


@row("compute-drift")
def drift(bench: Bench) -> Iterator[Finding]:
    """Drift of features: 50 over a million rows and 30 days; half the features, half the rows."""
    names = {"all": (1.0, 50), "half the features": (1.0, 25), "half the rows": (0.5, 50)}
    found = {name: _drifted(bench, rows, features) for name, (rows, features) in names.items()}
    whole = found.pop("all")
    yield Finding("50 features, 1 M rows, 30 days: time", whole.seconds, None, " s", whole.said)
    yield Finding("50 features, 1 M rows, 30 days: peak memory", whole.megabytes, None, " MB")
    for name, part in found.items():
        note = f"{part.seconds:.2f} s, {part.megabytes:.0f} MB"
        yield Finding(f"50 features, 1 M rows / {name}: time", whole.seconds / part.seconds, 2.2, " x", note)


def _drifted(bench: Bench, rows: float, features: int) -> Ran:
    path = _log(bench, rows, models=1, days=30, features=features)
    return _ran(bench, path, "--feature", "all", "--reference", "2025-01-01..2025-01-07")


def _log(bench: Bench, millions: float, *, models: int, days: int, features: int = 0) -> Path:
    path = bench.folder("logs") / f"{millions:g}-{models}-{days}-{features}.parquet"
    if not path.exists():
        write_log(path, int(millions * MILLION), models=models, days=days, features=features)
    return path


def _queried(path: Path, runs: int, *threshold: str) -> Pairs:
    argv = [sys.executable, "-m", "tests.benchmarks.query_timing", str(path), str(runs), *threshold]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found = json.loads(done.stdout)
    return Pairs(ours=found["query"], theirs=found["count"])


def _ran(bench: Bench, path: Path, *flags: str) -> Ran:
    """The whole command in a process of its own, into an empty store."""
    store, home = bench.folder("store"), bench.folder("home")
    shutil.rmtree(store)
    argv = [sys.executable, "-m", "modeltop", "compute", str(path), "--store", str(store), *flags]
    said = bench.folder("said") / "stderr"
    with said.open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(argv, cwd=ROOT, env=environment(home), stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = said.read_text(encoding="utf-8").splitlines()
    if process.returncode:
        raise RuntimeError(lines[-1] if lines else f"ended with {process.returncode}")
    told = next((line for line in lines if " periods of " in line), lines[-1])
    return Ran(seconds, usage.ru_maxrss / 1024, told.removeprefix("modeltop: "))
