"""Time of `check` on a series of a million minutes, beside pandas, and on ten courses of such a series."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.base import BenchmarkContext, Result, benchmark, time_interleaved
from tests.benchmarks.programs import MODELTOP, environment

ROWS = 1_000_000
START = np.datetime64("2023-01-01T00:00")
READ_CSV = "import sys, pandas; pandas.read_csv(sys.argv[1])"
Floats = NDArray[np.float64]


def _noise(rows: int) -> Floats:
    return np.random.default_rng(20250701).normal(0.93, 0.01, rows)


def _outages(rows: int, every: int) -> Floats:
    return _noise(rows) - 0.1 * (np.arange(rows) % every < every // 3)


COURSES: Mapping[str, Callable[[int], Floats]] = {
    "healthy": _noise,
    "a drop": lambda rows: _noise(rows) - 0.08 * (np.arange(rows) > 0.7 * rows),
    "a slow decline": lambda rows: _noise(rows) - np.linspace(0, 0.2, rows),
    "5,000 alerts": lambda rows: _outages(rows, 200),
    "50,000 alerts": lambda rows: _outages(rows, 20),
    "one value": lambda rows: np.full(rows, 0.93),
    "few values": lambda rows: _noise(rows).round(2),
    "rare events": lambda rows: (np.random.default_rng(1).random(rows) < 0.05).astype(float),
    "heavy tails": lambda rows: 0.93 + 0.01 * np.random.default_rng(1).standard_t(1.5, rows).clip(-90, 6),
    "gaps": lambda rows: np.where(np.random.default_rng(1).random(rows) < 0.1, np.nan, _noise(rows)),
}
"""What a series may be like: values of so many rows, by name."""
MOST_ALERTS = "50,000 alerts"


def write_series(path: Path, values: Floats, metric: str = "accuracy") -> Path:
    """Write one value a minute, NaN as an empty cell, and return the file."""
    minutes = np.datetime_as_string(START + np.arange(len(values)).astype("timedelta64[m]"), unit="m")
    cells = ["" if np.isnan(value) else f"{value:.6f}" for value in values.tolist()]
    lines = map(",".join, zip(minutes.tolist(), cells, strict=True))
    path.write_text(f"date,{metric}\n" + "\n".join(lines) + "\n", encoding="ascii")
    return path


@benchmark("long-series")
def long_series(context: BenchmarkContext) -> Iterator[Result]:
    """`check` on a million rows of one series, whole process, beside `pandas.read_csv` of the same file."""
    folder, home = context.folder("long-series"), context.folder("home")

    def time_process(*argv: str) -> float:
        started_at = time.perf_counter()
        subprocess.run(argv, env=environment(home), cwd=home, stdout=subprocess.DEVNULL, check=False)
        return time.perf_counter() - started_at

    def time_check(path: Path) -> float:
        return time_process(*MODELTOP, "check", str(path))

    healthy = write_series(folder / "healthy.csv", COURSES["healthy"](ROWS))
    unknown = write_series(folder / "unknown.csv", COURSES["healthy"](ROWS), "blorp")
    for name, path, target in (("accuracy", healthy, 3.0), ("an unknown metric", unknown, None)):
        timings = time_interleaved(
            context.runs,
            lambda path=path: time_check(path),
            lambda path=path: time_process(sys.executable, "-c", READ_CSV, str(path)),
        )
        yield Result(f"check on a million rows / read_csv, {name}", timings.ratio, target, " x", timings.note("pandas"))
    for name in [name for name in COURSES if name != "healthy"]:
        path = write_series(folder / "other.csv", COURSES[name](ROWS))
        timings = time_interleaved(1, lambda path=path: time_check(path), lambda: time_check(healthy))
        target = 10.0 if name == MOST_ALERTS else None
        yield Result(f"check on a million rows / healthy, {name}", timings.ratio, target, " x", timings.note("healthy"))
