"""`modeltop export`: the periods as a table, for a person, a file or a spreadsheet."""

from __future__ import annotations

import argparse
from pathlib import Path

from modeltop.cli.context import Context, add_data
from modeltop.config.load import Config
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize
from modeltop.history.export import format_table, to_csv_bytes, to_frame, without_stem_as_model
from modeltop.history.locations import is_address
from modeltop.history.reader import Reader
from modeltop.history.store.durable import write_atomically

PREVIEW = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export` to its parser."""
    add_data(parser)
    parser.add_argument("--head", type=int, metavar="N", help="only the first N periods")
    parser.add_argument("--csv", metavar="FILE", help="write the exact table to FILE (overwritten), `-` for stdout")
    parser.add_argument(
        "--spreadsheet",
        action="store_true",
        help="CSV that is safe in a spreadsheet: text that looks like a formula gets a leading apostrophe",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the periods, or write them; a file is called saved once it has been read back and compared."""
    if args.head is not None and args.head < 1:
        raise UsageError("--head: write a whole number, 1 or more")
    config = context.load_config(args)
    history = context.pipeline(args).read_history()
    if not history.series and any(problem.fatal for problem in history.problems):
        raise UsageError(context.nothing_read(history, "nothing to export"))
    table = to_frame(history, head=args.head)
    if args.csv is None and not args.spreadsheet:
        context.out_lines(format_table(table, config.catalog))
    else:
        data = to_csv_bytes(without_stem_as_model(table, history), zone=config.zone, spreadsheet=args.spreadsheet)
        if args.csv in (None, "-"):
            context.flush()
            context.write(data.decode("utf-8"))
        else:
            _save(Path(args.csv), data, config, context)
    context.err_problems(history.problems)
    return 0


def _save(path: Path, data: bytes, config: Config, context: Context) -> None:
    if is_address(str(path)):
        raise UsageError(f"--csv {sanitize(path)} is an address: name a file")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for --csv")
    write_atomically(path, data)
    if path.read_bytes() != data:
        raise UsageError(f"{path} does not read back as it was written; the disk or another writer changed it")
    saved = to_frame(Reader([str(path)], catalog=config.catalog, zone=config.zone).read())
    context.out_lines(format_table(saved.head(PREVIEW), config.catalog))
    preview = f"; the first {PREVIEW} are above" if len(saved) > PREVIEW else ""
    context.err_line(f"{pluralize(len(saved), 'period')} saved to {sanitize(path)} and verified{preview}")
