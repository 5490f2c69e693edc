"""A process that reads a path in full, then with one more line; prints seconds and its peak size as JSON.

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
    """Read, append, read again."""
    reader = Reader([path], catalog=MetricRegistry())
    began = time.perf_counter()
    points = sum(len(series.values) for series in reader.read().series.values())
    full = time.perf_counter() - began
    more = 0.0
    if line:
        append(Path(path), line)
        began = time.perf_counter()
        again = sum(len(series.values) for series in reader.read().series.values())
        more = time.perf_counter() - began
        if again < points:
            raise SystemExit(f"{points} points became {again}")
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"full": full, "more": more, "peak": peak, "points": points}))


if __name__ == "__main__":
    main(*sys.argv[1:])
