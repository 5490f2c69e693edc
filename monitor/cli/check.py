"""`modeltop check`: one look, one verdict, one exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeltop.cli.context import Context, add_source

if TYPE_CHECKING:
    from modeltop.core.series import ReadProblem


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
    from modeltop.report.text_report import text_summary

    snapshot = context.pipeline(args).run(context.clock())
    if args.json:
        context.out_line(as_json(snapshot))
        return exit_code(snapshot)
    for line in text_summary(snapshot):
        context.out_line(line)
    print_problems([problem for problem in snapshot.history.problems if not problem.fatal], context)
    return exit_code(snapshot)


def print_problems(problems: Sequence[ReadProblem], context: Context) -> None:
    """What could not be read, a line each, on stderr."""
    from modeltop.core.text import sanitize

    for problem in problems[:PROBLEMS_SHOWN]:
        context.err_line(sanitize(problem, 300))
    if len(problems) > PROBLEMS_SHOWN:
        context.err_line(f"and {len(problems) - PROBLEMS_SHOWN:,} more; --json lists them all")


def configure_alerts(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alerts`."""
    add_source(parser)
    parser.add_argument("--history", action="store_true", help="resolved alerts too, newest first")
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")


def run_alerts(args: argparse.Namespace, context: Context) -> int:
    """List alerts; the exit code says only whether they could be listed."""
    import json

    from modeltop.alerting.actions import incident_id
    from modeltop.report.json import alert_record
    from modeltop.report.phrases import alert_line

    snapshot = context.pipeline(args).run(context.clock())
    shown = [episode for episode in snapshot.alerts if args.history or episode.resolved is None]
    if args.json:
        context.out_line(json.dumps([alert_record(episode, snapshot) for episode in shown], allow_nan=False, indent=1))
        return 0
    for episode in shown:
        context.out_line(alert_line(episode, snapshot, name=incident_id(episode, snapshot.alerting_state)))
    if not shown:
        context.err_line("no alert stands" if not args.history else "no alert, now or in the past")
    print_problems(snapshot.history.problems, context)
    return 0
