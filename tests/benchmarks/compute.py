"""Time and memory of `compute`, compared with a plain count, as rows, models and features grow."""

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

from tests.benchmarks.base import ROOT, BenchmarkContext, PairedTimings, Result, benchmark, time_interleaved
from tests.benchmarks.prediction_logs import write_log
from tests.benchmarks.programs import environment, run_process

MILLION = 1_000_000
MODELS, DAYS = 9, 30
OVERHEAD_LIMIT = 1.2
"""Seconds that a process may take besides its query."""
MEMORY_LIMIT = 500
"""Megabytes."""
FLEET_CPU_LIMIT = 15.0
"""Seconds of processors for 1,000 models over 365 days."""
CONNECT = "import numpy, duckdb; duckdb.connect()"


class ComputeRun(NamedTuple):
    """Time, seconds of processors, peak memory and summary line of one run of the command."""

    seconds: float
    cpu: float
    megabytes: float
    summary: str


@benchmark("compute")
def compute(context: BenchmarkContext) -> Iterator[Result]:
    """20 million rows of 270 model-days, and twice as many."""
    small_log = _prediction_log(context, 20, models=MODELS, days=DAYS)
    timings = _time_queries(small_log, context.runs)
    yield Result("20 M rows: query of compute / plain count", timings.ratio, 3.0, " x", timings.note("count"))
    score_timings = _time_queries(small_log, context.runs, "0.5")
    yield Result("20 M rows: the same, the scores alone", score_timings.ratio, 3.0, " x", score_timings.note("count"))
    runs = [_run_compute(context, small_log) for _ in range(max(context.runs, 1))]
    total, peak = median(run.seconds for run in runs), max(run.megabytes for run in runs)
    query = median(timings.subject)
    yield Result(
        "20 M rows: the rest of the process", max(total - query, 0.0), OVERHEAD_LIMIT, " s", f"of {total:.2f} s in all"
    )
    yield Result("20 M rows: peak memory", peak, MEMORY_LIMIT, " MB", runs[-1].summary)
    large_runs = [
        _run_compute(context, _prediction_log(context, 40, models=MODELS, days=DAYS))
        for _ in range(max(context.runs // 2, 1))
    ]
    large_total = median(run.seconds for run in large_runs)
    yield Result("40 M rows / 20 M rows: time", large_total / total, 2.0, " x", f"{large_total:.2f} s, {total:.2f} s")
    yield Result(
        "40 M rows: peak memory", max(run.megabytes for run in large_runs), MEMORY_LIMIT, " MB", large_runs[-1].summary
    )


@benchmark("compute-start")
def start(context: BenchmarkContext) -> Iterator[Result]:
    """Start-up: 6,000 rows, in seconds of processors, against the import of what reads them."""
    log, home = _prediction_log(context, 0.006, models=1, days=30), context.folder("home")
    timings = time_interleaved(
        max(context.runs, 1),
        lambda: _run_compute(context, log).cpu,
        lambda: run_process([sys.executable, "-c", CONNECT], home).cpu,
    )
    yield Result("6,000 rows / import and connect: processors", timings.ratio, 2.0, " x", timings.note("import"))


@benchmark("compute-fleet")
def fleet(context: BenchmarkContext) -> Iterator[Result]:
    """More models and periods: 1,000 models over 365 days, and a quarter of them, at as many rows a model-day."""
    quarter, full = (
        _run_compute(context, _prediction_log(context, rows, models=models, days=365))
        for rows, models in ((5, 250), (20, 1_000))
    )
    note = f"{quarter.seconds:.1f} s, {full.seconds:.1f} s"
    yield Result("1,000 x 365 / 250 x 365 model-days: time", full.seconds / quarter.seconds, 4.4, " x", note)
    yield Result("1,000 x 365 model-days: seconds of processors", full.cpu, FLEET_CPU_LIMIT, " s")
    yield Result(
        "1,000 x 365 model-days: peak memory", full.megabytes, MEMORY_LIMIT, " MB", f"{quarter.megabytes:.0f} MB of 250"
    )


@benchmark("compute-drift")
def drift(context: BenchmarkContext) -> Iterator[Result]:
    """Drift of features: 50 over a million rows and 30 days; half the features, half the rows."""
    variants = {"all": (1.0, 50), "half the features": (1.0, 25), "half the rows": (0.5, 50)}
    runs = {name: _run_drift(context, rows, features) for name, (rows, features) in variants.items()}
    full = runs.pop("all")
    yield Result("50 features, 1 M rows, 30 days: time", full.seconds, None, " s", full.summary)
    yield Result("50 features, 1 M rows, 30 days: peak memory", full.megabytes, None, " MB")
    for name, partial in runs.items():
        note = f"{partial.seconds:.2f} s, {partial.megabytes:.0f} MB"
        yield Result(f"50 features, 1 M rows / {name}: time", full.seconds / partial.seconds, 2.2, " x", note)


def _run_drift(context: BenchmarkContext, rows: float, features: int) -> ComputeRun:
    path = _prediction_log(context, rows, models=1, days=30, features=features)
    return _run_compute(context, path, "--feature", "all", "--reference", "2025-01-01..2025-01-07")


def _prediction_log(context: BenchmarkContext, millions: float, *, models: int, days: int, features: int = 0) -> Path:
    path = context.folder("logs") / f"{millions:g}-{models}-{days}-{features}.parquet"
    if not path.exists():
        write_log(path, int(millions * MILLION), models=models, days=days, features=features)
    return path


def _time_queries(path: Path, runs: int, *threshold: str) -> PairedTimings:
    argv = [sys.executable, "-m", "tests.benchmarks.query_timing", str(path), str(runs), *threshold]
    completed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise RuntimeError(completed.stderr.strip().splitlines()[-1])
    timings = json.loads(completed.stdout)
    return PairedTimings(subject=timings["query"], baseline=timings["count"])


def _run_compute(context: BenchmarkContext, path: Path, *flags: str) -> ComputeRun:
    """Run the whole command in a process of its own, into an empty store."""
    store, home = context.folder("store"), context.folder("home")
    shutil.rmtree(store)
    argv = [sys.executable, "-m", "modeltop", "compute", str(path), "--store", str(store), *flags]
    stderr_path = context.folder("stderr") / "compute.txt"
    with stderr_path.open("wb") as err:
        started_at = time.perf_counter()
        process = subprocess.Popen(argv, cwd=ROOT, env=environment(home), stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - started_at
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = stderr_path.read_text(encoding="utf-8").splitlines()
    if process.returncode:
        raise RuntimeError(lines[-1] if lines else f"ended with {process.returncode}")
    summary = next((line for line in lines if " periods of " in line), lines[-1])
    cpu = usage.ru_utime + usage.ru_stime
    return ComputeRun(elapsed, cpu, usage.ru_maxrss / 1024, summary.removeprefix("modeltop: "))
