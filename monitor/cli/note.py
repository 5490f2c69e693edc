"""`modeltop note`: a person's note about a model, shown beside its alerts and in its timeline."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.cli.context import Context, add_data, parse_moment
from modeltop.cli.targets import event_log_for
from modeltop.core.errors import UsageError
from modeltop.core.text import did_you_mean, exact_glob, format_minute, sanitize
from modeltop.report.phrases import describe_note


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `note` to its parser."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="its name, or a glob such as `churn-*`")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="what happened, such as a release or a migration")
    add_data(parser)
    parser.add_argument("--at", type=parse_moment, metavar="DATE", help="when it happened (default: now)")
    parser.add_argument("--release", action="store_true", help="mark a release of the model: a drop may be rolled back")
    parser.add_argument("--list", action="store_true", help="print the notes: `note --list [MODEL [PATH ...]]`")
    parser.epilog = "Exit codes: 0 done, 2 not saved, or not readable."


def run(args: argparse.Namespace, context: Context) -> int:
    """Write down a note, or print the existing ones."""
    return _list(args, context) if args.list else _add(args, context)


def _add(args: argparse.Namespace, context: Context) -> int:
    if args.model is None or args.text is None:
        raise UsageError("a note needs a model and a text: `modeltop note MODEL TEXT`")
    args.model = context.current_name(args.model, args)
    pipeline = context.pipeline(args)
    event_log = event_log_for(pipeline)
    models = pipeline.read_history().periods
    glob = exact_glob(args.model) if args.model in models else args.model
    now, text = event_log.now(), args.text.strip()
    (event,) = actions.add_note(glob, text, by=author(), now=now, at=args.at, is_release=args.release)
    event_log.append(event)
    context.out_line(
        f"note added to {sanitize(args.model, 60)} at {format_minute(event.note.at, now)}: {sanitize(event.note.text)}"
    )
    if not any(fnmatchcase(model, glob) for model in models):
        context.err_line(f"no model is called {sanitize(args.model, 60)} yet{did_you_mean(args.model, models)}")
    return 0


def _list(args: argparse.Namespace, context: Context) -> int:
    if args.text is not None:
        args.paths = [args.text, *args.paths]
    event_log = event_log_for(context.pipeline(args))
    now = event_log.now()
    notes = [
        note
        for note in event_log.state().notes
        if args.model is None or fnmatchcase(args.model, note.model) or fnmatchcase(note.model, args.model)
    ]
    for note in sorted(notes, key=lambda note: note.at):
        context.out_line(f"{sanitize(note.model, 60)}: {describe_note(note, now)}")
    context.err_line("times are UTC" if notes else "no notes: `modeltop note MODEL TEXT` adds one")
    return 0
