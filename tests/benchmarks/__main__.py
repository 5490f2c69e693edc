"""Prints the figures of this machine: `python -m tests.benchmarks [ROW ...] [--runs N] [--list]`."""

import argparse
import os
import sys
from importlib import import_module

from tests.benchmarks.base import ROWS, Bench, Finding

for room in (
    "startup",
    "screen",
    "fleet",
    "kills",
    "delivery",
    "message_volume",
    "soak",
    "compute",
    "detection.drops",
    "detection.false_alerts",
    "detection.alerts",
    "detection.patterns",
    "detection.causes",
    "journeys",
    "census",
):
    import_module(f"tests.benchmarks.{room}")  # each enters its rows, in this order


def main(argv: list[str] | None = None) -> int:
    """Measure the rows that were asked for, all of them by default; 0 even where a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="see --list")
    parser.add_argument("--runs", type=int, default=7, help="of each thing (default: %(default)s); medians are printed")
    parser.add_argument("--list", action="store_true", help="name the rows and measure nothing")
    args = parser.parse_args(argv)
    if unknown := [name for name in args.rows if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if args.list:
        for one in ROWS.values():
            print(f"{one.name:<18} {one.title}")
        return 0
    print(f"medians of {args.runs} runs, {os.cpu_count()} cores, Python {sys.version.split()[0]}", flush=True)
    with Bench(args.runs) as bench:
        for name in args.rows or ROWS:
            try:
                for finding in ROWS[name].measure(bench):
                    print(finding.line(), flush=True)
            except (TimeoutError, OSError, RuntimeError) as error:
                print(Finding(name, None, note=str(error)).line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
