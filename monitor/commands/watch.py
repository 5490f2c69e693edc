"""`modeltop watch`: looks on change and on a timer, and tells receivers; the service, or one run from cron."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.base import Context, add_config, add_paths
from monitor.errors import UsageError
from monitor.text import safe

if TYPE_CHECKING:
    from monitor.watch.setup import Load, Setup

PATIENCE = 3
"""Looks in a row that must fail before a source that cannot be read is an alert."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `watch`."""
    add_paths(parser)
    add_config(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--once", action="store_true", help="one cycle, for cron: retries are left for the next run")
    one.add_argument("--status", action="store_true", help="how the watcher is, with an exit code")
    one.add_argument("--test", metavar="RECEIVER", help="send a receiver a marked test message")
    one.add_argument("--dry-run", action="store_true", help="print what would go out now; write and send nothing")
    parser.add_argument("--json", action="store_true", help="the log, or what is printed, as JSON")
    parser.epilog = (
        "exit codes: 0 all well, or ended as asked; 1 something could not be sent, saved or read, or a receiver is "
        "broken; 2 usage or configuration; 3 (--status) no watcher runs, or it is late"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Watch, or do the one thing that was asked for."""
    if args.status:
        from monitor.watch.status import status

        return status(_folder(args, context), context.clock(), context.say, as_json=args.json)
    if args.test is not None:
        from monitor.commands.watch_trial import trial

        return trial(context.config(args), args.test, _folder(args, context), context)
    if args.dry_run:
        from monitor.commands.watch_dry import dry_run

        return dry_run(_loader(args, context, patience=1)(), _folder(args, context), context, as_json=args.json)
    return _watch(args, context)


def _watch(args: argparse.Namespace, context: Context) -> int:
    import os
    import platform

    from monitor.store.disk import failed
    from monitor.store.lock import make_folder
    from monitor.watch.bulletin import Post
    from monitor.watch.leader import Holder, Leader
    from monitor.watch.log import Log
    from monitor.watch.rounds import Rounds

    folder = _folder(args, context)
    try:
        make_folder(folder)
    except OSError as error:
        raise failed(folder, error) from error
    post = Post(folder, Holder(os.getpid(), platform.node()), once=args.once)
    log = Log(context.err, as_json=args.json or context.config(args).watch.log == "json")
    leader = Leader(folder, post.me)
    rounds = Rounds(_loader(args, context), post, log)
    if args.once:
        from monitor.watch.once import once

        return once(rounds, leader, post, log)
    from monitor.watch.watcher import Watcher

    Watcher(rounds, leader, post, log).run()
    return 0


def _folder(args: argparse.Namespace, context: Context) -> Path:
    """Where the watcher of what the arguments name keeps its state."""
    from monitor.journal.places import state_folder

    paths = [Path(path) for path in args.paths]
    if paths and args.store:
        raise UsageError("either paths or --store, not both")
    return state_folder(None if paths else context.store_folder(args), paths)


def _loader(args: argparse.Namespace, context: Context, patience: int = PATIENCE) -> Load:
    """What reads the configuration, again and again; its store must stay where it is."""
    folder = _folder(args, context)

    def load() -> Setup:
        from monitor.pipeline import Observer
        from monitor.store.lock import make_folder
        from monitor.watch.setup import Setup

        config = context.config(args)
        if _folder(args, context) != folder:
            raise UsageError("the store lies elsewhere now: start the watcher anew")
        paths = [Path(path) for path in args.paths] or [context.store_folder(args)]
        if any(log.every is not None for log in config.logs.values()) and not args.paths:
            make_folder(paths[0])  # what is computed will be its first history
        if not args.paths and not paths[0].is_dir():
            raise UsageError(f"no history: {safe(paths[0])} is not there; name a file or folder, or record a period")
        observer = Observer(config, paths, live=True, patience=patience)
        return Setup(config, observer, None if args.paths else paths[0])

    return load
