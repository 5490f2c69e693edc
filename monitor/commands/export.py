"""`modeltop export`: the periods as a table, for a person, a file or a spreadsheet."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor.commands.base import Context, add_config
from monitor.errors import UsageError

COLUMNS_SHOWN = 12
"""Cells of a metric's column on the screen; longer names are clipped there, never in a file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; without any, the store")
    add_config(parser)
    parser.add_argument("--head", type=_positive, metavar="N", help="only the first N periods")
    parser.add_argument("--csv", metavar="FILE", help="write the exact table to FILE (replaced whole), `-` for stdout")
    parser.add_argument(
        "--spreadsheet",
        action="store_true",
        help="a CSV in which a spreadsheet runs no text as a formula: such text gets a leading apostrophe",
    )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 up is expected")
    return number


def run(args: argparse.Namespace, context: Context) -> int:
    """Print or write the periods; what was written is read back and compared before it is called saved."""
    from monitor.commands.check import tell_problems
    from monitor.table import csv_bytes, lines, table_of

    args.below, args.above, args.now = [], [], None
    history = context.observer(args).history()
    table = table_of(history, head=args.head)
    if args.csv is None and not args.spreadsheet:
        for line in lines(table, history, context.config(args).catalog):
            context.say(line)
    else:
        data = csv_bytes(table, spreadsheet=args.spreadsheet)
        if args.csv in (None, "-"):
            context.out.flush()
            context.out.write(data.decode("utf-8"))
        else:
            _save(Path(args.csv), data, context)
    tell_problems(history.problems, context)
    return 0


def _save(path: Path, data: bytes, context: Context) -> None:
    from monitor.store.disk import write_atomically

    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for --csv")
    write_atomically(path, data)
    if path.read_bytes() != data:
        raise UsageError(f"{path} does not read back as it was written; the disk or another writer changed it")
    context.tell(f"{data.count(10) - 1:,} periods saved to {path}, read back equal")
