"""`modeltop compute`: prediction logs into history."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.cli.context import Context, add_config, parse_moment
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from modeltop.config.load import Config
    from modeltop.predictions.job import ComputeResult
    from modeltop.predictions.spec import LogSettings

INSTALL = "reading logs needs Ibis and DuckDB: pip install 'modeltop[logs]'"
TASKS = ("binary", "multiclass", "regression")

ROLES = (
    ("model", "NAME", "the model's name, or the column that holds it (default: `model`, else the file's name)"),
    ("timestamp", "COLUMN", "when the prediction was made"),
    ("prediction", "COLUMN", "what was predicted"),
    ("label", "COLUMN", "what turned out to be true; empty where it is not known yet"),
    ("id", "COLUMN", "identifies a prediction; joins --labels, and orders rows of the same moment"),
    ("labels", "FILE", "labels that arrive in another file, joined by --id"),
    ("positive", "VALUE", "the value that is the positive class"),
    ("period", "P", "15min, H, D, W, MS, QS, YS, 5000rows, or column=NAME (default: D)"),
    ("timezone", "ZONE", "in which days are cut (default: `timezone` of the configuration, then UTC)"),
    ("reference", "R", "COLUMN=VALUE or START..END: what drift is compared with, and estimates are calibrated on"),
    ("start", "DATE", "of the first period, for a log without any timestamp, with --every"),
    ("every", "D", "distance of the periods of a log without any timestamp"),
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `compute`."""
    parser.add_argument(
        "logs",
        nargs="*",
        metavar="LOG",
        help="CSV (.gz), Parquet or JSON lines, a folder or glob of them, FILE.duckdb::TABLE, CONNECTION::TABLE, "
        "or the name of a [logs.NAME] of the configuration (default: each of those)",
    )
    for name, shown, text in ROLES:
        parser.add_argument(f"--{name}", metavar=shown, help=text)
    for name, shown, text in (
        ("score", "[CLASS=]COLUMN", "the score of the positive class; several: one a class"),
        ("segment", "COLUMN", "a cut: each of its values is a segment (repeatable)"),
        ("feature", "COLUMN", "whose drift is measured (repeatable; `all`: every column that plays no other part)"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar=shown, help=text)
    parser.add_argument("--task", choices=TASKS, help="default: what the columns say")
    parser.add_argument("--threshold", type=float, metavar="T", help="a score from T on is a positive prediction")
    parser.add_argument("--cost", metavar="fp=1,fn=20", help="price of one error each: the cost per 1,000 rows")
    parser.add_argument("--per-class", action="store_true", help="each class is a segment, class=NAME")
    parser.add_argument("--label-delay", metavar="7d", help="labels are waited for as long (default: as the log shows)")
    parser.add_argument("--since", metavar="30d", help="only periods as young as this")
    parser.add_argument("--engine", metavar="E", help="duckdb (default), or Spark: spark://HOST:PORT, local[2]")
    parser.add_argument("--undo", action="store_true", help="bring back what stood before the last change")
    parser.add_argument("--open", action="store_true", help="open the app on the result")
    parser.add_argument(
        "--now", type=parse_moment, metavar="DATE", help="what is over and complete is told by this moment"
    )
    add_config(parser)
    from modeltop.cli.open import add_looks

    add_looks(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Compute what the arguments name, or undo the last change."""
    folder = context.store_folder(args)
    if args.undo:
        return _undo(args, folder, context)
    config = context.load_config(args)
    jobs = settings(args, config)
    outcome = _computed(jobs, folder, args, config, context)
    if not args.open:
        return 0
    return _open(outcome, args, context)


def _undo(args: argparse.Namespace, folder: Path, context: Context) -> int:
    from modeltop.history.store.computed import restore_previous

    if args.logs:
        raise UsageError("--undo takes no log: it brings back the whole store as it stood before the last change")
    context.err_line(
        f"brought back {pluralize(restore_previous(folder), 'file')} in {sanitize(folder)}; a second undo is not kept"
    )
    return 0


def settings(args: argparse.Namespace, config: Config) -> list[LogSettings]:
    """What is to be computed: logs of the configuration, or one that the arguments describe.

    Raises:
        UsageError: A flag is impossible, or there is no log.
    """
    named = [config.logs[word] for word in args.logs if word in config.logs and not Path(word).exists()]
    if not args.logs:
        named = list(config.logs.values())
    if named and len(named) != max(len(args.logs), 1) and args.logs:
        raise UsageError("files and names of configured logs do not go together: compute one after the other")
    if named:
        return [_changed(one, args) for one in named]
    if not args.logs:
        raise UsageError("name a log: a file, a folder or a glob; or configure [logs.NAME]")
    from modeltop.predictions.spec import LogSettings, LogSpec

    log = LogSpec(sources=tuple(args.logs), timezone=str(config.zone))
    return [_changed(LogSettings(spec=log), args)]


def _changed(base: LogSettings, args: argparse.Namespace) -> LogSettings:
    """The settings with the flags over them."""
    from modeltop.predictions.spec import ALL_FEATURES, Task

    said = {name: getattr(args, name) for name, *_ in ROLES}
    features = tuple(ALL_FEATURES if name == "all" else name for name in args.feature)
    said |= {"scores": tuple(args.score), "segments": tuple(args.segment), "features": features}
    said |= {"task": Task(args.task) if args.task else None, "threshold": args.threshold}
    log = replace(base.spec, **{name: value for name, value in said.items() if value not in (None, ())})
    changed = {
        "engine": args.engine,
        "cost": _cost(args.cost),
        "label_delay": _duration("--label-delay", args.label_delay),
        "since": _duration("--since", args.since),
        "per_class": args.per_class,
    }
    return replace(base, spec=log, **{name: value for name, value in changed.items() if value})


def _cost(text: str | None) -> dict[str, float]:
    from modeltop.config.predictions import COST_KEYS

    found: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        kind, _, price = part.partition("=")
        with contextlib.suppress(ValueError):
            found[kind.strip().lower()] = float(price)
        if not 0 <= found.get(kind.strip().lower(), -1.0) < float("inf") or not set(found) <= set(COST_KEYS):
            raise UsageError(f"--cost {sanitize(text, 60)}: write the price of an error, 0 or more, such as fp=1,fn=20")
    return found


def _duration(flag: str, text: str | None) -> timedelta | None:
    from modeltop.config.predictions import LENGTH, duration

    found = duration(text) if text is not None else None
    if text is not None and found is None:
        raise UsageError(f"{flag} {sanitize(text, 40)} is no length of time: {LENGTH}")
    return found


def _computed(
    jobs: list[LogSettings], folder: Path, args: argparse.Namespace, config: Config, context: Context
) -> ComputeResult:
    from modeltop.cli.progress_bar import bar
    from modeltop.predictions.job import compute

    try:
        with bar(context.err) as progress:
            outcome = compute(jobs, folder, catalog=config.catalog, now=args.now or context.clock(), progress=progress)
    except ModuleNotFoundError as error:
        raise UsageError(f"{sanitize(error.name, 40)} is not installed here; {INSTALL}") from None
    for line in outcome.messages:
        context.err_line(sanitize(line, 400))
    return outcome


def _open(outcome: ComputeResult, args: argparse.Namespace, context: Context) -> int:
    from modeltop.cli import open as opening

    now: datetime | None = args.now or outcome.newest
    asked = argparse.Namespace(**vars(args) | {"paths": [], "now": now, "below": [], "above": []})
    return opening.run(asked, context)
