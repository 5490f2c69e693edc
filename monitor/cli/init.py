"""`modeltop init`: a configuration from the history at hand, and how often each of its limits would have fired."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeltop.cli.context import Context, add_paths, parse_moment
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize

if TYPE_CHECKING:
    from modeltop.config.load import Config
    from modeltop.service.pipeline import Pipeline


CARRIED_TABLES = ("timezone", "metrics", "store")
"""What decides how history is read."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `init`."""
    add_paths(parser)
    parser.add_argument("--config", metavar="FILE", help="the file to write (default: ./modeltop.toml)")
    parser.add_argument("--store", metavar="DIR", help="the store (default: [store] path, then the XDG data folder)")
    parser.add_argument("--model", metavar="GLOB", default="*", help="propose limits for these models only")
    parser.add_argument("--metric", metavar="GLOB", default="*", help="propose limits for these metrics only")
    parser.add_argument("--now", type=parse_moment, metavar="DATE", help="judge as of this moment")
    parser.add_argument("--print", action="store_true", help="to stdout instead of a file, as does `-` for a PATH")
    parser.add_argument(
        "--force", action="store_true", help="replace the rules of a file that is there; its other tables are kept"
    )
    parser.epilog = "exit codes: 0 written, 2 the file is there already, nothing to propose from, or usage error"


def run(args: argparse.Namespace, context: Context) -> int:
    """Propose, rehearse, and write."""
    from modeltop.config.load import NAME, from_tables
    from modeltop.config.suggest import suggest_rules
    from modeltop.report.suggested_config import suggested_config

    shown = args.print or "-" in args.paths
    args.paths = [path for path in args.paths if path != "-"]
    target = Path(args.config or NAME)
    if os.path.lexists(target) and not (args.force or shown):
        raise UsageError(f"{sanitize(target)} is there already: --force replaces its rules, --print writes to stdout")
    kept = _kept(target, args)
    config = from_tables(kept, target)
    history = _observer(config, args).read_history()
    if not history.series:
        raise UsageError("nothing to propose from: no period of any metric could be read")
    proposed = suggest_rules(history, config.catalog, model=args.model, metric=args.metric)
    # What is counted is what the file will say, read as a file is read.
    trial = from_tables({**kept, "rules": proposed.tables}, target)
    text = suggested_config(kept, proposed, _observer(trial, args).run(context.clock()))
    if shown:
        context.out.write(text)
    else:
        _save(text, target, context)
    context.err_line(f"{pluralize(len(proposed.tables), 'rule')} proposed; try them: modeltop rules test")
    return 0


def _kept(target: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What the new file says beside its rules: all that the old one said, or what another one said of reading."""
    from modeltop.config.load import find, read_tables

    before = target if target.exists() else find()
    data = dict(read_tables(before)) if before else {}
    data.pop("rules", None)
    if before != target:
        data = {key: data[key] for key in CARRIED_TABLES if key in data}
    if args.store:
        data["store"] = {"path": os.path.abspath(args.store)}  # noqa: PTH100  a file elsewhere names it as well
    elif before and before != target and isinstance(data.get("store"), dict) and "path" in data["store"]:
        data["store"] = {"path": str(before.parent.absolute() / os.path.expanduser(str(data["store"]["path"])))}  # noqa: PTH111  never fails
    return data


def _observer(config: Config, args: argparse.Namespace) -> Pipeline:
    from modeltop.history.store.paths import default_folder
    from modeltop.service.pipeline import Pipeline

    if args.paths and args.store:
        raise UsageError("either paths or --store, not both")
    folder = config.store or default_folder()
    if not args.paths and not folder.is_dir():
        raise UsageError(f"no history: {sanitize(folder)} is not there; name a CSV file or a folder")
    return Pipeline(config, [Path(path) for path in args.paths] or [folder], live=not args.paths, now=args.now)


def _save(text: str, target: Path, context: Context) -> None:
    from modeltop.config.load import find, load
    from modeltop.history.store.durable import write_atomically

    shadowed = find()
    write_atomically(target, text.encode("utf-8"))
    load(target)
    context.err_line(f"written to {sanitize(target)}")
    if shadowed is not None and find() != shadowed:
        context.err_line(
            f"it is read here instead of {sanitize(shadowed)}, whose receivers and routes it does not have"
        )
