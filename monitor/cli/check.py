"""`modeltop check`: one look, one verdict, one exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltop.cli.context import Context, add_source

if TYPE_CHECKING:
    from modeltop.core.series import Problem


PROBLEMS_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="everything as JSON, ASCII-escaped and exact")
    parser.epilog = "exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or usage error"


def run(args: argparse.Namespace, context: Context) -> int:
    """Judge what the arguments name; the exit code is the worst severity."""
    from modeltop.report.json import as_json
    from modeltop.report.phrases import exit_code
    from modeltop.report.text_report import summary

    snapshot = context.observer(args).observe(context.clock())
    if args.json:
        context.say(as_json(snapshot))
        return exit_code(snapshot)
    for line in summary(snapshot):
        context.say(line)
    tell_problems([problem for problem in snapshot.history.problems if not problem.fatal], context)
    return exit_code(snapshot)


def tell_problems(problems: Sequence[Problem], context: Context) -> None:
    """What could not be read, a line each, on stderr."""
    from modeltop.core.text import safe

    for problem in problems[:PROBLEMS_SHOWN]:
        context.tell(safe(problem, 300))
    if len(problems) > PROBLEMS_SHOWN:
        context.tell(f"and {len(problems) - PROBLEMS_SHOWN:,} more; --json lists them all")


def configure_alerts(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alerts`."""
    add_source(parser)
    parser.add_argument("--history", action="store_true", help="resolved alerts too, newest first")
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")


def run_alerts(args: argparse.Namespace, context: Context) -> int:
    """List alerts; the exit code says only whether they could be listed."""
    import json

    from modeltop.alerting.actions import name_of
    from modeltop.report.json import alert_record
    from modeltop.report.phrases import alert_line

    snapshot = context.observer(args).observe(context.clock())
    shown = [episode for episode in snapshot.episodes if args.history or episode.resolved is None]
    if args.json:
        context.say(json.dumps([alert_record(episode, snapshot) for episode in shown], allow_nan=False, indent=1))
        return 0
    for episode in shown:
        context.say(alert_line(episode, snapshot, name=name_of(episode, snapshot.facts)))
    if not shown:
        context.tell("no alert stands" if not args.history else "no alert, now or in the past")
    tell_problems(snapshot.history.problems, context)
    return 0
