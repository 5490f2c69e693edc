"""Times a full read of a path and one after an appended line; prints seconds and peak memory as JSON.

usage: python -m tests.benchmarks.reader_timing PATH [LINE]
"""

import json
import resource
import sys
import time
from pathlib import Path

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from tests.benchmarks.fleet_data import append


def main(path: str, line: str = "") -> None:
    """Read a path, append a line where one is given, and read again."""
    reader = Reader([path], catalog=MetricRegistry())
    started_at = time.perf_counter()
    points = sum(len(series.values) for series in reader.read().series.values())
    full = time.perf_counter() - started_at
    incremental = 0.0
    if line:
        append(Path(path), line)
        started_at = time.perf_counter()
        points_after = sum(len(series.values) for series in reader.read().series.values())
        incremental = time.perf_counter() - started_at
        if points_after < points:
            raise SystemExit(f"{points} points became {points_after}")
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"full": full, "incremental": incremental, "peak": peak, "points": points}))


if __name__ == "__main__":
    main(*sys.argv[1:])
