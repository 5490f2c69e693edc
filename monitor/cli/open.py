"""`modeltop [open]`: the app, or the summary if there is no terminal for it."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from dataclasses import replace
from pathlib import Path

from modeltop.cli.context import AppOptions, Context, add_source
from modeltop.cli.layout import given_flags

NO_APP = "this is the core without its screen: run `modeltop`; if there is no such command, pip install modeltop"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `open` to its parser."""
    add_source(parser)
    add_app_options(parser)


def add_app_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for how the app looks and behaves."""
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal, for selecting text")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--no-bell", action="store_true", help="do not ring when a model gets a problem")
    parser.add_argument("--theme", metavar="NAME", help="such as modeltop-light (default: last used, or by background)")
    parser.set_defaults(guide=())


def run(args: argparse.Namespace, context: Context) -> int:
    """Open the app on the data that the arguments name, or print the summary and why there is no app."""
    words = [word for word in args.paths[1:] if re.fullmatch(r"\w[\w-]*", word) and not Path(word).exists()]
    args.paths = [path for path in args.paths if path not in words]
    if args.theme is not None:  # wrong without a terminal too
        context.check_theme(args.theme)
    if context.open_app is not None and context.piped(args) is not None:
        _take_keys_from_terminal()
    reason = NO_APP if context.open_app is None else context.unusable_reason()
    if reason is None and context.open_app is not None:
        if len(args.paths) == 1 and not given_flags(args) and _is_prediction_log(args.paths[0]):
            return _compute(args, context)
        with context.cover_terminal():
            pipeline = context.pipeline(args, for_app=True)
            options = AppOptions(not args.no_mouse, args.ascii or None, args.theme, not args.no_bell, args.guide)
            return context.open_app(pipeline, replace(options, goto=" ".join(words)))
    from modeltop.cli.check import print_summary

    print_summary(context.snapshot(args), context)
    context.err_line(f"summary only: {reason}")
    return 0


def _compute(args: argparse.Namespace, context: Context) -> int:
    from modeltop.cli import compute

    parser = argparse.ArgumentParser()
    compute.configure(parser)
    given = {name: value for name, value in vars(args).items() if name not in ("paths", "store")}
    return compute.run(argparse.Namespace(**vars(parser.parse_args([])) | given | {"logs": args.paths}), context)


def _is_prediction_log(path: str) -> bool:
    from modeltop.core.metrics.registry import MetricRegistry
    from modeltop.history.tables import HEAD_BYTES, PREDICTION_LOG, log_reason

    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return False
    return (log_reason(head, path, MetricRegistry()) or "").startswith(PREDICTION_LOG)


def _take_keys_from_terminal() -> None:
    """Make the terminal standard input, once the data that was piped in is read; without one nothing changes."""
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        os.dup2(terminal, 0)
        os.close(terminal)
