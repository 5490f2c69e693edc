"""`modeltop compute`: prediction logs into history."""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from modeltop.cli import open as open_command
from modeltop.cli.context import Context, add_config, add_now
from modeltop.cli.open import add_app_options
from modeltop.cli.progress_bar import show_progress
from modeltop.cli.targets import parse_duration
from modeltop.config.load import Config
from modeltop.config.predictions import COST_KEYS
from modeltop.core.errors import UsageError
from modeltop.core.text import format_minute, holds_credentials, pluralize, sanitize
from modeltop.history.store.generation import Undone, undo
from modeltop.predictions.job import ComputeResult, Confirm, compute
from modeltop.predictions.spec import ALL_FEATURES, LogSettings, LogSpec, Task

INSTALL = "reading logs needs Ibis and DuckDB: pip install 'modeltop[logs]'"

OPTIONS = (
    ("model", "NAME", "the model's name, or the column that holds it (default: `model`, else the file's name)"),
    ("timestamp", "COLUMN", "when the prediction was made"),
    ("timestamp_format", "FORMAT", "how it is written, such as %%d.%%m.%%y %%H:%%M (default: by the values)"),
    ("local_time", "ZONE", "time zone of timestamps that name none (default: UTC)"),
    ("prediction", "COLUMN", "what was predicted"),
    ("label", "COLUMN", "the actual outcome; empty while it is not known"),
    ("id", "COLUMN", "identifies a prediction, whose newest row counts; joins --labels, sorts rows of one time"),
    ("labels", "FILE", "labels that arrive in another file, joined by --id"),
    ("positive", "VALUE", "the value of the positive class"),
    ("period", "P", "15min, H, D, W, MS, QS, YS, 5000rows, or column=NAME (default: D)"),
    ("timezone", "ZONE", "time zone of the days (default: `timezone` of the configuration, then UTC)"),
    ("reference", "R", "COLUMN=VALUE or START..END: what drift is compared with, and estimates are calibrated on"),
    ("start", "DATE", "start of the first period, for a log without timestamps; needs --every"),
    ("every", "D", "length of a period, for a log without timestamps"),
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compute` to its parser."""
    parser.add_argument(
        "logs",
        nargs="*",
        metavar="LOG",
        help="CSV (.gz), Parquet or JSON lines, a folder or glob of them, FILE.duckdb::TABLE, CONNECTION::TABLE, "
        "or the name of a [logs.NAME] of the configuration (default: each of those)",
    )
    for name, metavar, text in OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    for name, metavar, text in (
        ("score", "[CLASS=]COLUMN", "the score of the positive class, or one for each class (repeatable)"),
        ("segment", "COLUMN", "each of its values is a segment (repeatable)"),
        ("feature", "COLUMN", "feature whose drift is measured (repeatable; `all`: every column without another role)"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=text)
    parser.add_argument(
        "--max-bad-rows", type=float, metavar="SHARE", help="share of rows that may be unreadable (default: 0.01)"
    )
    parser.add_argument("--keep-duplicates", action="store_true", help="count each row, though another has its --id")
    parser.add_argument("--task", choices=[task.value for task in Task], help="default: inferred from the columns")
    parser.add_argument("--threshold", type=float, metavar="T", help="a score of T or more is a positive prediction")
    parser.add_argument(
        "--cost", metavar="fp=1,fn=20", help="price of one error of each kind, for the cost per 1,000 rows"
    )
    parser.add_argument("--per-class", action="store_true", help="each class is a segment, class=NAME")
    parser.add_argument(
        "--label-delay",
        type=parse_duration,
        metavar="7d",
        help="how late labels may arrive (default: estimated from the log)",
    )
    parser.add_argument("--since", type=parse_duration, metavar="30d", help="only periods newer than this")
    parser.add_argument("--engine", metavar="E", help="duckdb (default), or Spark: spark://HOST:PORT, local[2]")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="overwrite stored periods that have more rows or labels than this log, or none in it (default: kept)",
    )
    parser.add_argument("--undo", action="store_true", help="restore the store as it was before the last change")
    parser.add_argument("--open", action="store_true", help="open the app on the result")
    add_now(parser, "the present: periods that end later are not complete")
    add_config(parser)
    add_app_options(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Compute the logs that the arguments name, or undo the last change."""
    folder = context.store_folder(args)
    if args.undo:
        if args.logs:
            raise UsageError("--undo restores the store; do not pass a log")
        context.err_line(_describe_undone(undo(folder), folder, context.clock()))
        return 0
    if args.model is not None and holds_credentials(args.model):
        raise UsageError(f"--model {sanitize(args.model, 60)} holds a password or a token: name the model without it")
    config = context.load_config(args)
    confirmation = _Confirmation(folder, context)
    try:
        result = _compute(settings(args, config), folder, args, config, context, confirmation)
    except _RefusedError:
        context.err_line("nothing was computed; correct the command above")
        return 0
    if not (args.open or confirmation.was_given):
        return 0
    values = vars(args) | {"paths": [], "now": args.now or result.newest, "below": [], "above": []}
    return open_command.run(argparse.Namespace(**values), context)


def _describe_undone(undone: Undone, folder: Path, now: datetime) -> str:
    last = f" the run of {format_minute(undone.run_at, now)}" if undone.run_at is not None else ""
    if undone.interrupted_at is not None:
        begun = format_minute(undone.interrupted_at, now)
        again = f"; to undo{last}, repeat `compute --undo`" if last else ""
        return f"the run of {begun} was killed before it changed {sanitize(folder)}: nothing to undo{again}"
    files = pluralize(undone.files, "file")
    return f"undid{last or ' the last run'}: restored {files} in {sanitize(folder)}; only the last change can be undone"


class _RefusedError(Exception):
    """A person did not agree with the columns that were recognized."""


@dataclass(slots=True)
class _Confirmation:
    """Asks on a terminal whether recognized columns are the right ones."""

    folder: Path
    context: Context
    was_given: bool = False

    def __call__(self, notes: Sequence[str]) -> None:
        context = self.context
        for note in notes:
            context.err_line(sanitize(note, 400))
        if context.open_app is None or context.unusable_reason() is not None or not context.stdin.isatty():
            return
        context.err.write(f"Compute into {sanitize(self.folder)} and open it? [Y/n] ")
        context.err.flush()
        if context.stdin.readline().strip().lower() not in (b"", b"y", b"yes"):
            raise _RefusedError
        self.was_given = True


def settings(args: argparse.Namespace, config: Config) -> list[LogSettings]:
    """Return the logs to compute: those of the configuration, or a single one described by the arguments.

    Args:
        args: The arguments of `compute`.
        config: Has the logs that may be named, and the time zone.

    Raises:
        UsageError: A flag is impossible, or there is no log.
    """
    named = [config.logs[name] for name in args.logs if name in config.logs and not Path(name).exists()]
    if not args.logs:
        named = list(config.logs.values())
    elif named and len(named) != len(args.logs):
        raise UsageError("files and configured logs cannot be mixed: compute one after the other")
    if named:
        return [_override(log, args) for log in named]
    if not args.logs:
        raise UsageError("name a log: a file, a folder or a glob; or configure [logs.NAME]")
    return [_override(LogSettings(spec=LogSpec(sources=tuple(args.logs), timezone=str(config.zone))), args)]


def _override(log: LogSettings, args: argparse.Namespace) -> LogSettings:
    spec = {name: getattr(args, name) for name, *_ in OPTIONS} | {
        "scores": tuple(args.score),
        "segments": tuple(args.segment),
        "features": tuple(ALL_FEATURES if name == "all" else name for name in args.feature),
        "task": Task(args.task) if args.task else None,
        "threshold": args.threshold,
        "max_bad_rows": args.max_bad_rows,
        "keep_duplicates": args.keep_duplicates or None,
    }
    settings = {name: getattr(args, name) for name in ("engine", "label_delay", "since", "per_class")}
    settings["cost"] = _cost(args.cost)
    return replace(
        log,
        spec=replace(log.spec, **{name: value for name, value in spec.items() if value not in (None, ())}),
        **{name: value for name, value in settings.items() if value},
    )


def _cost(text: str | None) -> dict[str, float]:
    prices: dict[str, float] = {}
    for item in text.split(",") if text is not None else ():
        key, _, number = item.partition("=")
        key = key.strip().lower()
        with contextlib.suppress(ValueError):
            prices[key] = float(number)
        if key not in COST_KEYS or not 0 <= prices.get(key, -1.0) < math.inf:
            raise UsageError(f"--cost {sanitize(text, 60)}: write the price of an error, 0 or more, such as fp=1,fn=20")
    return prices


def _compute(
    logs: list[LogSettings],
    folder: Path,
    args: argparse.Namespace,
    config: Config,
    context: Context,
    confirm: Confirm,
) -> ComputeResult:
    try:
        with show_progress(context.err) as progress:
            result = compute(
                logs,
                folder,
                catalog=config.catalog,
                now=args.now or context.clock(),
                is_backtest=args.now is not None,
                progress=progress,
                confirm=confirm,
                overwrites=args.replace,
            )
    except ModuleNotFoundError as error:
        raise UsageError(f"{sanitize(error.name, 40)} is not installed here; {INSTALL}") from None
    for line in result.messages:
        context.err_line(sanitize(line, 400))
    return result
