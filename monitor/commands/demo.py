"""`modeltop demo`: the app on the sample fleet as if it were today, with a live feed."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from monitor.commands import open as open_command
from monitor.commands.base import Context


def configure_demo(parser: argparse.ArgumentParser) -> None:
    """The arguments of `demo`: how the screen looks."""
    open_command.add_looks(parser)
    parser.set_defaults(store=None, below=[], above=[], now=None)


def run_demo(args: argparse.Namespace, context: Context) -> int:
    """Open the app on a copy that is removed afterwards; within a minute a model goes wrong in it."""
    from monitor.demo import Feed, set_up

    with tempfile.TemporaryDirectory(prefix="modeltop-demo-") as name:
        target = Path(name)
        set_up(target, context.clock())
        # As a store, so that what a person does in it is forgotten with it.
        args.paths, args.store, args.config = [], name, str(target / "modeltop.toml")
        with Feed(target):
            return open_command.run(args, context)
