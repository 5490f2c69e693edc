"""`modeltop record`: one period from the arguments, or many from stdin, into the store."""

from __future__ import annotations

import argparse
import math
from datetime import datetime

from modeltop.cli.context import Context, add_config
from modeltop.cli.record_stream import record_stream, recorded_message
from modeltop.config.load import Config
from modeltop.core.errors import UsageError
from modeltop.core.text import sanitize
from modeltop.history.csv.cells import parse_number
from modeltop.history.recording import parse_date, period_row
from modeltop.history.store.paths import network_filesystem
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store

EXIT_REFUSED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `record` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="the model's name; `-` reads CSV rows with a header from stdin")
    parser.add_argument(
        "pairs",
        nargs="*",
        metavar="METRIC=VALUE",
        help="what was measured; METRIC_count=N is the number of cases behind METRIC",
    )
    parser.add_argument("--date", metavar="DATE", help="start of the period, ISO 8601 (default: now)")
    parser.add_argument("--count", metavar="N", help="rows of the period")
    parser.add_argument("--segment", metavar="S", default="all", help="such as COLUMN=VALUE (default: all)")
    parser.add_argument(
        "--provisional", action="store_true", help="the period is not complete yet: it is shown, not evaluated"
    )
    add_config(parser)
    parser.epilog = "Exit codes: 0 all saved, 1 some rows refused, 2 nothing saved (usage error, or the store failed)."


def run(args: argparse.Namespace, context: Context) -> int:
    """Append the rows of the arguments or stdin to the store; 1 if some rows were refused."""
    config = context.load_config(args)
    folder = context.store_folder(args)
    is_stream = args.model == "-"
    if is_stream and (args.pairs or args.date or args.count or args.provisional or args.segment != "all"):
        raise UsageError("with `-`, give date, model and values as columns on stdin")
    rows = [] if is_stream else [_row(args, config, context.clock())]
    if kind := network_filesystem(folder):
        context.err_line(
            f"{sanitize(folder)} is on {kind}, where locks are not reliable: let each writer have a store of its own"
        )
    store = Store(folder)
    if is_stream:
        return EXIT_REFUSED if record_stream(store, config, context) else 0
    store.append(rows)
    context.err_line(recorded_message(1, "period", [args.model], folder))
    return 0


def _row(args: argparse.Namespace, config: Config, now: datetime) -> PeriodRow:
    if not args.pairs:
        raise UsageError("nothing to record: give METRIC=NUMBER, such as accuracy=0.93, or `-` to read CSV from stdin")
    try:
        date = parse_date(args.date, config.zone) if args.date else now
    except ValueError as error:
        raise UsageError(f"--date: {error}") from None
    return period_row(
        args.model,
        list(map(_parse_pair, args.pairs)),
        date,
        catalog=config.catalog,
        count=None if args.count is None else _parse_number("--count", args.count),
        segment=args.segment,
        provisional=args.provisional or None,
    )


def _parse_pair(pair: str) -> tuple[str, float]:
    name, equals, text = pair.rpartition("=")
    if not equals or not name.strip():
        raise UsageError(f"{sanitize(pair, 60)}: write METRIC=NUMBER, such as accuracy=0.93")
    return name, _parse_number(name, text)


def _parse_number(name: str, text: str) -> float:
    try:
        value = parse_number(text)
    except ValueError as error:
        raise UsageError(f"{sanitize(name, 60)}: {error}") from None
    if math.isnan(value):  # also an empty cell
        raise UsageError(
            f"{sanitize(name, 60)}: invalid value `{sanitize(text, 40)}`: give a finite number, or leave it out"
        )
    return value
