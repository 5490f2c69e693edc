"""`modeltop init`: a configuration from existing history, and how often each of its limits would have fired."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

from modeltop.cli.context import Context, add_data, add_now, with_flags
from modeltop.config.load import NAME, Config, find, from_tables, load, parse_tables, read_text
from modeltop.config.sources import with_absolute_paths
from modeltop.config.suggest import suggest_rules
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize
from modeltop.history.store.durable import write_atomically
from modeltop.report.suggested_config import suggested_config
from modeltop.service.pipeline import Pipeline, make_reader

CARRIED_TABLES = ("timezone", "metrics", "store", "sources")
"""Keys of another configuration that are copied to the new one, because they decide how history is read."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `init` to its parser."""
    add_data(parser, config_help="the file to write (default: ./modeltop.toml)")
    for name in ("model", "metric"):
        text = f"propose limits for these {name}s only"
        parser.add_argument(f"--for-{name}", dest=name, metavar="GLOB", default="*", help=text)
    add_now(parser, "evaluate as of DATE, ignoring later rows")
    parser.add_argument("--print", action="store_true", help="to stdout instead of a file")
    parser.add_argument(
        "--force", action="store_true", help="replace the rules of an existing file; its other tables are kept"
    )
    parser.epilog = "Exit codes: 0 written, 2 the file exists, there is no history, or usage error."


def run(args: argparse.Namespace, context: Context) -> int:
    """Suggest rules, count how often each would have fired, and write the configuration."""
    target = Path(args.config or NAME)
    if os.path.lexists(target) and not (args.force or args.print):
        raise UsageError(f"{sanitize(target)} already exists: --force replaces its rules, --print writes to stdout")
    tables = _carried_tables(target, args)
    config = with_flags(from_tables(tables, target), args)
    history = _pipeline(config, args, context).read_history(context.clock())
    if not history.series:
        raise UsageError(context.nothing_read(history, "nothing to propose from"))
    context.err_problems(history.problems)
    suggested = suggest_rules(history, config.catalog, model=args.model, metric=args.metric)
    # Backtest the configuration as it will be written, read back the way a file is read.
    trial = with_flags(from_tables({**tables, "rules": suggested.tables}, target), args)
    text = suggested_config(tables, suggested, _pipeline(trial, args, context).run(context.clock()))
    if args.print:
        context.write(text)
    else:
        _save(text, target, context)
    given = list(args.paths)
    for option, value in (("--store", args.store), ("--config", "" if args.print else args.config)):
        given += [option, value] if value else []
    given += config.sources.flags.to_flags()
    command = sanitize(shlex.join(["modeltop", "rules", "test", *given]), 300)
    context.err_line(f"{pluralize(len(suggested.tables), 'rule')} proposed; try them: {command}")
    return 0


def _carried_tables(target: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Return the new file without its rules: the file it replaces, or the settings of another for reading history."""
    source = target if target.exists() else find()
    tables = dict(parse_tables(read_text(source), source)) if source else {}
    tables.pop("rules", None)
    if source != target:
        tables = {key: tables[key] for key in CARRIED_TABLES if key in tables}
        tables |= with_absolute_paths(tables.get("sources"), source.parent) if source else {}
    if args.store:
        tables["store"] = {"path": os.path.abspath(args.store)}  # noqa: PTH100  the new file may lie elsewhere
    elif source and source != target and isinstance(tables.get("store"), dict) and "path" in tables["store"]:
        path = os.path.expanduser(str(tables["store"]["path"]))  # noqa: PTH111  never fails
        tables["store"] = {"path": str(source.parent.absolute() / path)}
    return tables


def _pipeline(config: Config, args: argparse.Namespace, context: Context) -> Pipeline:
    sources = context.sources(args, config)
    reader = make_reader(config, sources, context.piped(args))
    return Pipeline(config, sources, live=not args.paths, now=args.now, reader=reader)


def _save(text: str, target: Path, context: Context) -> None:
    shadowed = find()
    write_atomically(target, text.encode("utf-8"))
    load(target)
    context.err_line(f"written to {sanitize(target)}")
    if shadowed is not None and find() != shadowed:
        context.err_line(
            f"it is read here instead of {sanitize(shadowed)}, whose receivers and routes it does not have"
        )
