"""`modeltop record`: one period from the arguments, or many from stdin, into the store."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from modeltop.cli.context import Context, add_config
from modeltop.cli.record_stream import record_stream, recorded_message
from modeltop.config.load import Config
from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.text import holds_credentials, sanitize
from modeltop.history.csv.cells import COUNT, bounds_message, parse_number
from modeltop.history.csv.dates import parse_microseconds
from modeltop.history.store.paths import network_filesystem
from modeltop.history.store.row_format import COMPANIONS, PeriodRow
from modeltop.history.store.writer import Store

EXIT_REFUSED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `record` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="the model's name; `-` reads CSV rows with a header from stdin")
    parser.add_argument(
        "pairs",
        nargs="*",
        metavar="METRIC=VALUE",
        help="what was measured; METRIC_count=N is the number of cases that METRIC rests on",
    )
    parser.add_argument("--date", metavar="DATE", help="start of the period, ISO 8601 (default: now)")
    parser.add_argument("--count", metavar="N", help="rows of the period")
    parser.add_argument("--segment", metavar="S", default="all", help="such as COLUMN=VALUE (default: all)")
    parser.add_argument(
        "--provisional", action="store_true", help="the period is not complete yet: shown, never judged"
    )
    add_config(parser)
    parser.epilog = "exit codes: 0 all kept, 1 some rows refused, 2 nothing kept: usage error, or the store failed"


def run(args: argparse.Namespace, context: Context) -> int:
    """Append the rows of the arguments or stdin to the store; 1 if some rows were refused."""
    config = context.load_config(args)
    folder = context.store_folder(args)
    is_stream = args.model == "-"
    for name in filter(holds_credentials, (args.model, args.segment)):
        raise UsageError(f"{sanitize(name, 60)} holds a password or a token: name the model and the segment without it")
    if is_stream and (args.pairs or args.date or args.count or args.provisional or args.segment != "all"):
        raise UsageError("with `-` the rows say date, model and values: give them as columns on stdin")
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
    numbers = _numbers(args.pairs, config.catalog)
    fields: dict[str, dict[str, float]] = {name: {} for name in ("values", *COMPANIONS.values())}
    for name, value in numbers.items():
        suffix = next((tail for tail in COMPANIONS if name.endswith(tail) and name.removesuffix(tail) in numbers), "")
        fields[COMPANIONS.get(suffix, "values")][name.removesuffix(suffix)] = value
    for metric, value in fields["values"].items():
        _check(metric, value, config.catalog.as_written(metric))
    for metric, value in fields["supports"].items():
        _check(f"{metric}_count", value, COUNT)
    return PeriodRow(
        args.model,
        _date(args.date, config) if args.date else now,
        count=None if args.count is None else _check("--count", _number("--count", args.count), COUNT),
        segment=args.segment,
        provisional=args.provisional or None,
        **fields,
    )


def _numbers(pairs: Iterable[str], catalog: MetricRegistry) -> dict[str, float]:
    """Return the numbers by the name that they are stored under, whatever its suffix."""
    numbers: dict[str, float] = {}
    for pair in pairs:
        name, equals, text = pair.rpartition("=")
        if not equals or not name.strip():
            raise UsageError(f"{sanitize(pair, 60)}: write METRIC=NUMBER, such as accuracy=0.93")
        name = catalog.stored_name(name.strip())
        suffix = next((tail for tail in COMPANIONS if name.endswith(tail)), "")
        name = catalog.stored_name(name.removesuffix(suffix)) + suffix
        if name in numbers:
            raise UsageError(f"{sanitize(name, 60)} is given twice: give it once")
        numbers[name] = _number(name, text)
    if not numbers:
        raise UsageError("nothing to record: give METRIC=NUMBER, such as accuracy=0.93, or `-` to read CSV from stdin")
    return numbers


def _number(name: str, text: str) -> float:
    try:
        value = parse_number(text)
    except ValueError as error:
        raise UsageError(f"{sanitize(name, 60)}: {error}") from None
    if not math.isfinite(value):
        raise UsageError(
            f"{sanitize(name, 60)}: `{sanitize(text, 40)}` is no value to keep: give a finite number, or leave it out"
        )
    return value


def _check(name: str, value: float, metric: Metric) -> float:
    if not metric.within_bounds(value):
        raise UsageError(f"{sanitize(name, 60)}: {bounds_message(value, metric)}")
    return value


def _date(text: str, config: Config) -> datetime:
    try:
        first, second = (parse_microseconds(text, config.zone, fold) for fold in (0, 1))
    except ValueError as error:
        raise UsageError(f"--date: {error}") from None
    if first != second:
        raise UsageError(f"--date: {sanitize(text, 40)} comes twice in {config.zone}: add the offset, such as +01:00")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first)
