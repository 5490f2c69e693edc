"""`modeltop export`: the periods as a table, for a person, a file or a spreadsheet."""

from __future__ import annotations

import argparse
from pathlib import Path

from modeltop.cli.context import Context, add_config, add_paths
from modeltop.config.load import Config
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize

PREVIEW = 5
"""Rows shown from the file that was written."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    add_paths(parser)
    add_config(parser)
    parser.set_defaults(below=[], above=[], now=None)
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
    from modeltop.cli.check import print_problems
    from modeltop.history.export import format_table, to_csv_bytes, to_frame

    config = context.load_config(args)
    history = context.pipeline(args).read_history()
    table = to_frame(history, head=args.head)
    if args.csv is None and not args.spreadsheet:
        for line in format_table(table, config.catalog):
            context.out_line(line)
    else:
        data = to_csv_bytes(table, zone=config.zone, spreadsheet=args.spreadsheet)
        if args.csv in (None, "-"):
            context.out.flush()
            context.out.write(data.decode("utf-8"))
        else:
            _save(Path(args.csv), data, config, context)
    print_problems(history.problems, context)
    return 0


def _save(path: Path, data: bytes, config: Config, context: Context) -> None:
    """Write, read back through the same door that history comes in by, and show the first rows from there."""
    from modeltop.history.export import format_table, to_frame
    from modeltop.history.reader import Reader
    from modeltop.history.store.durable import write_atomically

    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for --csv")
    write_atomically(path, data)
    if path.read_bytes() != data:
        raise UsageError(f"{path} does not read back as it was written; the disk or another writer changed it")
    saved = to_frame(Reader([str(path)], catalog=config.catalog, zone=config.zone).read())
    for line in format_table(saved.head(PREVIEW), config.catalog):
        context.out_line(line)
    shown = f"; the first {PREVIEW} are above" if len(saved) > PREVIEW else ""
    context.err_line(f"{pluralize(len(saved), 'period')} saved to {sanitize(path)} and read back equal{shown}")
