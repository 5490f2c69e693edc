"""Prints the figures of this machine: `python -m tests.benchmarks [ROW ...] [--runs N] [--list]`."""

import argparse
import os
import sys
from importlib import import_module

from tests.benchmarks.base import BENCHMARKS, BenchmarkContext, Result
from tests.benchmarks.detection.front_door.benchmark import add_options as add_cause_options

for module in (
    "startup",
    "screen",
    "fleet",
    "long_series",
    "kills",
    "delivery",
    "message_volume",
    "soak",
    "compute",
    "detection.drops",
    "detection.false_alerts",
    "detection.alerts",
    "detection.patterns",
    "detection.front_door.benchmark",
    "detection.goals",
    "journeys",
    "census",
):
    import_module(f"tests.benchmarks.{module}")  # each registers its benchmarks, in this order


def main(argv: list[str] | None = None) -> int:
    """Run the named benchmarks, all of them by default; the exit code is 0 even where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="see --list")
    parser.add_argument("--runs", type=int, default=7, help="of each thing (default: %(default)s); medians are printed")
    parser.add_argument("--list", action="store_true", help="name the rows and measure nothing")
    add_cause_options(parser)
    args = parser.parse_args(argv)
    if unknown := [name for name in args.rows if name not in BENCHMARKS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if args.list:
        for benchmark in BENCHMARKS.values():
            print(f"{benchmark.name:<18} {benchmark.title}")
        return 0
    print(f"medians of {args.runs} runs, {os.cpu_count()} cores, Python {sys.version.split()[0]}", flush=True)
    with BenchmarkContext(args.runs, args) as context:
        for name in args.rows or BENCHMARKS:
            try:
                for result in BENCHMARKS[name].measure(context):
                    print(result.format_line(), flush=True)
            except (TimeoutError, OSError, RuntimeError) as error:
                print(Result(name, None, note=str(error)).format_line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
