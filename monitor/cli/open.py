"""`modeltop [open]`: the app, or the summary where there is no terminal for it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from modeltop.cli.context import AppOptions, Context, add_source

CORE_ALONE = "this is the core without its screen: run `modeltop`; if there is no such command, pip install modeltop"
FAILURES_BEFORE_ALERT = 3
"""Looks in a row that must fail before the app raises an alert for a source: a file may be between two names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `open`."""
    add_source(parser)
    add_looks(parser)


def add_looks(parser: argparse.ArgumentParser) -> None:
    """How the screen looks and behaves."""
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal, for selecting text")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--theme", metavar="NAME", help="such as textual-light, ansi-dark (default: as the terminal)")


def run(args: argparse.Namespace, context: Context) -> int:
    """Open the app on what the arguments name."""
    reason = CORE_ALONE if context.open_app is None else None
    reason = reason or context.unusable_reason()
    if reason is None and context.open_app is not None:
        with context.cover_terminal():
            observer = context.pipeline(args, failures_before_alert=FAILURES_BEFORE_ALERT, defer_slow_detectors=True)
            return context.open_app(observer, AppOptions(not args.no_mouse, args.ascii or None, args.theme))
    from modeltop.cli.check import print_problems
    from modeltop.report.text_report import text_summary

    snapshot = context.pipeline(args).run(context.clock())
    for line in text_summary(snapshot):
        context.out_line(line)
    print_problems([problem for problem in snapshot.history.problems if not problem.fatal], context)
    context.err_line(f"summary only: {reason}")
    return 0


def configure_demo(parser: argparse.ArgumentParser) -> None:
    """The arguments of `demo`: how the screen looks."""
    add_looks(parser)
    parser.set_defaults(store=None, below=[], above=[], now=None)


def run_demo(args: argparse.Namespace, context: Context) -> int:
    """Open the app on a copy that is removed afterwards; within a minute a model goes wrong in it."""
    from modeltop.cli.demo import DemoFeed, set_up

    with tempfile.TemporaryDirectory(prefix="modeltop-demo-") as name:
        target = Path(name)
        set_up(target, context.clock())
        # As a store, so that what a person does in it is forgotten with it.
        args.paths, args.store, args.config = [], name, str(target / "modeltop.toml")
        with DemoFeed(target):
            return run(args, context)
